"""What will go wrong with an organisation's roster in the days ahead."""

from datetime import datetime, timedelta

from services.notifier.app.rules import Rules
from services.notifier.domain.roster_check import check_roster as find_trouble
from services.notifier.domain.roster_findings import Finding


def check_roster(org: str, now: datetime, days: int, *, rules: Rules) -> tuple[Finding, ...] | None:
    """Findings from `now` on, for the channels that have a provider here. None without a roster."""
    roster = rules.rosters.of(org)
    if roster is None:
        return None
    in_use = frozenset(channel for channel, providers in rules.providers.items() if providers)
    return find_trouble(roster, now, now + timedelta(days=days), channels=in_use)
