"""Who is on duty for every role over the days ahead."""

from dataclasses import dataclass
from datetime import datetime

from services.notifier.app.rules import Rosters
from services.notifier.domain.roster import Role
from services.notifier.domain.roster_timeline import Segment, timeline


@dataclass(frozen=True, slots=True)
class RoleTimes:
    """A role with the stretches of its duty, in order and without holes."""

    role: Role
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Timetable:
    """Of one organisation, with the exact roster it was read from."""

    zone: str
    begins_at: datetime
    ends_at: datetime
    roles: tuple[RoleTimes, ...]
    roster_sha256: str


def show_timetable(
    org: str, begins_at: datetime, ends_at: datetime, *, rosters: Rosters, role: str | None = None
) -> Timetable | None:
    """All roles, or one. None without a roster or such a role."""
    roster = rosters.of(org)
    if roster is None or (role is not None and role not in roster.roles):
        return None
    wanted = roster.roles.values() if role is None else [roster.roles[role]]
    found = tuple(RoleTimes(one, tuple(timeline(roster, one.id, begins_at, ends_at))) for one in wanted)
    return Timetable(roster.zone.key, begins_at, ends_at, found, roster.sha256)
