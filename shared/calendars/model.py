"""What stands in a calendar's files: its week, its years, and what an organisation does differently.

A calendar is a folder: `calendar.yaml` with zone and hours, `years/<year>.yaml` with the official list of one year, and
`organisations/<organisation>.yaml` with days and hours of its own.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.contracts.values import Slug
from shared.plans.words import Words

MINUTES_OF_DAY: Final = 24 * 60
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
_LONGEST_SPAN: Final = timedelta(days=31)


class YearStatus(StrEnum):
    """How far a year can be relied upon."""

    PUBLISHED = "published"  # the official list is known
    PREDICTED = "predicted"  # days the law fixes, computed; what the official list moves is not known yet
    MISSING = "missing"  # nothing is known: the plain week


class CalendarModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _date(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"'{value[:20]}' is not a date such as 2026-02-14") from error
    return value


def checked_zone(name: str) -> str:
    """The name when it is a zone of the IANA database. Raises ValueError otherwise: a clock never guesses its zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name[:60]}' is not a time zone of the IANA database") from error
    return name


def parse_window(text: str) -> tuple[int, int]:
    """`09:00-12:00` as minutes of the day. Raises ValueError for what is no span of time within one day."""
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"'{text[:20]}' is not a span such as 09:00-12:00")
    opens, closes = _minutes(start, text), _minutes(end, text)
    if closes <= opens:
        hint = "; a shift past midnight is two spans, until 24:00 and from 00:00 of the next day" if closes else ""
        raise ValueError(f"'{text}' ends before it begins or has no length{hint}")
    return opens, closes


def _minutes(text: str, whole: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    if len(hours) == len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit():  # noqa: PLR2004  # HH:MM
        found = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and found <= MINUTES_OF_DAY:  # noqa: PLR2004  # minutes of an hour
            return found
    raise ValueError(f"'{whole[:20]}' is not a span such as 09:00-12:00")


def _checked_windows(texts: tuple[str, ...]) -> tuple[str, ...]:
    spans = sorted(parse_window(text) for text in texts)
    if any(second[0] < first[1] for first, second in pairwise(spans)):
        raise ValueError("spans of one day overlap")
    return texts


Date = Annotated[date, BeforeValidator(_date)]
Zone = Annotated[str, AfterValidator(checked_zone)]
Windows = Annotated[tuple[str, ...], AfterValidator(_checked_windows), Field(max_length=24)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class DaySpec(CalendarModel):
    """One date, or a span of dates, that is not as its weekday says.

    `hours` replaces the hours of a working day: special hours on a usual one, or those of a make-up day.
    """

    on: Annotated[Date | None, Field(alias="date")] = None
    first: Annotated[Date | None, Field(alias="from")] = None
    until: Date | None = None
    kind: Annotated[Literal["off", "work"], Field(alias="is")]
    name: Text
    hours: Windows = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.on is None) == (self.first is None) or (self.first is None) != (self.until is None):
            raise ValueError("give either 'date', or 'from' and 'until'")
        if self.first is not None and self.until is not None:
            if self.until < self.first:
                raise ValueError("'until' is before 'from'")
            if self.until - self.first > _LONGEST_SPAN:
                raise ValueError(f"a span is longer than {_LONGEST_SPAN.days} days")
        if self.kind == "off" and self.hours:
            raise ValueError("a day off has no hours")
        return self

    def dates(self) -> Iterator[date]:
        """Every date it names."""
        first, last = self.on or self.first, self.on or self.until
        while first is not None and last is not None and first <= last:
            yield first
            first += timedelta(days=1)


def doubled(days: Iterable[DaySpec]) -> date | None:
    """The first date named twice."""
    seen: set[date] = set()
    for spec in days:
        for day in spec.dates():
            if day in seen:
                return day
            seen.add(day)
    return None


class YearFile(CalendarModel):
    """The official list of one year, or what is foreseen of it."""

    model_config = ConfigDict(title="Fenghuo calendar year")

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR, strict=True)]
    status: Literal[YearStatus.PUBLISHED, YearStatus.PREDICTED]
    source: Annotated[str, Field(min_length=8, max_length=500, description="Where the list was published")]
    days: Annotated[tuple[DaySpec, ...], Field(max_length=200)]

    @model_validator(mode="after")
    def _is_its_year(self) -> Self:
        for spec in self.days:
            for day in spec.dates():
                # A list may move days of the December before it, as that of 2012 did.
                if day.year != self.year and (day.year, day.month) != (self.year - 1, 12):
                    raise ValueError(f"{day} is not in {self.year}")
        twice = doubled(self.days)
        if twice is not None:
            raise ValueError(f"{twice} stands twice")
        return self


class Week(CalendarModel):
    """Working hours of each weekday; a weekday that is left out is a day off."""

    mon: Windows = ()
    tue: Windows = ()
    wed: Windows = ()
    thu: Windows = ()
    fri: Windows = ()
    sat: Windows = ()
    sun: Windows = ()

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if not any(self.of(weekday) for weekday in range(7)):
            raise ValueError("a week without a single working hour: no limit could ever end")
        return self

    def of(self, weekday: int) -> tuple[str, ...]:
        """Hours of a weekday, Monday is 0."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)[weekday]


class CalendarFile(CalendarModel):
    """Zone and hours. `make_up_hours`: of a day off that is worked; absent: those of Monday."""

    model_config = ConfigDict(title="Fenghuo calendar")

    calendar: Slug
    title: Words
    timezone: Zone
    week: Week
    make_up_hours: Windows = ()
    alarm: Annotated[
        str,
        Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])$", description="From this day the next year must be there"),
    ] = "12-01"

    @model_validator(mode="after")
    def _make_up_days_have_hours(self) -> Self:
        if not self.make_up_hours and not self.week.mon:
            raise ValueError("give 'make_up_hours': Monday has no hours to take over")
        return self


class OverlayFile(CalendarModel):
    """What one organisation does differently. Its days win over those of the calendar."""

    model_config = ConfigDict(title="Fenghuo calendar overlay")

    organisation: Slug
    calendar: Slug
    week: Week | None = None
    make_up_hours: Windows = ()
    days: Annotated[tuple[DaySpec, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _names_each_day_once(self) -> Self:
        twice = doubled(self.days)
        if twice is not None:
            raise ValueError(f"{twice} stands twice")
        return self
