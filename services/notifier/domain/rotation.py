"""Whose turn it is: shifts of whole days or weeks, handed over at a wall-clock time of a time zone.

A hand-over is an instant: at a change to summer time a shift lasts 23 or 25 hours, and nobody's turn is skipped or
doubled. A hand-over time that a clock change skips takes place when the clocks have jumped; one that comes twice
takes place the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAYS_A_WEEK = 7


class Period(StrEnum):
    """Unit of a rotation's shifts."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Rotation:
    """People take turns in the order of `people`; the first one's first shift begins on `start` at `handover`.

    A shift lasts `length` periods.
    """

    id: str
    every: Period
    start: date
    handover: time
    zone: ZoneInfo
    people: tuple[str, ...]
    length: int = 1

    @property
    def shift_days(self) -> int:
        return self.length * (_DAYS_A_WEEK if self.every is Period.WEEK else 1)


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's turn, from `begins_at` until just before `ends_at` (UTC)."""

    person: str
    begins_at: datetime
    ends_at: datetime


def shift_at(rotation: Rotation, instant: datetime) -> Shift | None:
    """The shift that runs at `instant` (aware). None before the rotation's first shift."""
    today = instant.astimezone(rotation.zone).date()
    days = (today - rotation.start).days
    if instant < _handover(rotation, today):
        days -= 1
    if days < 0:
        return None
    number = days // rotation.shift_days
    begins_on = rotation.start + timedelta(days=number * rotation.shift_days)
    return Shift(
        person=rotation.people[number % len(rotation.people)],
        begins_at=_handover(rotation, begins_on),
        ends_at=_handover(rotation, begins_on + timedelta(days=rotation.shift_days)),
    )


def _handover(rotation: Rotation, day: date) -> datetime:
    # PEP 495: fold 0 is the first of two equal wall times, and moves a skipped one behind the gap.
    return datetime.combine(day, rotation.handover, rotation.zone).astimezone(UTC)
