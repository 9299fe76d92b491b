"""Duty as an iCalendar feed (RFC 5545), and leave or overrides read from one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from hashlib import sha256
from typing import Any, Final
from warnings import catch_warnings, filterwarnings

from icalendar import Calendar, Event
from icalendar.error import GloballyUniqueTZIDGuessed

from services.notifier.domain.roster import Role, Roster
from services.notifier.domain.roster_duty import Duty
from services.notifier.domain.roster_recurrence import Recurrence, walls
from services.notifier.domain.roster_timeline import Segment, timeline
from services.notifier.domain.roster_wall_time import takes_place

MAX_BYTES: Final = 1_000_000
MAX_EVENTS: Final = 500
_AHEAD: Final = timedelta(days=366)
"""How far recurring events are taken over: most never end, and changes to a roster are single spans."""
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
    """Duty of a role, or of a person in every role and in their language.

    The same duty keeps its UID, so subscribers see changes as such.
    """
    english = person is not None and roster.people[person].language == "en"
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _title(roster, role, person, english=english))
    calendar.add("x-wr-timezone", roster.zone.key)
    for role_id in [role] if role is not None else roster.roles:
        for segment in timeline(roster, role_id, begins_at, ends_at):
            duties = [duty for duty in segment.duties if person in {None, duty.person.id}]
            if not duties:
                continue
            event = Event()
            event.add("uid", _uid(roster, role_id, person, _mark(segment, begins_at, ends_at)))
            event.add("dtstamp", begins_at.astimezone(UTC))
            event.add("dtstart", segment.begins_at.astimezone(UTC))
            event.add("dtend", segment.ends_at.astimezone(UTC))
            event.add("summary", _summary(roster.roles[role_id], person, duties, english=english))
            event.add("description", "\n".join(_described(one, english=english) for one in duties))
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def read_spans(text: str, roster: Roster, now: datetime) -> tuple[Span, ...]:
    """The events of a calendar; a whole day and a time without a zone are of the roster's zone.

    Only what is not over at `now`; of a recurring event the occurrences of a year ahead, without exceptions and with
    those that were moved where they were moved to. Cancelled events are none.
    Raises CalendarUnreadableError with every problem.
    """
    events = _events(text)
    moves: dict[str, list[Any]] = {}
    for event in events:
        if "recurrence-id" in event:
            moves.setdefault(str(event.get("uid")), []).append(event)
    spans: list[Span] = []
    problems: list[str] = []
    for number, event in enumerate(events, start=1):
        try:
            moved = moves.get(str(event.get("uid")), ()) if "recurrence-id" not in event else ()
            spans += _spans(event, moved, roster, now)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            problems.append(f"event {number}{_called(event)}: {str(error)[:200] or type(error).__name__}")
    if len(spans) > MAX_EVENTS:
        problems.append(f"more than {MAX_EVENTS} occurrences")
    if problems:
        raise CalendarUnreadableError(problems)
    return tuple(spans)


def _events(text: str) -> list[Any]:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise CalendarUnreadableError([f"the calendar is larger than {MAX_BYTES} bytes"])
    try:
        with catch_warnings():
            # Zones named with the prefix of a program are taken for those they end in.
            filterwarnings("ignore", category=GloballyUniqueTZIDGuessed)
            calendar = Calendar.from_ical(text)
        events: list[Any] = calendar.walk("VEVENT")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CalendarUnreadableError([f"not an iCalendar text: {str(error)[:200]}"]) from error
    if not events:
        raise CalendarUnreadableError(["there is no event in the calendar"])
    if str(calendar.get("method", "")).upper() == "CANCEL":
        raise CalendarUnreadableError(
            ["the calendar takes its events back: withdraw the changes they were taken over as"]
        )
    return events


def _called(event: Any) -> str:
    """What a person knows the event by; empty without a summary."""
    summary = " ".join(str(event.get("summary", "")).split())[:60]
    return f" ({summary})" if summary else ""


def _spans(event: Any, moved: Sequence[Any], roster: Roster, now: datetime) -> list[Span]:
    if str(event.get("status", "")).upper() == "CANCELLED":
        return []
    first, end, zone = _bounds(event, roster)
    if first >= end:
        raise ValueError("ends before it begins")
    if "rrule" not in event and "rdate" not in event:
        return [one for one in [_span(event, first, end, zone)] if one.ends_at > now]
    gone = set(walls(event, "exdate", zone))
    gone.update(wall for one in moved for wall in walls(one, "recurrence-id", zone))
    until = (now + _AHEAD).astimezone(zone).replace(tzinfo=None)
    starts = Recurrence(event, first, zone, until).starts()
    found = [
        _span(event, one, one + (end - first), zone) for one in starts if one not in gone and one.date() not in gone
    ]
    return [one for one in found if one.ends_at > now]


def _bounds(event: Any, roster: Roster) -> tuple[datetime, datetime, tzinfo]:
    """Begin and end by the wall clock of the zone of the begin."""
    if "dtstart" not in event:
        raise ValueError("has no DTSTART")
    if "THISANDFUTURE" in str(getattr(event.get("recurrence-id"), "params", "")):
        raise ValueError("moves all later occurrences too; write them as an event of their own")
    start = _value(event, "dtstart")
    if "dtend" in event:
        end = _value(event, "dtend")
    elif "duration" in event:
        end = start + event.decoded("duration")
    elif isinstance(start, datetime):
        raise ValueError("has neither DTEND nor DURATION")
    else:
        end = start + timedelta(days=1)
    zone = start.tzinfo if isinstance(start, datetime) and start.tzinfo is not None else roster.zone
    return _wall(start, zone, roster), _wall(end, zone, roster), zone


def _value(event: Any, name: str) -> date:
    value = event.decoded(name)
    if not isinstance(value, date):
        raise TypeError(f"{name.upper()} is no date and no time")
    named = event[name].params.get("TZID")
    if named is not None and isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"{name.upper()}: the time zone '{str(named)[:60]}' is neither known nor described")
    return value


def _wall(value: date, zone: tzinfo, roster: Roster) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    aware = value if value.tzinfo is not None else value.replace(tzinfo=roster.zone)
    return value if value.tzinfo is None and zone is roster.zone else aware.astimezone(zone).replace(tzinfo=None)


def _span(event: Any, begins: datetime, ends: datetime, zone: tzinfo) -> Span:
    begins_at, ends_at = (takes_place(one.date(), one.time(), zone) for one in (begins, ends))
    if begins_at >= ends_at:
        raise ValueError("ends before it begins")
    return Span(begins_at, ends_at, " ".join(str(event.get("summary", "")).split())[:100])


def _summary(role: Role, person: str | None, duties: Sequence[Duty], *, english: bool) -> str:
    if person is not None:
        return f"On duty: {role.label.en}" if english else f"值班：{role.label.zh}"
    return f"{role.label.zh}：{'、'.join(one.person.label.zh for one in duties)}"


def _described(duty: Duty, *, english: bool) -> str:
    if english:
        return f"{duty.person.label.en}: {duty.because.en}"
    return f"{duty.person.label.zh}：{duty.because.zh}"


def _title(roster: Roster, role: str | None, person: str | None, *, english: bool) -> str:
    if person is not None:
        label = roster.people[person].label
        return f"{label.en} on duty" if english else f"{label.zh} 值班"
    return f"{roster.roles[role].label.zh} 值班" if role is not None else f"{roster.organisation} 值班"


def _mark(segment: Segment, begins_at: datetime, ends_at: datetime) -> str:
    """What stays the same of a duty while the time that is looked at moves on."""
    if segment.begins_at > begins_at:
        return segment.begins_at.isoformat()
    return f"until {segment.ends_at.isoformat()}" if segment.ends_at < ends_at else "always"


def _uid(roster: Roster, role: str, person: str | None, mark: str) -> str:
    what = f"{roster.organisation}/{role}/{person or ''}/{mark}"
    return f"{sha256(what.encode()).hexdigest()[:32]}@fenghuo"
