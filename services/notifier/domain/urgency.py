"""What goes out first, and which messages a later one makes superfluous."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from uuid import UUID

from shared.contracts.notifications import Purpose


class Lane(IntEnum):
    """Order of claiming. Retries have places of their own, so that they never hold up what is new."""

    FIRST_PAGE = 0
    FRESH = 1
    RETRY = 2


_WEIGHT: Final = {
    Purpose.STAND_DOWN: 4,
    Purpose.PAGE: 3,
    Purpose.BREACH: 2,
    Purpose.WARN: 1,
    Purpose.INFORM: 0,
}
_SCALE: Final = 100
_PURPOSES: Final = 10


def urgency(level_rank: int, highest_rank: int, purpose: Purpose) -> int:
    """Higher goes first: by the level's share of its plan's highest one, then by purpose."""
    share = _SCALE * min(level_rank, highest_rank) // highest_rank
    pressing = 0 if purpose is Purpose.STAND_DOWN else _WEIGHT[purpose]
    return share * _PURPOSES + pressing


@dataclass(frozen=True, slots=True)
class Notice:
    """What supersession reads of an intent: `recipient` is a person, `step` the step of the case's ladder."""

    intent_id: UUID
    org: str
    case_id: UUID
    plan: str
    recipient: str
    step: int
    purpose: Purpose

    @property
    def thread(self) -> tuple[str, UUID, str, str]:
        """Only notices of one thread can supersede each other."""
        return self.org, self.case_id, self.plan, self.recipient


def superseded_by(earlier: Notice, later: Notice) -> str | None:
    """The reason not to go on with `earlier` because of `later`, else None.

    A later step to the same person says all that the earlier one said, unless it weighs less: an information never
    takes the place of a page. The end of a case takes the place of everything still on its way to that person.
    """
    lighter = _WEIGHT[later.purpose] < _WEIGHT[earlier.purpose]
    if earlier.thread != later.thread or later.step <= earlier.step or lighter:
        return None
    return f"superseded by step {later.step} ({later.purpose.value})"
