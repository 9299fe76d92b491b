"""A business calendar, compiled: every operation is a search among whole numbers in UTC, whatever the zone does."""

import hashlib
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from shared.calendars.days import Day, DayTable
from shared.calendars.measures import HorizonError, Measure, Piece
from shared.calendars.model import CalendarFile, Counting, DueRule, FirstDay, OverlayFile, YearFile, YearStatus
from shared.calendars.zones import DAY, MINUTE, Stretch, instant_of, micros, midnight, stretches

YEARS_AHEAD: Final = 12
"""Years after the last one listed that are compiled, so that the longest limit of a plan ends inside."""
WORKING_DAY: Final = DAY
"""One working day in units of the measure of working days."""


Answer = TypeVar("Answer")
Worked = tuple[Day, tuple[Stretch, ...]]
"""A working day with the stretches of time it is made of."""


class CalendarHorizonError(ValueError):
    """An instant lies outside the years of a calendar: nothing can be said about it."""


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
        self.counting: Counting = (overlay.counting if overlay is not None else None) or calendar.counting
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
        spans = [
            (day, stretches(day.date, start, end, self.zone))
            for day, start, end in zip(days, self._day_starts, [*self._day_starts[1:], self._ends], strict=True)
            if day.works
        ]
        self._hours = Measure(_hour_pieces(spans), self._begins, self._ends)
        pieces = _wall_pieces if self.counting.due is not DueRule.CLOSE else _share_pieces
        self._working_days = Measure(pieces(spans), self._begins, self._ends)

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

    def counting_from(self, start: datetime) -> datetime:
        """From when a limit in working days that begins at `start` is counted.

        Without the first day: from the end of that day. With it: from its beginning. To the same time of day: from
        `start`.
        """
        return instant_of(self._counting_from(micros(start)))

    def _counting_from(self, start: int) -> int:
        if self.counting.due is DueRule.SAME_TIME:
            return start
        if not self._begins <= start < self._ends:
            raise self._beyond(HorizonError(start))
        index = bisect_right(self._day_starts, start)
        if self.counting.first_day is FirstDay.COUNTED:
            return self._day_starts[index - 1]
        return self._day_starts[index] if index < len(self._day_starts) else self._ends

    def working_day_units(self, start: datetime, end: datetime) -> int:
        """Working days between two instants in parts of WORKING_DAY, without regard to `counting_from`.

        A day that ends at its close is spent evenly over its working hours, any other evenly over the wall clock.
        """
        try:
            return self._working_days.between(micros(start), micros(end))
        except HorizonError as error:
            raise self._beyond(error) from error

    def add_working_day_units(self, start: datetime, units: int) -> Due:
        """The first instant by which these parts of working days have passed, without regard to `counting_from`."""
        return self._reached(self._working_days, start, units)

    def add_working_days(self, start: datetime, days: int) -> Due:
        """When a limit of so many working days ends, by the calendar's own rule of first and last day."""
        begin = micros(start)
        try:
            at = self._working_days.reached(self._counting_from(begin), days * WORKING_DAY)
        except HorizonError as error:
            raise self._beyond(error) from error
        return Due(instant_of(at), self._unsure(begin, at))

    def add_months(self, start: datetime, months: int) -> datetime:
        """The same day and time of day so many months later, the day clamped to the month's end.

        A time of day that is skipped there is read with the offset before the change; one that comes twice is the
        first. Needs no list of days, so it is never provisional. Raises CalendarHorizonError beyond year 9999.
        """
        return add_months(start, months, self.zone)

    def end_of_calendar_day(self, start: datetime, days: int) -> datetime:
        """24:00 of the so-many-th day after the day of `start`, on the wall clock; every day counts."""
        return end_of_calendar_day(start, days, self.zone)

    def _reached(self, measure: Measure, start: datetime, amount: int) -> Due:
        begin = micros(start)
        try:
            at = measure.reached(begin, amount)
        except HorizonError as error:
            raise self._beyond(error) from error
        return Due(instant_of(at), self._unsure(begin, at))

    def _within(self, ask: Callable[[int], Answer], at: int) -> Answer:
        try:
            return ask(at)
        except HorizonError as error:
            raise self._beyond(error) from error

    def _beyond(self, error: HorizonError) -> CalendarHorizonError:
        return CalendarHorizonError(
            f"calendar '{self.name}' covers {self.first_year} to {self.last_year}; {_shown(error.args[0])} is outside"
        )


def add_months(start: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same day and time of day so many months later in this zone, UTC, the day clamped to the month's end."""
    local = start.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    try:
        day = min(local.day, monthrange(year, month + 1)[1])
        later = datetime(
            year,
            month + 1,
            day,
            local.hour,
            local.minute,
            local.second,
            local.microsecond,
            tzinfo=zone,
            fold=local.fold,
        )
        return instant_of(micros(later))
    except (ValueError, OverflowError) as error:
        raise CalendarHorizonError(f"{months} months after {start.isoformat()} is beyond the calendar") from error


def end_of_calendar_day(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """24:00 of the so-many-th day after the day of `start` in this zone, UTC. Raises CalendarHorizonError."""
    try:
        return instant_of(midnight(start.astimezone(zone).date() + timedelta(days=days + 1), zone))
    except (ValueError, OverflowError) as error:
        raise CalendarHorizonError(f"{days} days after {start.isoformat()} is beyond the calendar") from error


def _hour_pieces(days: Sequence[Worked]) -> Iterator[Piece]:
    """Working time in microseconds: every microsecond inside working hours is one."""
    count = 0
    for day, spans in days:
        for start, end in _hours(day, spans):
            yield Piece(start, end, count, count + end - start)
            count += end - start


def _share_pieces(days: Sequence[Worked]) -> Iterator[Piece]:
    """Working days, each spent evenly over its working hours: it ends when they do."""
    count = 0
    for day, spans in days:
        worked = _hours(day, spans)
        length = sum(end - start for start, end in worked)
        done = 0
        for start, end in worked:
            low = WORKING_DAY * done // length
            done += end - start
            yield Piece(start, end, count + low, count + WORKING_DAY * done // length)
        if worked:
            count += WORKING_DAY


def _wall_pieces(days: Sequence[Worked]) -> Iterator[Piece]:
    """Working days, each from 00:00 to 24:00: equal times of day on two of them lie whole days apart.

    An hour that is skipped is jumped over, one that is repeated is counted the first time.
    """
    count = 0
    for _, spans in days:
        reached = 0
        for start, end, wall in spans:
            repeated = max(0, reached - wall)
            if start + repeated < end:
                low, high = wall + repeated, min(wall + end - start, WORKING_DAY)
                yield Piece(start + repeated, end, count + low, count + high)
                reached = high
        count += WORKING_DAY


def _hours(day: Day, spans: tuple[Stretch, ...]) -> list[tuple[int, int]]:
    """Working hours of a day as instants, in order."""
    found = []
    for start, end, wall in spans:
        for opens, closes in day.hours:
            begin = max(start, start + opens * MINUTE - wall)
            finish = min(end, start + closes * MINUTE - wall)
            if begin < finish:
                found.append((begin, finish))
    return found


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
