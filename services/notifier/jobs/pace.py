"""How many messages a channel may still send this second."""

from dataclasses import dataclass, field


@dataclass
class Pace:
    """At most `per_second` in any second on average, with bursts of one second's worth. 0: no limit."""

    per_second: float
    _left: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._left = max(1.0, self.per_second)

    def allowance(self, now: float) -> int | None:
        """Messages allowed at `now` (monotonic seconds). None: as many as one likes."""
        if self.per_second <= 0:
            return None
        if self._at is not None:
            self._left = min(max(1.0, self.per_second), self._left + (now - self._at) * self.per_second)
        self._at = now
        return int(self._left)

    def take(self, count: int) -> None:
        """So many were sent."""
        if self.per_second > 0:
            self._left -= count

    def wait(self) -> float:
        """Seconds until at least one more is allowed."""
        return 0.0 if self.per_second <= 0 or self._left >= 1 else (1 - self._left) / self.per_second
