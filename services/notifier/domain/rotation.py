"""Whose turn it is: shifts of days, weeks or parts of a day, handed over at wall-clock times of a time zone.

A hand-over is an instant (see `roster_wall_time`): at a change to summer time a shift lasts an hour less or more, and
nobody's turn is skipped or doubled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.notifier.domain.roster_wall_time import local_day, takes_place

_DAYS_A_WEEK = 7


class Period(StrEnum):
    """Unit of a rotation's shifts."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Turns follow each other in order; the first one's first shift begins on `start` at the first hand-over.

    A shift lasts `length` periods. With several `handovers` (ascending) every one of them ends a shift: three of them
    make three shifts a day, and `length` is one day. A turn is one person or several together.
    """

    id: str
    every: Period
    start: date
    handovers: tuple[time, ...]
    zone: ZoneInfo
    turns: tuple[tuple[str, ...], ...]
    length: int = 1

    @property
    def shift_days(self) -> int:
        return self.length * (_DAYS_A_WEEK if self.every is Period.WEEK else 1)


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
    days = (local_day(instant, rotation.zone) - rotation.start).days + 1
    number = (days // rotation.shift_days + 1) * len(rotation.handovers) - 1
    while number >= 0 and _handover(rotation, number) > instant:
        number -= 1
    return number


def _handover(rotation: Rotation, number: int) -> datetime:
    times = rotation.handovers
    day = rotation.start + timedelta(days=number // len(times) * rotation.shift_days)
    return takes_place(day, times[number % len(times)], rotation.zone)
