"""Batches begin an interval apart."""

import pytest

from shared.runtime import batch_interval
from shared.runtime.batch_interval import BatchClock


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of a clock that only the test moves."""
    seconds = [1000.0]
    monkeypatch.setattr(batch_interval, "monotonic", lambda: seconds[0])
    return seconds


def _work(clock: BatchClock, now: list[float], seconds: float) -> float:
    with clock.batch():
        now[0] += seconds
    return clock.wait


def test_the_first_batch_waits_for_nothing(now: list[float]) -> None:
    assert BatchClock(0.5).wait == 0.0


def test_the_interval_counts_from_the_beginning_of_the_last_batch(now: list[float]) -> None:
    assert _work(BatchClock(0.5), now, 0.1) == pytest.approx(0.4)


def test_a_batch_that_took_longer_than_the_interval_is_followed_at_once(now: list[float]) -> None:
    assert _work(BatchClock(0.5), now, 0.7) == 0.0


def test_after_a_pause_nothing_is_held_up(now: list[float]) -> None:
    clock = BatchClock(0.5)
    _work(clock, now, 0.1)
    now[0] += 0.4
    assert clock.wait == pytest.approx(0.0)


def test_a_batch_that_fails_counts_as_one(now: list[float]) -> None:
    clock = BatchClock(0.5)
    with pytest.raises(RuntimeError), clock.batch():
        raise RuntimeError
    assert clock.wait == pytest.approx(0.5)
