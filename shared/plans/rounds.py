"""When duties are due. Pure: days come from the plan's zone, days off from whoever has the calendar."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from shared.plans.time_spec import Every

WorkingDay = Callable[[date], bool]
"""Whether a day of the plan's zone is a working day."""

_MONTHS: Final[dict[str, int]] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HORIZONS: Final = (timedelta(days=40), timedelta(days=800))
_LONGEST_HOLIDAY: Final = 30


class Round(Protocol):
    """What of a duty says when it comes round: a `CompiledDuty` is one."""

    @property
    def every(self) -> Every: ...
    @property
    def on(self) -> tuple[str, ...]: ...
    @property
    def at(self) -> tuple[str, ...]: ...
    @property
    def if_day_off(self) -> str: ...


def next_due(duty: Round, after: datetime, zone: ZoneInfo, is_working_day: WorkingDay | None = None) -> datetime | None:
    """The first instant strictly after `after` (aware) at which the duty is due, in UTC; None when never again.

    Without `on`: a week begins on Monday, a month, quarter, half-year and year on their first day. A day that a month
    does not have is its last one. `is_working_day` absent: Monday to Friday.
    """
    works = is_working_day or _monday_to_friday
    local = after.astimezone(zone).date()
    clocks = sorted(time.fromisoformat(clock) for clock in duty.at)
    first = local - timedelta(days=_LONGEST_HOLIDAY + 1)
    for ahead in _HORIZONS:
        # A day behind the horizon may be moved before it, so what is found near its edge is not yet certain.
        certain = local + ahead - timedelta(days=_LONGEST_HOLIDAY)
        for day in _days(duty, first, local + ahead, works):
            if day < local - timedelta(days=1) or (day > certain and ahead != _HORIZONS[-1]):
                continue
            for clock in clocks:
                moment = datetime.combine(day, clock, zone).astimezone(UTC)
                if moment > after:
                    return moment
    return None


def due_between(
    duty: Round, after: datetime, until: datetime, zone: ZoneInfo, is_working_day: WorkingDay | None = None
) -> Iterator[datetime]:
    """Every instant in (after, until] at which the duty is due, in UTC."""
    moment = next_due(duty, after, zone, is_working_day)
    while moment is not None and moment <= until:
        yield moment
        moment = next_due(duty, moment, zone, is_working_day)


def _days(duty: Round, first: date, last: date, works: WorkingDay) -> list[date]:
    """The duty's days, moved off days off, in order and each once. Moving can change the order."""
    moved = {_moved(day, duty.if_day_off, works) for day in _planned(duty, first, last, works)}
    return sorted(moved)


def _planned(duty: Round, first: date, last: date, works: WorkingDay) -> Iterator[date]:
    if duty.every == "once":
        yield from (date.fromisoformat(day) for day in duty.on)
    elif duty.every in {"day", "working-day"}:
        yield from (day for day in _each_day(first, last) if duty.every == "day" or works(day))
    elif duty.every == "week":
        wanted = {_WEEKDAYS.index(day) for day in duty.on} or {0}
        yield from (day for day in _each_day(first, last) if day.weekday() in wanted)
    else:
        yield from _in_periods(duty, first, last)


def _in_periods(duty: Round, first: date, last: date) -> Iterator[date]:
    months = _MONTHS[duty.every]
    index = (first.year * 12 + first.month - 1) // months * months
    while (begin := _month(index)) <= last:
        end = _month(index + months) - timedelta(days=1)
        for written in duty.on or ("1",):
            yield from (day for day in _named(written, begin, end) if first <= day <= last)
        index += months


def _named(written: str, begin: date, end: date) -> Iterator[date]:
    """The days of one period that the text means."""
    if written == "end":
        yield end
    elif written in _WEEKDAYS:
        yield from (day for day in _each_day(begin, end) if day.weekday() == _WEEKDAYS.index(written))
    elif "-" in written:
        month, day = (int(part) for part in written.split("-"))
        yield _day_of(begin.year, month, day)
    else:
        yield _day_of(begin.year, begin.month, int(written))


def _day_of(year: int, month: int, day: int) -> date:
    last = _month(year * 12 + month) - timedelta(days=1)
    return date(year, month, min(day, last.day))


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def _each_day(first: date, last: date) -> Iterator[date]:
    for ahead in range((last - first).days + 1):
        yield first + timedelta(days=ahead)


def _moved(day: date, rule: str, works: WorkingDay) -> date:
    step = {"next": 1, "previous": -1}.get(rule)
    if step is None:
        return day
    for ahead in range(_LONGEST_HOLIDAY):
        if works(day + timedelta(days=step * ahead)):
            return day + timedelta(days=step * ahead)
    return day


def _monday_to_friday(day: date) -> bool:
    return day.weekday() < _WEEKDAYS.index("sat")
