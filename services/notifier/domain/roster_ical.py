"""Duty as an iCalendar feed (RFC 5545), and leave or overrides read from one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

from icalendar import Calendar, Event

from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_timeline import timeline
from services.notifier.domain.roster_wall_time import takes_place

MAX_BYTES: Final = 1_000_000
MAX_EVENTS: Final = 500
_PRODUCT: Final = "-//Fenghuo//roster//ZH"


class CalendarUnreadableError(ValueError):
    """The text is not a calendar, or an event of it cannot be used. `problems` names each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Span:
    """One event of a calendar: from `begins_at` until just before `ends_at` (aware)."""

    begins_at: datetime
    ends_at: datetime
    summary: str


def feed(
    roster: Roster, begins_at: datetime, ends_at: datetime, *, role: str | None = None, person: str | None = None
) -> bytes:
    """Duty of a role or of a person in every role. The same duty keeps its UID, so subscribers see changes as such."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _title(roster, role, person))
    calendar.add("x-wr-timezone", roster.zone.key)
    for role_id in [role] if role is not None else roster.roles:
        for segment in timeline(roster, role_id, begins_at, ends_at):
            duties = [duty for duty in segment.duties if person in {None, duty.person.id}]
            if not duties:
                continue
            label = roster.roles[role_id].label.zh
            names = "、".join(duty.person.label.zh for duty in duties)
            event = Event()
            event.add("uid", _uid(roster, role_id, person, segment.begins_at))
            event.add("dtstamp", begins_at.astimezone(UTC))
            event.add("dtstart", segment.begins_at.astimezone(UTC))
            event.add("dtend", segment.ends_at.astimezone(UTC))
            event.add("summary", f"值班：{label}" if person is not None else f"{label}：{names}")
            event.add("description", "\n".join(f"{one.person.label.zh}：{one.because.zh}" for one in duties))
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def read_spans(text: str, roster: Roster) -> tuple[Span, ...]:
    """The events of a calendar; a whole day and a time without a zone are of the roster's zone.

    Raises CalendarUnreadableError with every problem; a recurring event is one, for nobody can see where it ends.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise CalendarUnreadableError([f"the calendar is larger than {MAX_BYTES} bytes"])
    try:
        calendar = Calendar.from_ical(text)
        events = calendar.walk("VEVENT")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise CalendarUnreadableError([f"not an iCalendar text: {str(error)[:200]}"]) from error
    if not events:
        raise CalendarUnreadableError(["there is no event in the calendar"])
    if len(events) > MAX_EVENTS:
        raise CalendarUnreadableError([f"more than {MAX_EVENTS} events"])
    spans, problems = [], []
    for number, event in enumerate(events, start=1):
        try:
            spans.append(_span(event, roster))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"event {number}: {str(error)[:200] or type(error).__name__}")
    if problems:
        raise CalendarUnreadableError(problems)
    return tuple(spans)


def _span(event: Any, roster: Roster) -> Span:
    if "rrule" in event or "rdate" in event:
        raise ValueError("recurs; write its occurrences as single events")
    if "dtstart" not in event:
        raise ValueError("has no DTSTART")
    start = event.decoded("dtstart")
    if "dtend" in event:
        end = event.decoded("dtend")
    elif "duration" in event:
        end = start + event.decoded("duration")
    elif isinstance(start, datetime):
        raise ValueError("has neither DTEND nor DURATION")
    else:
        end = start + timedelta(days=1)
    begins_at, ends_at = _instant(start, roster), _instant(end, roster)
    if begins_at >= ends_at:
        raise ValueError("ends before it begins")
    return Span(begins_at, ends_at, " ".join(str(event.get("summary", "")).split())[:100])


def _instant(value: object, roster: Roster) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        return takes_place(value.date(), value.time(), roster.zone)
    if isinstance(value, date):
        return takes_place(value, time(), roster.zone)
    raise ValueError("a date or a time is needed")


def _title(roster: Roster, role: str | None, person: str | None) -> str:
    if person is not None:
        return f"{roster.people[person].label.zh} 值班"
    return f"{roster.roles[role].label.zh} 值班" if role is not None else f"{roster.organisation} 值班"


def _uid(roster: Roster, role: str, person: str | None, begins_at: datetime) -> str:
    what = f"{roster.organisation}/{role}/{person or ''}/{begins_at.isoformat()}"
    return f"{sha256(what.encode()).hexdigest()[:32]}@fenghuo"
