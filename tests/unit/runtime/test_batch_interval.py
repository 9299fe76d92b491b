"""Batches begin apart by what they cost."""

import pytest

from shared.runtime import batch_interval
from shared.runtime.batch_interval import BatchClock, Interval


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
    assert BatchClock(Interval(0.5)).wait == 0.0


def test_the_next_batch_begins_some_times_as_late_as_the_last_one_took(now: list[float]) -> None:
    assert _work(BatchClock(Interval(0.5, times=3)), now, 0.1) == pytest.approx(0.2)


def test_and_not_later_than_the_longest_interval(now: list[float]) -> None:
    assert _work(BatchClock(Interval(0.5, times=3)), now, 0.4) == pytest.approx(0.1)


def test_a_batch_that_took_longer_than_the_interval_is_followed_at_once(now: list[float]) -> None:
    assert _work(BatchClock(Interval(0.5)), now, 0.7) == 0.0


def test_without_times_the_interval_is_always_the_longest(now: list[float]) -> None:
    assert _work(BatchClock(Interval(0.5)), now, 0.001) == pytest.approx(0.499)


def test_after_a_pause_nothing_is_held_up(now: list[float]) -> None:
    clock = BatchClock(Interval(0.5))
    _work(clock, now, 0.1)
    now[0] += 0.4
    assert clock.wait == pytest.approx(0.0)


def test_a_batch_that_fails_counts_as_one(now: list[float]) -> None:
    clock = BatchClock(Interval(0.5))
    with pytest.raises(RuntimeError), clock.batch():
        raise RuntimeError
    assert clock.wait == pytest.approx(0.5)
