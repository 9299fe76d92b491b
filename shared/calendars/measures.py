"""Amounts counted along the line of time: rising in straight pieces, still between them. Whole numbers only."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class HorizonError(ValueError):
    """An instant before the first or after the last year that a calendar was compiled for."""


class Piece(NamedTuple):
    """From instant `start` to `end` the amount rises from `low` to `high`; both in whole units, instants in µs."""

    start: int
    end: int
    low: int
    high: int


class Measure:
    """How much has been counted by an instant, and when an amount is reached. Instants are microseconds since 1970 UTC.

    The count never falls, so `between` adds up without loss: between(a, b) + between(b, c) == between(a, c).
    `reached` gives the first instant, so reached(a, between(a, b)) is never after b. A search among sorted whole
    numbers is all it costs, however long the span.
    """

    __slots__ = ("_ends", "_first", "_highs", "_last", "_lows", "_starts")

    def __init__(self, pieces: Iterable[Piece], first: int, last: int) -> None:
        """`first` and `last` bound what can be asked. Raises ValueError for pieces without length or out of order."""
        found = list(pieces)
        if not found:
            raise ValueError("nothing to count: the calendar has no working hours at all")
        at, count = first, found[0].low
        for piece in found:
            if piece.start < at or piece.end <= piece.start or piece.low < count or piece.high < piece.low:
                raise ValueError(f"pieces of a measure must follow one another: {piece}")
            at, count = piece.end, piece.high
        self._starts = [piece.start for piece in found]
        self._ends = [piece.end for piece in found]
        self._lows = [piece.low for piece in found]
        self._highs = [piece.high for piece in found]
        self._first = first
        self._last = last

    def count(self, at: int) -> int:
        """Counted from the beginning of the calendar to an instant. Raises HorizonError."""
        if not self._first <= at <= self._last:
            raise HorizonError(at)
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return self._lows[0]
        low, high = self._lows[index], self._highs[index]
        start, end = self._starts[index], self._ends[index]
        if at >= end:
            return high
        return low + (at - start) * (high - low) // (end - start)

    @property
    def steps(self) -> Sequence[tuple[int, int]]:
        """Where each piece ends and what has been counted there."""
        return list(zip(self._ends, self._highs, strict=True))

    def between(self, start: int, end: int) -> int:
        """Counted from `start` to `end`; 0 when `end` is not after `start`. Raises HorizonError."""
        return self.count(end) - self.count(start) if end > start else 0

    def reached(self, start: int, amount: int) -> int:
        """The first instant, not before `start`, by which `amount` has been counted. Raises HorizonError."""
        if amount <= 0:
            return start
        if start < self._first or start > self._last:
            raise HorizonError(start)
        # `count(start)` written out: this is the operation every deadline costs.
        index = bisect_right(self._starts, start) - 1
        if index < 0:
            wanted = self._lows[0] + amount
        elif start >= self._ends[index]:
            wanted = self._highs[index] + amount
        else:
            low, begins = self._lows[index], self._starts[index]
            wanted = low + (start - begins) * (self._highs[index] - low) // (self._ends[index] - begins) + amount
        index = bisect_left(self._highs, wanted)
        if index == len(self._highs):
            raise HorizonError(self._last + 1)
        high = self._highs[index]
        if wanted == high:
            return self._ends[index]
        low, begins = self._lows[index], self._starts[index]
        if wanted <= low:
            return begins
        # Rounded up: at the instant given, the whole amount has been counted.
        return begins - (low - wanted) * (self._ends[index] - begins) // (high - low)

    def rising(self, at: int) -> bool:
        """Whether the count is rising at an instant; the end of a piece is no part of it. Raises HorizonError."""
        if not self._first <= at <= self._last:
            raise HorizonError(at)
        index = bisect_right(self._starts, at) - 1
        return index >= 0 and at < self._ends[index]

    def next_rise(self, at: int) -> int:
        """The first instant, not before `at`, at which the count rises. Raises HorizonError."""
        if self.rising(at):
            return at
        index = bisect_left(self._starts, at)
        if index == len(self._starts):
            raise HorizonError(self._last + 1)
        return self._starts[index]


class DayEnds:
    """Where whole days end: `ends` of every working day, and for each date how many there were before its midnight."""

    __slots__ = ("ends", "numbers")

    def __init__(self, days: Measure, midnights: Sequence[int], day: int) -> None:
        """`days` counts `day` units a working day; `midnights` are where all dates begin, and the end of the last."""
        self.ends = [end for end, high in days.steps if high % day == 0]
        self.numbers = [days.count(midnight) // day for midnight in midnights]
