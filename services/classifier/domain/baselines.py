"""Which earlier periods make a baseline, and what their average is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.classifier.domain.windows import Count, Members, cases_in
from shared.contracts.classifications import CountedCases
from shared.plans.obligations import CompiledBaseline
from shared.plans.windows import CompiledWindow, WindowRead

_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Earlier:
    """So many whole periods from `start` (UTC) to the beginning of the present one."""

    start: datetime
    periods: int


def earlier_periods(
    window: CompiledWindow, baseline: CompiledBaseline, present: datetime, since: datetime
) -> Earlier | None:
    """The last periods before `present` (when the present one began) of those that were counted whole.

    `since` is when counting began. None with fewer periods than the baseline asks for.
    """
    start, periods = present, 0
    while periods < baseline.over:
        before = window.bucket(start - _BEFORE)[0]
        if before < since:
            break
        start, periods = before, periods + 1
    return Earlier(start, periods) if periods >= max(1, baseline.at_least) else None


@dataclass(frozen=True, slots=True)
class Usual:
    """What a baseline is made of: so many counted over so many whole periods of its window."""

    count: Count
    counted: int
    periods: int

    @property
    def average(self) -> float:
        return self.counted / self.periods


def averages(usual: Mapping[str, Usual]) -> dict[str, float]:
    """What conditions read, by baseline."""
    return {name: one.average for name, one in usual.items()} if usual else {}


def cases_behind(name: str, usual: Usual, read: WindowRead, members: Members) -> CountedCases:
    """The cases of the earlier periods; `read` is how the baseline's window was read now."""
    over = WindowRead(read.window_id, read.group_key, usual.count.start, usual.count.end)
    return cases_in(over, usual.counted, members).model_copy(update={"baseline": name, "periods": usual.periods})
