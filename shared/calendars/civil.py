"""Days and months of a time zone, worked or not: what needs no list of days and is never provisional."""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.calendars.zones import instant_of, micros, midnight
from shared.plans.time_spec import Basis

PLAIN: Final = Basis()
"""Day 0 is not counted and the last day ends at 24:00."""
EndOfDay = Callable[[date, Basis], datetime]


class CalendarHorizonError(ValueError):
    """An instant lies outside the years of a calendar: nothing can be said about it."""


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """24:00 of a date in this zone, UTC."""
    return instant_of(midnight(day + timedelta(days=1), zone))


def add_months(start: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same day and time of day so many months later in this zone, UTC, the day clamped to the month's end.

    A time of day that is skipped there is read with the offset before the change. Raises CalendarHorizonError beyond
    year 9999.
    """
    local = start.astimezone(zone)
    try:
        return _at_time_of(local, _months_later(local.date(), months))
    except (ValueError, OverflowError) as error:
        raise _too_far(start, f"{months} months") from error


def end_of_months(start: datetime, months: int, zone: ZoneInfo, basis: Basis, ends: EndOfDay) -> datetime:
    """When a limit of so many calendar months ends, UTC; `ends` says when a date does. Raises CalendarHorizonError."""
    if basis.ends == "same-time":
        return add_months(start, months, zone)
    try:
        last = _months_later(start.astimezone(zone).date(), months)
        if basis.day_zero == "before":
            last -= timedelta(days=1)
        return ends(last, basis)
    except (ValueError, OverflowError) as error:
        raise _too_far(start, f"{months} months") from error


def end_of_days(start: datetime, days: int, zone: ZoneInfo, basis: Basis, ends: EndOfDay) -> datetime:
    """When a limit of so many calendar days ends, UTC; 0 is the day of `start`. Raises CalendarHorizonError."""
    local = start.astimezone(zone)
    try:
        if basis.ends == "same-time":
            return _at_time_of(local, local.date() + timedelta(days=days))
        counted = max(0, days - 1) if basis.day_zero == "before" else days
        return ends(local.date() + timedelta(days=counted), basis)
    except (ValueError, OverflowError) as error:
        raise _too_far(start, f"{days} days") from error


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _at_time_of(local: datetime, day: date) -> datetime:
    shown = time(local.hour, local.minute, local.second, local.microsecond, fold=local.fold)
    return instant_of(micros(datetime.combine(day, shown, local.tzinfo)))


def _too_far(start: datetime, length: str) -> CalendarHorizonError:
    return CalendarHorizonError(f"{length} after {start.isoformat()} is beyond any calendar")
