"""What a look ahead at a roster finds: the kinds, and one finding in words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.values import MAX_TEXT, Bilingual


class FindingKind(StrEnum):
    GAP = "gap"  # nobody is on duty
    UNREACHABLE = "unreachable"  # on duty, and no contact point that may be used for any channel in use
    UNVERIFIED = "unverified"  # on duty, and nobody has proved yet that an address reaches them
    LEAVE = "leave"  # on leave during an own turn, or named by an override; a deputy or nobody stands in
    LAST_RESORT = "last-resort"  # only those for "when nobody" are left
    OVERLAP = "overlap"  # two overrides replace the same role at the same time
    IDLE_SWAP = "idle-swap"  # a swap that changes nobody's turn
    UNSTAFFED = "unstaffed"  # a role that plans name and the roster does not have
    SHARED = "shared"  # several people, or a duty room and a person, have one number or mailbox
    DEPUTY_LOOP = "deputy-loop"  # people who only stand in for each other are all away, or all on the same duty
    ALONE = "alone"  # a rotation around the clock with one person in it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right. `is_gap`: somebody who should be told would not be."""

    kind: FindingKind
    role: str | None
    person: str | None
    begins_at: datetime
    ends_at: datetime
    what: Bilingual

    @property
    def is_gap(self) -> bool:
        return self.kind in {FindingKind.GAP, FindingKind.UNREACHABLE, FindingKind.UNSTAFFED}

    @property
    def key(self) -> str:
        """The same for the same trouble found again later: by role, person and end, not by when it was looked for."""
        return f"{self.kind}/{self.role or ''}/{self.person or ''}/{self.ends_at.isoformat()}"


def in_words(zh: str, en: str) -> Bilingual:
    """Both, as long as texts may be."""
    return Bilingual(zh=zh[:MAX_TEXT], en=en[:MAX_TEXT])
