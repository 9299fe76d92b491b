"""Whose turn it is: shifts of days, weeks, months or parts of a day, handed over at wall-clock times of a time zone.

A hand-over is an instant (see `roster_wall_time`): at a change to summer time a shift lasts an hour less or more, and
nobody's turn is skipped or doubled.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.notifier.domain.roster_wall_time import local_day, takes_place

_DAYS = {"day": 1, "week": 7}
_MONTHS_A_YEAR = 12


class Period(StrEnum):
    """Unit of a rotation's shifts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Turns follow each other in order; the first one's first shift begins on `start` at the first hand-over.

    A shift lasts `length` periods. With several `handovers` (ascending) every one of them ends a shift: three of them
    make three shifts a day, and `length` is one day. A turn is one person or several together.

    Months begin on the day of the month on which `start` lies; one that is too short, on its last day.
    """

    id: str
    every: Period
    start: date
    handovers: tuple[time, ...]
    zone: ZoneInfo
    turns: tuple[tuple[str, ...], ...]
    length: int = 1


@dataclass(frozen=True, slots=True)
class Shift:
    """One turn, from `begins_at` until just before `ends_at` (UTC)."""

    people: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime


def shift_at(rotation: Rotation, instant: datetime) -> Shift | None:
    """The shift that runs at `instant` (aware). None before the rotation's first shift."""
    number = _number_at(rotation, instant)
    if number < 0:
        return None
    return Shift(
        rotation.turns[number % len(rotation.turns)],
        _handover(rotation, number),
        _handover(rotation, number + 1),
    )


def handovers_between(rotation: Rotation, begins_at: datetime, ends_at: datetime) -> Iterator[datetime]:
    """Every hand-over at or after `begins_at` and before `ends_at`, in order; the first one only begins."""
    number = max(0, _number_at(rotation, begins_at))
    while (moment := _handover(rotation, number)) < ends_at:
        if moment >= begins_at:
            yield moment
        number += 1


def _number_at(rotation: Rotation, instant: datetime) -> int:
    """The last hand-over at or before the instant; negative before the first."""
    number = (_rounds(rotation, local_day(instant, rotation.zone) + timedelta(days=1)) + 1) * len(
        rotation.handovers
    ) - 1
    while number >= 0 and _handover(rotation, number) > instant:
        number -= 1
    return number


def _handover(rotation: Rotation, number: int) -> datetime:
    times = rotation.handovers
    day = _first_day(rotation, number // len(times))
    return takes_place(day, times[number % len(times)], rotation.zone)


def _rounds(rotation: Rotation, day: date) -> int:
    """How many rounds of `length` periods have passed by the day, the month's being over when it begins."""
    if rotation.every is Period.MONTH:
        return (_month(day) - _month(rotation.start)) // rotation.length
    return (day - rotation.start).days // (rotation.length * _DAYS[rotation.every])


def _first_day(rotation: Rotation, number: int) -> date:
    if rotation.every is not Period.MONTH:
        return rotation.start + timedelta(days=number * rotation.length * _DAYS[rotation.every])
    year, month = divmod(_month(rotation.start) + number * rotation.length, _MONTHS_A_YEAR)
    return date(year, month + 1, min(rotation.start.day, monthrange(year, month + 1)[1]))


def _month(day: date) -> int:
    """Months since the year 0."""
    return day.year * _MONTHS_A_YEAR + day.month - 1
