"""Time that moves only when a test says so."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Starts at a fixed instant; `advance` moves it."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    def set(self, now: datetime) -> None:
        self._now = now
