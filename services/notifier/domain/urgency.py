"""What goes out first, and which messages a later one makes superfluous."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final
from uuid import UUID

from shared.contracts.notifications import Purpose
from shared.contracts.values import Bilingual


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
_NAMES: Final = {
    Purpose.STAND_DOWN: "解除",
    Purpose.PAGE: "呼叫",
    Purpose.BREACH: "超时限",
    Purpose.WARN: "时限将到",
    Purpose.INFORM: "通报",
}
_ENDED_BY_ANSWER: Final = frozenset({Purpose.PAGE})
_ENDED_BY_END: Final = frozenset({Purpose.PAGE, Purpose.WARN, Purpose.BREACH})
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

    @property
    def case(self) -> tuple[str, UUID, str]:
        """The case under its plan."""
        return self.org, self.case_id, self.plan


def answered_before(
    purpose: Purpose, requested_at: datetime, answered_at: datetime, *, is_over: bool
) -> Bilingual | None:
    """The reason not to send what was asked for before somebody answered, else None.

    An acknowledgement makes earlier pages superfluous; the end of a case its warnings and breaches too.
    """
    ended = _ENDED_BY_END if is_over else _ENDED_BY_ANSWER
    if purpose not in ended or requested_at >= answered_at:
        return None
    if is_over:
        return Bilingual(zh="事项已结束，不再发送", en="the case is over")
    return Bilingual(zh="已有人签收，不再发送", en="somebody acknowledged before")


def superseded_by(earlier: Notice, later: Notice) -> Bilingual | None:
    """The reason not to go on with `earlier` because of `later`, else None.

    A later step to the same person says all that the earlier one said, unless it weighs less: an information never
    takes the place of a page. The end of a case takes the place of everything still on its way to that person.
    """
    lighter = _WEIGHT[later.purpose] < _WEIGHT[earlier.purpose]
    if earlier.thread != later.thread or later.step <= earlier.step or lighter:
        return None
    return Bilingual(
        zh=f"已由第 {later.step} 步取代（{_NAMES[later.purpose]}）",
        en=f"superseded by step {later.step} ({later.purpose.value})",
    )
