"""Duty of a role or a person as an iCalendar feed."""

from datetime import datetime, timedelta

from services.notifier.app.rules import Rosters
from services.notifier.domain.roster_ical import feed


def feed_roster(
    org: str, now: datetime, days: int, *, rosters: Rosters, role: str | None = None, person: str | None = None
) -> bytes | None:
    """From a week ago, on whole hours so that the same duty keeps its times. None where there is no such thing."""
    roster = rosters.of(org)
    if roster is None or (role is not None and role not in roster.roles):
        return None
    if person is not None and person not in roster.people:
        return None
    begins_at = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=7)
    return feed(roster, begins_at, now + timedelta(days=days), role=role, person=person)
