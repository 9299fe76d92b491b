"""Wall-clock times as instants: the one rule for clock changes that hand-overs and hours share.

A wall time takes place at the first instant at which the local clock has reached it. So one that a clock change skips
takes place the moment the clocks have jumped, one that comes twice takes place the first time, and the order of wall
times is never turned round.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_REMEMBERED: Final = 65_536
_RESOLUTION: Final = timedelta(seconds=1)


@lru_cache(maxsize=_REMEMBERED)
def takes_place(day: date, wall: time, zone: tzinfo) -> datetime:
    """The instant (UTC) of `wall` on `day` in `zone`."""
    written = datetime.combine(day, wall.replace(fold=0))
    instant = written.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == written:
        return instant
    # Skipped: PEP 495 puts fold 1 before the jump and fold 0 behind it, so the jump is between them.
    before, after = written.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    while after - before > _RESOLUTION:
        middle = before + (after - before) / 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None) < written:
            before = middle
        else:
            after = middle
    return after


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day at the instant (aware)."""
    return instant.astimezone(zone).date()
