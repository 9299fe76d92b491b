"""Calendars for tests: the shipped ones, and small ones from a few words."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shared.calendars.business import BusinessCalendar
from shared.calendars.library import CalendarLibrary
from shared.calendars.model import CalendarFile, OverlayFile, YearFile

CALENDARS = Path(__file__).resolve().parents[2] / "deploy" / "calendars"
OFFICE = ("09:00-12:00", "13:00-18:00")


@lru_cache(maxsize=1)
def shipped() -> CalendarLibrary:
    return CalendarLibrary.load(CALENDARS)


def china() -> BusinessCalendar:
    return shipped().get("china")


def calendar_file(*, zone: str = "Asia/Shanghai", hours: tuple[str, ...] = OFFICE, **more: Any) -> CalendarFile:
    week = more.pop("week", dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), hours))
    return CalendarFile.model_validate(
        {"calendar": "sample", "title": {"zh": "样例", "en": "Sample"}, "timezone": zone, "week": week, **more}
    )


def year_file(year: int, *days: dict[str, Any], status: str = "published") -> YearFile:
    return YearFile.model_validate(
        {"year": year, "status": status, "source": "https://example.org/list", "days": list(days)}
    )


def calendar(
    *days: dict[str, Any], year: int = 2026, overlay: dict[str, Any] | None = None, **more: Any
) -> BusinessCalendar:
    """A calendar of one published year with these days."""
    own = {"organisation": "org-a", "calendar": "sample", **overlay} if overlay is not None else None
    return BusinessCalendar(
        calendar_file(**more), [year_file(year, *days)], OverlayFile.model_validate(own) if own else None
    )


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    """`2026-02-14 10:00` on the wall clock of a zone; what is skipped or repeated is read the first way."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


class SlowCalendar:
    """Working time minute by minute, by looking at the wall clock. Knows nothing of how the product counts."""

    def __init__(
        self, zone: str, hours: dict[date, tuple[tuple[int, int], ...]], week: dict[int, tuple[tuple[int, int], ...]]
    ) -> None:
        self.zone = ZoneInfo(zone)
        self.hours = hours
        self.week = week

    def of(self, day: date) -> tuple[tuple[int, int], ...]:
        return self.hours.get(day, self.week.get(day.weekday(), ()))

    def working(self, minute: datetime) -> bool:
        local = minute.astimezone(self.zone)
        shown = local.hour * 60 + local.minute
        return any(opens <= shown < closes for opens, closes in self.of(local.date()))

    def minutes(self, start: datetime, end: datetime) -> int:
        found = 0
        while start < end:
            found += self.working(start)
            start += timedelta(minutes=1)
        return found

    def after(self, start: datetime, minutes: int) -> datetime:
        """When this many working minutes have passed; `start` is in UTC."""
        while minutes:
            minutes -= self.working(start)
            start += timedelta(minutes=1)
        return start

    def close_of_nth_day(self, start: datetime, days: int) -> datetime:
        """End of hours of the nth working day after the day of `start`."""
        day = start.astimezone(self.zone).date()
        while days:
            day += timedelta(days=1)
            days -= bool(self.of(day))
        closes = max(closes for _, closes in self.of(day))
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        if closes == 24 * 60:
            return midnight + timedelta(days=1)
        return midnight.replace(hour=closes // 60, minute=closes % 60)
