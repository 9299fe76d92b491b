"""The occurrences of a recurring calendar event (RFC 5545), by the wall clock of the event's own zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from dateutil.rrule import rrulestr
from icalendar import vRecur

_UNDERSTOOD: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
# An hour of the day would make a hostile rule as long as a day has seconds; duty and leave do not need it.
_NOT_UNDERSTOOD: Final = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
_LONGEST_AGO: Final = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurring event: its first start by the wall clock of `zone`, and what is to be known of it until `until`."""

    event: Any
    first: datetime
    zone: tzinfo
    until: datetime

    def starts(self) -> Iterator[datetime]:
        """Every start until just before `until`, ascending, as wall times; additional dates among them.

        Raises ValueError for rules that are not understood.
        """
        rules = _listed(self.event.get("rrule"))
        found = set() if rules else {self.first}
        for rule in rules:
            found.update(self._ruled(rule))
        found.update(wall for wall in walls(self.event, "rdate", self.zone) if isinstance(wall, datetime))
        additional = [wall for wall in walls(self.event, "rdate", self.zone) if not isinstance(wall, datetime)]
        found.update(datetime.combine(day, self.first.time()) for day in additional)
        yield from sorted(one for one in found if one < self.until)

    def _ruled(self, rule: Any) -> Iterator[datetime]:
        parts = {str(name).upper(): values for name, values in rule.items()}
        frequency = str(*_listed(parts.get("FREQ"))).upper()
        if frequency not in _UNDERSTOOD:
            raise ValueError(f"recurs by '{frequency[:20]}', which is not one of {', '.join(sorted(_UNDERSTOOD))}")
        if named := sorted(_NOT_UNDERSTOOD & parts.keys()):
            raise ValueError(f"recurs by {named[0]}, which is not understood")
        if any(int(one) < 1 for one in _listed(parts.get("INTERVAL"))):
            raise ValueError("recurs at an interval below 1")
        if self.first < self.until - _LONGEST_AGO:
            raise ValueError("recurs since more than 19 years: begin it later")
        counts = [int(one) for one in _listed(parts.pop("COUNT", None))]
        ends = [_wall(one, self.zone, time.max) for one in _listed(parts.pop("UNTIL", None))]
        until = min([self.until, *ends]).replace(microsecond=0)
        written: bytes = vRecur(parts).to_ical()  # type: ignore[no-untyped-call]  # the library does not say
        text = f"{written.decode()};UNTIL={until:%Y%m%dT%H%M%S}"
        for number, start in enumerate(rrulestr(text, dtstart=self.first)):
            if counts and number >= min(counts):
                return
            yield start


def walls(event: Any, name: str, zone: tzinfo) -> Iterator[datetime | date]:
    """The values of EXDATE, RDATE or RECURRENCE-ID by the wall clock of `zone`; whole days stay days.

    Raises TypeError for periods.
    """
    for written in _listed(event.get(name)):
        for one in getattr(written, "dts", [written]):
            value = one.dt
            if isinstance(value, datetime):
                yield _wall(value, zone, time())
            elif isinstance(value, date):
                yield value
            else:
                raise TypeError(f"{name.upper()} is a period, which is not understood")


def _wall(value: datetime | date, zone: tzinfo, at: time) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, at)
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo is not None else value


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
