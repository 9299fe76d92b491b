"""Time enters the product here and nowhere else."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, Protocol

from shared.runtime.logging import get_logger

_log: Final = get_logger(__name__)


class Clock(Protocol):
    """A source of time. `now` is aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SteadyClock:
    """A clock that never runs backwards, so that nothing that has begun ends before its beginning.

    When the clock under it steps back a little, it goes on at half the pace of real time until the other has caught
    up. A step of more than `BELIEVED` is taken over at once and logged as an error: the clock was wrong before, and
    standing still that long would be worse. Steps forward are taken over.
    """

    BELIEVED: ClassVar[timedelta] = timedelta(minutes=5)

    def __init__(self, wall: "Clock | None" = None, ticks: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall or SystemClock()
        self._ticks = ticks
        self._seen = self._wall.now()
        self._seen_at = ticks()

    def now(self) -> datetime:
        wall, ticks = self._wall.now(), self._ticks()
        if wall < self._seen:
            behind = self._seen - wall
            if behind > self.BELIEVED:
                _log.error("clock.stepped_back", seconds=behind.total_seconds())
            else:
                wall = self._seen + timedelta(seconds=max(0.0, ticks - self._seen_at) / 2)
        self._seen, self._seen_at = wall, ticks
        return wall


def monotonic() -> float:
    """Seconds for measuring durations inside one process; unaffected by clock changes."""
    return time.monotonic()
