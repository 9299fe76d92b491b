"""Who is on duty now and in the days ahead, for every role, with what is wrong."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from services.console.channels.duty import DutyReader
from services.console.channels.questions import AwayError
from services.console.domain.timetable import RoleRow, days_of, lay_out

DAYS: Final = 7
_DAYS_CHECKED: Final = 14


@dataclass(frozen=True, slots=True)
class RosterView:
    """`problem`: why there is nothing to show. Roles with a gap come first. `unverified`: contact points."""

    days: tuple[date, ...] = ()
    rows: tuple[RoleRow, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    unverified: tuple[dict[str, Any], ...] = ()
    checked_days: int = _DAYS_CHECKED
    timezone: str = ""
    problem: Literal["none", "away", "empty"] | None = None


async def read_roster(org: str, duty: DutyReader | None) -> RosterView:
    """What the notifier answers; a roster of another organisation than `org` is never shown."""
    if duty is None:
        return RosterView(problem="none")
    try:
        found = await duty.timetable(DAYS)
        if found is None or found.get("organisation") != org:
            return RosterView(problem="empty")
        checked = await duty.findings(_DAYS_CHECKED)
        contacts = await duty.unverified_contacts()
    except AwayError:
        return RosterView(problem="away")
    zone = ZoneInfo(found["timezone"])
    days = days_of(datetime.fromisoformat(found["begins_at"]), DAYS, zone)
    rows = sorted((lay_out(role, days, zone) for role in found["roles"]), key=lambda row: not row.has_gap)
    findings = [
        {
            **one,
            "begins_at": datetime.fromisoformat(one["begins_at"]).astimezone(zone),
            "ends_at": datetime.fromisoformat(one["ends_at"]).astimezone(zone),
        }
        for one in (checked or {}).get("findings", [])
    ]
    unverified = tuple((contacts or {}).get("contacts", ()))
    return RosterView(days, tuple(rows), tuple(findings), unverified, _DAYS_CHECKED, zone.key)


__all__ = ["DAYS", "DutyReader", "RosterView", "read_roster"]
