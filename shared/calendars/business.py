"""A business calendar, compiled: every operation is a search among whole numbers in UTC, whatever the zone does."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from shared.calendars.civil import PLAIN, CalendarHorizonError, end_of_day
from shared.calendars.days import Day, DayTable
from shared.calendars.measures import DayEnds, HorizonError, Measure
from shared.calendars.model import CalendarFile, OverlayFile, YearFile, YearStatus
from shared.calendars.pieces import WORKING_DAY, hour_pieces, share_pieces, wall_pieces
from shared.calendars.zones import EPOCH, MICROSECOND, instant_of, micros, midnight, stretches
from shared.plans.time_spec import Basis

YEARS_AHEAD: Final = 12
"""Years after the last one listed that are compiled, so that the longest limit of a plan ends inside."""
_new_due: Final = tuple.__new__
"""A NamedTuple from its fields, at half the cost of calling it."""
Answer = TypeVar("Answer")


class Due(NamedTuple):
    """An instant, UTC. `provisional`: it rests on a year whose official list is not published."""

    at: datetime
    provisional: bool


class BusinessCalendar:
    """Working days and hours of one calendar in one zone, with what one organisation does differently.

    `identity` names calendar and content: two with equal identity answer alike. Instants in must be aware; instants
    out are UTC. Working time is what the wall clock of the zone shows inside the day's spans, so an hour that is
    skipped is not worked and one that is repeated is worked twice. Every operation raises CalendarHorizonError for
    what lies outside `begins` to `ends`.
    """

    def __init__(
        self,
        calendar: CalendarFile,
        years: Sequence[YearFile],
        overlay: OverlayFile | None = None,
        *,
        zone: str | None = None,
        years_ahead: int = YEARS_AHEAD,
    ) -> None:
        """`zone` replaces the calendar's own; `years_ahead` of the last one listed are taken in.

        Raises ValueError for a calendar that lists no year or has no hours.
        """
        if not years:
            raise ValueError(f"calendar '{calendar.calendar}' lists no year")
        self.name = calendar.calendar
        self.file = calendar
        self.overlay = overlay
        self.table = DayTable(calendar, years, overlay)
        self.zone = ZoneInfo(zone or calendar.timezone)
        self.identity = _identity(calendar, years, overlay, self.zone.key)
        self.first_year = min(self.table.years)
        self.last_year = max(self.table.years) + years_ahead
        self._begins = midnight(date(self.first_year, 1, 1), self.zone)
        self._ends = midnight(date(self.last_year + 1, 1, 1), self.zone)
        self._year_starts = [midnight(date(year, 1, 1), self.zone) for year in self._years()]
        unsure = (self.table.status(year) is not YearStatus.PUBLISHED for year in self._years())
        self._unsure_before = list(accumulate(unsure, initial=0))
        self._sure_from, self._sure_until = self._sure_span()
        days = list(self._days())
        self._day_starts = [midnight(day.date, self.zone) for day in days]
        self._spans = [
            (day, stretches(day.date, start, end, self.zone))
            for day, start, end in zip(days, self._day_starts, [*self._day_starts[1:], self._ends], strict=True)
            if day.works
        ]
        self._hours = Measure(hour_pieces(self._spans), self._begins, self._ends)

    @cached_property
    def _shares(self) -> Measure:
        return Measure(share_pieces(self._spans), self._begins, self._ends)

    @cached_property
    def _walls(self) -> Measure:
        return Measure(wall_pieces(self._spans), self._begins, self._ends)

    @cached_property
    def _share_ends(self) -> DayEnds:
        return DayEnds(self._shares, [*self._day_starts, self._ends], WORKING_DAY)

    @cached_property
    def _wall_ends(self) -> DayEnds:
        return DayEnds(self._walls, [*self._day_starts, self._ends], WORKING_DAY)

    def _days_by(self, basis: Basis) -> Measure:
        return self._shares if basis.ends == "end-of-hours" else self._walls

    def _sure_span(self) -> tuple[int, int]:
        """The latest unbroken run of published years, so that the usual question costs two comparisons."""
        sure = [year for year in self._years() if self.table.status(year) is YearStatus.PUBLISHED]
        if not sure:
            return self._begins, self._begins
        first = last = max(sure)
        while self.table.status(first - 1) is YearStatus.PUBLISHED:
            first -= 1
        return midnight(date(first, 1, 1), self.zone), midnight(date(last + 1, 1, 1), self.zone)

    def _years(self) -> range:
        return range(self.first_year, self.last_year + 1)

    def _days(self) -> Iterator[Day]:
        day, end = date(self.first_year, 1, 1), date(self.last_year + 1, 1, 1)
        while day < end:
            yield self.table.day(day)
            day += timedelta(days=1)

    @property
    def begins(self) -> datetime:
        return instant_of(self._begins)

    @property
    def ends(self) -> datetime:
        return instant_of(self._ends)

    def local(self, instant: datetime) -> datetime:
        """The instant as the calendar's wall clock shows it."""
        return instant.astimezone(self.zone)

    def unsure(self, start: datetime, end: datetime) -> bool:
        """Whether any year between two instants, those of the instants included, is not published."""
        return self._unsure(micros(start), micros(end))

    def _unsure(self, start: int, end: int) -> bool:
        if self._sure_from <= start and end <= self._sure_until:
            return False
        starts, before = self._year_starts, self._unsure_before
        first = max(1, bisect_right(starts, start))
        # The end of a year's last day is midnight of the next: it does not reach into that one.
        last = max(first, bisect_right(starts, end - 1))
        return before[last] > before[first - 1]

    def is_working(self, instant: datetime) -> bool:
        """Whether the wall clock is inside working hours; the end of a span is no longer inside."""
        return self._within(self._hours.rising, micros(instant))

    def next_working(self, instant: datetime) -> Due:
        """The instant itself in working hours, else the beginning of the next."""
        start = micros(instant)
        found = self._within(self._hours.next_rise, start)
        return Due(instant_of(found), self._unsure(start, found + 1))

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two instants; nothing when `end` is not after `start`."""
        return timedelta(microseconds=self.working_micros(start, end))

    def working_micros(self, start: datetime, end: datetime) -> int:
        """Working time between two instants in microseconds; 0 when `end` is not after `start`."""
        try:
            return self._hours.between(micros(start), micros(end))
        except HorizonError as error:
            raise self._beyond(error) from error

    def add_working_micros(self, start: datetime, amount: int) -> Due:
        """The first instant by which this much working time has passed since `start`."""
        return self._reached(self._hours, start, amount)

    def add_working_time(self, start: datetime, length: timedelta) -> Due:
        """The first instant by which this much working time has passed since `start`."""
        return self.add_working_micros(start, length // timedelta(microseconds=1))

    def counting_from(self, start: datetime, basis: Basis = PLAIN) -> datetime:
        """From when a limit in working days that begins at `start` is counted.

        Day 0 is left out: from the end of the day of `start`; counted in: from its beginning. To the same time of
        day: from `start` itself.
        """
        return instant_of(self._counting_from(micros(start), basis))

    def _counting_from(self, start: int, basis: Basis) -> int:
        if basis.ends == "same-time":
            return start
        if start < self._begins or start >= self._ends:
            raise self._beyond(HorizonError(start))
        index = bisect_right(self._day_starts, start)
        if basis.day_zero == "before":
            return self._day_starts[index - 1]
        return self._day_starts[index] if index < len(self._day_starts) else self._ends

    def working_day_units(self, start: datetime, end: datetime, basis: Basis = PLAIN) -> int:
        """Working days between two instants in parts of WORKING_DAY, without regard to `counting_from`.

        A day that ends with its hours is spent evenly over them, any other evenly over the wall clock.
        """
        try:
            return self._days_by(basis).between(micros(start), micros(end))
        except HorizonError as error:
            raise self._beyond(error) from error

    def add_working_day_units(self, start: datetime, units: int, basis: Basis = PLAIN) -> Due:
        """The first instant by which these parts of working days have passed, without regard to `counting_from`."""
        return self._reached(self._days_by(basis), start, units)

    def add_working_days(self, start: datetime, days: int, basis: Basis = PLAIN) -> Due:
        """When a limit of so many working days ends.

        To the same time of day, a start on a day off counts from the beginning of the next working day.
        """
        begin = micros(start)
        if basis.ends == "same-time":
            return self._end(self._walls, begin, begin, days * WORKING_DAY)
        if begin < self._begins or begin >= self._ends:
            raise self._beyond(HorizonError(begin))
        ends = self._share_ends if basis.ends == "end-of-hours" else self._wall_ends
        # Whole days between two midnights need no measure: the day's number leads to its end.
        index = bisect_right(self._day_starts, begin) - (basis.day_zero == "before")
        last = ends.numbers[index] + days
        if last > len(ends.ends):
            raise self._beyond(HorizonError(self._ends + 1))
        at = ends.ends[last - 1] if days > 0 else begin
        sure = self._sure_from <= begin and at <= self._sure_until
        return _new_due(Due, (EPOCH + at * MICROSECOND, not sure and self._unsure(begin, at)))

    def working_days_of(self, year: int) -> int:
        """How many working days a year has."""
        first = date(year, 1, 1)
        dates = (first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days))
        return sum(self.table.day(day).works for day in dates)

    def begin_of_day(self, day: date) -> datetime:
        """00:00 of a date, UTC."""
        return instant_of(midnight(day, self.zone))

    def end_of_day(self, day: date, basis: Basis = PLAIN) -> datetime:
        """When a date ends: at 24:00, or with its hours where it has any and `basis` says so."""
        hours = self.table.day(day).hours if basis.ends == "end-of-hours" else ()
        if hours:
            local = datetime.combine(day, time(), self.zone) + timedelta(minutes=hours[-1][1])
            return instant_of(micros(local))
        return end_of_day(day, self.zone)

    def _reached(self, measure: Measure, start: datetime, amount: int) -> Due:
        begin = micros(start)
        return self._end(measure, begin, begin, amount)

    def _end(self, measure: Measure, begin: int, counted_from: int, amount: int) -> Due:
        try:
            at = measure.reached(counted_from, amount)
        except HorizonError as error:
            raise self._beyond(error) from error
        # The usual question, answered in place: this is on the path of every deadline.
        sure = self._sure_from <= begin and at <= self._sure_until
        return _new_due(Due, (EPOCH + at * MICROSECOND, not sure and self._unsure(begin, at)))

    def _within(self, ask: Callable[[int], Answer], at: int) -> Answer:
        try:
            return ask(at)
        except HorizonError as error:
            raise self._beyond(error) from error

    def _beyond(self, error: HorizonError) -> CalendarHorizonError:
        return CalendarHorizonError(
            f"calendar '{self.name}' covers {self.first_year} to {self.last_year}; {_shown(error.args[0])} is outside"
        )


def _identity(calendar: CalendarFile, years: Sequence[YearFile], overlay: OverlayFile | None, zone: str) -> str:
    digest = hashlib.sha256(zone.encode())
    for part in (calendar, *sorted(years, key=lambda year: year.year), overlay):
        digest.update(b"\n")
        digest.update(part.model_dump_json(by_alias=True).encode() if part is not None else b"-")
    return f"{calendar.calendar}@{digest.hexdigest()[:16]}"


def _shown(at: int) -> str:
    try:
        return instant_of(at).isoformat()
    except OverflowError:
        return f"{at} µs since 1970"
