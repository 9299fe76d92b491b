"""How far apart batches begin: what a transaction costs, here and in every service after this one, is paid by batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.runtime.clock import monotonic

HURRIED_S: Final = 0.01
UNHURRIED_S: Final = 0.1
"""For what nobody waits for. Longer ones do not help: what is on its way stands behind a larger batch."""


class BatchClock:
    """When the next batch may begin: `interval` seconds after the last one began. For one loop.

    A lone item after a pause is never held up; of a steady stream the batches are as large as what came meanwhile.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next_at = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the next batch may begin."""
        return max(0.0, self._next_at - monotonic())

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Around the work of one batch."""
        self._next_at = monotonic() + self._interval
        yield
