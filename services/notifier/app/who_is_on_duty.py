"""Who would be told now, or at another instant, and why."""

from dataclasses import dataclass
from datetime import datetime

from services.notifier.app.rules import Rosters
from services.notifier.domain.roster_duty import Duty, on_duty


@dataclass(frozen=True, slots=True)
class OnDuty:
    """The answer with the exact roster it was read from."""

    role: str
    at: datetime
    duties: tuple[Duty, ...]
    roster_sha256: str


class RoleUnknownError(LookupError):
    """The organisation has no roster, or its roster no such role."""


def who_is_on_duty(org: str, role: str, at: datetime, *, rosters: Rosters) -> OnDuty:
    """Raises RoleUnknownError; an existing role without anybody is an empty answer."""
    roster = rosters.of(org)
    if roster is None or role not in roster.roles:
        raise RoleUnknownError(role)
    return OnDuty(role, at, on_duty(roster, role, at), roster.sha256)
