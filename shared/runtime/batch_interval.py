"""How far apart batches begin: what a transaction costs, here and in every service after this one, is paid by batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Final

from shared.runtime.clock import monotonic


@dataclass(frozen=True, slots=True)
class Interval:
    """From the beginning of a batch to the next: `times` as long as the batch took, at most `longest` seconds.

    A lone item after a pause is never held up. Of a steady stream the batches grow with what they cost: on an idle
    machine they follow each other closely, on a busy one they get larger instead of later.
    """

    longest: float
    times: float = inf


HURRIED: Final = Interval(0.02, times=3)
UNHURRIED: Final = Interval(0.1)


class BatchClock:
    """When the next batch may begin. For one loop."""

    def __init__(self, interval: Interval) -> None:
        self._interval = interval
        self._next_at = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the next batch may begin."""
        return max(0.0, self._next_at - monotonic())

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Around the work of one batch."""
        began = monotonic()
        try:
            yield
        finally:
            took = monotonic() - began
            self._next_at = began + min(self._interval.longest, self._interval.times * took)
