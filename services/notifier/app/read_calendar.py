"""A calendar of somebody's leave, or of who stands in for a role, as changes to the roster."""

from collections.abc import Iterable
from datetime import datetime

from services.notifier.app.rules import Rosters
from services.notifier.domain.roster import Absence, Override
from services.notifier.domain.roster_changes import LeaveChange, OverrideChange
from services.notifier.domain.roster_ical import read_spans


def read_calendar(
    org: str, text: str, now: datetime, *, person: str, role: str | None, rosters: Rosters
) -> list[OverrideChange | LeaveChange] | None:
    """Without a role each event is leave of the person; with one the person takes the role's duty while it lasts.

    What stands in the roster already is not taken over again, so a calendar can be sent as often as it changes.
    None without a roster. Raises CalendarUnreadableError with every problem.
    """
    roster = rosters.of(org)
    if roster is None:
        return None
    entered: Iterable[Absence | Override] = roster.people[person].leave if person in roster.people else ()
    if role is not None:
        entered = [one for one in roster.overrides_of.get(role, ()) if one.people == (person,) and not one.adds]
    known = {(one.begins_at, one.ends_at) for one in entered}
    found: list[OverrideChange | LeaveChange] = []
    for span in read_spans(text, roster, now):
        if (span.begins_at, span.ends_at) in known:
            continue
        known.add((span.begins_at, span.ends_at))
        times = {"from": span.begins_at.isoformat(), "to": span.ends_at.isoformat(), "reason": span.summary or "ics"}
        if role is None:
            found.append(LeaveChange.model_validate({"kind": "leave", "person": person, **times}))
        else:
            found.append(OverrideChange.model_validate({"kind": "override", "role": role, "people": [person], **times}))
    return found
