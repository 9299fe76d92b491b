"""Why a limit ends when it does: every day between, which of them counted, and what each rests on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.calendars.business import BusinessCalendar, Due
from shared.calendars.days import Day
from shared.plans.time_spec import Basis


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One date of a limit. `number` is which working day of it this is; None for one that does not count.

    `first` marks the day of the start. `worked` is the working time of the limit on that date.
    """

    day: Day
    number: int | None
    first: bool
    worked: timedelta

    @property
    def date(self) -> date:
        return self.day.date


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """Successive dates of one kind, name and answer: what a person reads as one line."""

    days: tuple[CountedDay, ...]

    @property
    def first(self) -> CountedDay:
        return self.days[0]

    @property
    def last(self) -> CountedDay:
        return self.days[-1]


def counted_days(calendar: BusinessCalendar, start: datetime, due: Due, basis: Basis | None) -> Iterator[CountedDay]:
    """Every date from the start to the end; working days are numbered by `basis`, with None nothing is numbered.

    To the same time of day the day of the start counts in part, and so has no number of its own.
    """
    first = calendar.local(start).date()
    last = calendar.local(due.at - timedelta(microseconds=1)).date() if due.at > start else first
    number, day = 0, first
    while day <= last:
        info = calendar.table.day(day)
        begins = max(start, calendar.begin_of_day(day))
        ends = min(due.at, calendar.begin_of_day(day + timedelta(days=1)))
        counts = basis is not None and info.works and (day != first or basis.day_zero == "before")
        number += counts
        yield CountedDay(info, number if counts else None, day == first, calendar.working_time(begins, ends))
        day += timedelta(days=1)


def counted_spans(days: Iterator[CountedDay]) -> Iterator[CountedSpan]:
    """The same, successive days of one kind together."""
    together: list[CountedDay] = []
    for day in days:
        if together and not _alike(together[-1], day):
            yield CountedSpan(tuple(together))
            together = []
        together.append(day)
    if together:
        yield CountedSpan(tuple(together))


def _alike(one: CountedDay, two: CountedDay) -> bool:
    same = (one.day.kind, one.day.name, one.day.status, one.day.own) == (
        two.day.kind, two.day.name, two.day.status, two.day.own,
    )  # fmt: skip
    return same and not one.first and not two.first and (one.number is None) == (two.number is None)
