"""Which roles an organisation's roster has."""

from services.notifier.app.rules import Rosters


def list_roles(org: str, *, rosters: Rosters) -> tuple[str, ...] | None:
    """The roles in the roster's order. None without a roster."""
    roster = rosters.of(org)
    return tuple(roster.roles) if roster is not None else None
