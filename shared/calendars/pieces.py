"""The pieces of time that a calendar counts: working hours, and working days by their hours or by the wall clock."""

from collections.abc import Iterator, Sequence
from typing import Final

from shared.calendars.days import Day
from shared.calendars.measures import Piece
from shared.calendars.zones import DAY, MINUTE, Stretch

WORKING_DAY: Final = DAY
"""One working day in units of the measure of working days."""
Worked = tuple[Day, tuple[Stretch, ...]]
"""A working day with the stretches of time it is made of."""


def hour_pieces(days: Sequence[Worked]) -> Iterator[Piece]:
    """Working time in microseconds: every microsecond inside working hours is one."""
    count = 0
    for day, spans in days:
        for start, end in _hours(day, spans):
            yield Piece(start, end, count, count + end - start)
            count += end - start


def share_pieces(days: Sequence[Worked]) -> Iterator[Piece]:
    """Working days, each spent evenly over its working hours: it ends when they do."""
    count = 0
    for day, spans in days:
        worked = _hours(day, spans)
        length = sum(end - start for start, end in worked)
        done = 0
        for start, end in worked:
            low = WORKING_DAY * done // length
            done += end - start
            yield Piece(start, end, count + low, count + WORKING_DAY * done // length)
        if worked:
            count += WORKING_DAY


def wall_pieces(days: Sequence[Worked]) -> Iterator[Piece]:
    """Working days, each from 00:00 to 24:00: equal times of day on two of them lie whole days apart.

    An hour that is skipped is jumped over, one that is repeated is counted the first time. A day whose first or last
    hour is skipped is a whole day all the same: the missing part is its first or last microsecond.
    """
    count = 0
    for _, spans in days:
        reached = 0
        for start, end, wall in spans:
            begin, low = start + max(0, reached - wall), max(reached, wall)
            if begin >= end:
                continue
            high = min(low + end - begin, WORKING_DAY)
            if reached == 0 < wall:
                yield Piece(begin, begin + 1, count, count + low + 1)
                begin, low = begin + 1, low + 1
            if end == spans[-1].end and high < WORKING_DAY:
                yield Piece(begin, end - 1, count + low, count + high - 1)
                begin, low, high = end - 1, high - 1, WORKING_DAY
            yield Piece(begin, end, count + low, count + high)
            reached = high
        if spans:
            count += WORKING_DAY


def _hours(day: Day, spans: tuple[Stretch, ...]) -> list[tuple[int, int]]:
    """Working hours of a day as instants, in order."""
    found = []
    for start, end, wall in spans:
        for opens, closes in day.hours:
            begin = max(start, start + opens * MINUTE - wall)
            finish = min(end, start + closes * MINUTE - wall)
            if begin < finish:
                found.append((begin, finish))
    return found
