"""Wall clock and UTC: the two are tied together here and nowhere else. Instants are microseconds since 1970 UTC.

Adding hours to a local time is wrong twice a year (same-zone arithmetic in Python ignores the change of offset), so a
day is cut into pieces of one offset each, and everything after that is whole numbers in UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND


def micros(instant: datetime) -> int:
    """An aware instant as microseconds. Raises ValueError for one without an offset."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset from UTC")
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant_of(at: int) -> datetime:
    """Microseconds as an instant in UTC."""
    return EPOCH + at * MICROSECOND


class Stretch(NamedTuple):
    """Part of a local day with one offset: from `start` to `end` the wall clock shows `wall` and goes on evenly.

    `wall` is microseconds since the day's 00:00.
    """

    start: int
    end: int
    wall: int


def midnight(day: date, zone: ZoneInfo) -> int:
    """When a local day begins. Where its first hour is skipped, that is the instant of the change."""
    return micros(datetime.combine(day, time(), zone))


def stretches(day: date, start: int, end: int, zone: ZoneInfo) -> tuple[Stretch, ...]:
    """A local day from its midnight to the next: one stretch, or two and more where the offset changes."""
    if end <= start:
        return ()  # the day was skipped, as 2011-12-30 was in Samoa
    if end - start == DAY:
        return (Stretch(start, end, 0),)
    base = (day - EPOCH.date()).days * DAY
    found = []
    while start < end:
        offset = _offset(start, zone)
        change = end if _offset(end - 1, zone) == offset else _change(start, end, zone)
        found.append(Stretch(start, change, start + offset - base))
        start = change
    return tuple(found)


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = instant_of(at).astimezone(zone).utcoffset()
    return (offset or timedelta()) // MICROSECOND


def _change(start: int, end: int, zone: ZoneInfo) -> int:
    """The first instant after `start` with another offset than at `start`; changes happen at whole seconds."""
    offset, low, high = _offset(start, zone), start // SECOND, -(-end // SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle * SECOND, zone) == offset:
            low = middle
        else:
            high = middle
    return high * SECOND
