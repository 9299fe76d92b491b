"""Which earlier periods make a baseline, and what their average is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.plans.obligations import CompiledBaseline
from shared.plans.windows import CompiledWindow

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


def average(earlier: Earlier, counted: int) -> float:
    return counted / earlier.periods
