"""Asks people for an answer, by the way that every message takes."""

from datetime import timedelta

from services.notifier.app.ask_for_answers import NobodyToAskError, ask_for_answers
from services.notifier.app.rules import Rosters
from services.notifier.domain.live_tests import LiveTest, Wanted
from shared.db.engine import Database
from shared.runtime.ids import Ids


async def start_live_test(
    org: str, wanted: Wanted, wait: timedelta, by: str, *, rosters: Rosters, database: Database, ids: Ids
) -> LiveTest:
    """On its way when this returns. Raises NobodyToAskError."""
    roster = rosters.of(org)
    if roster is None:
        raise NobodyToAskError(org)
    async with database.transaction() as tx:
        return await ask_for_answers(tx, roster, wanted, wait=wait, by=by, ids=ids)
