"""What each date is: a working day or not, why, with which hours, and how sure that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from shared.calendars.model import CalendarFile, DaySpec, OverlayFile, YearFile, YearStatus, parse_window

Span = tuple[int, int]
MONDAY: Final = 0


class DayKind(StrEnum):
    """Why a date is worked or not."""

    WORKDAY = "workday"
    WEEKEND = "weekend"  # a day without hours in the plain week
    HOLIDAY = "holiday"
    MAKE_UP = "make-up"  # a day off of the week that is worked
    SPECIAL = "special-hours"


@dataclass(frozen=True, slots=True)
class Day:
    """One date. `hours` are minutes of the day, in order; empty on a day off. `name` is why, as the list says it."""

    date: date
    kind: DayKind
    hours: tuple[Span, ...]
    name: str | None
    status: YearStatus
    own: bool = False

    @property
    def works(self) -> bool:
        return bool(self.hours)


class DayTable:
    """Answers for every date: an organisation's own days first, then the year's list, then the week."""

    def __init__(self, calendar: CalendarFile, years: Sequence[YearFile], overlay: OverlayFile | None = None) -> None:
        week = overlay.week if overlay is not None and overlay.week is not None else calendar.week
        make_up = (overlay.make_up_hours if overlay is not None else ()) or calendar.make_up_hours
        self._week = tuple(_spans(week.of(weekday)) for weekday in range(7))
        self._make_up = _spans(make_up) or self._week[MONDAY]
        self.years: Mapping[int, YearFile] = {year.year: year for year in years}
        self._listed = _by_date(spec for year in sorted(years, key=_of_year) for spec in year.days)
        self._own = _by_date(overlay.days) if overlay is not None else {}

    def status(self, year: int) -> YearStatus:
        found = self.years.get(year)
        return found.status if found is not None else YearStatus.MISSING

    def day(self, day: date) -> Day:
        """What this date is."""
        status = self.status(day.year)
        spec = self._own.get(day)
        own = spec is not None
        if spec is None:
            spec = self._listed.get(day)
        usual = self._week[day.weekday()]
        if spec is None:
            return Day(day, DayKind.WORKDAY if usual else DayKind.WEEKEND, usual, None, status)
        if spec.kind == "off":
            return Day(day, DayKind.HOLIDAY, (), spec.name, status, own)
        hours = _spans(spec.hours) or usual or self._make_up
        return Day(day, DayKind.SPECIAL if usual else DayKind.MAKE_UP, hours, spec.name, status, own)


def _of_year(year: YearFile) -> int:
    return year.year


def _spans(texts: Sequence[str]) -> tuple[Span, ...]:
    return tuple(sorted(parse_window(text) for text in texts))


def _by_date(specs: Iterable[DaySpec]) -> dict[date, DaySpec]:
    return {day: spec for spec in specs for day in spec.dates()}
