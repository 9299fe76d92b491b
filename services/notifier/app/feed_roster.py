"""Duty of a role or a person as an iCalendar feed."""

from datetime import datetime, timedelta
from typing import Final

from services.notifier.app.rules import Rosters
from services.notifier.domain.roster_ical import feed

_BACK: Final = timedelta(days=35)


def feed_roster(
    org: str, now: datetime, days: int, *, rosters: Rosters, role: str | None = None, person: str | None = None
) -> bytes | None:
    """From more than a month ago, so that what lasts a month shows whole. None where nothing is so named."""
    roster = rosters.of(org)
    if roster is None or (role is not None and role not in roster.roles):
        return None
    if person is not None and person not in roster.people:
        return None
    begins_at = now.replace(hour=0, minute=0, second=0, microsecond=0) - _BACK
    return feed(roster, begins_at, now + timedelta(days=days), role=role, person=person)
