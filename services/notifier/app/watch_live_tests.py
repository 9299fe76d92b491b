"""Starts the scheduled live tests and counts who did not answer the last one."""

from datetime import timedelta
from typing import Final

from services.notifier.app.ask_for_answers import NobodyToAskError, ask_for_answers
from services.notifier.app.rules import Book
from services.notifier.domain.live_tests import Wanted, due_key
from services.notifier.store.live_tests import unanswered_of_last
from services.notifier.store.roster_records import first_announced
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import LIVE_TEST_UNANSWERED

_log = get_logger(__name__)
_WAIT: Final = timedelta(minutes=15)


async def watch_live_tests(*, book: Book, database: Database, ids: Ids, every_days: int) -> int:
    """How many tests were started now: each once, whichever replica is first."""
    started = 0
    for org in book.organisations():
        roster = book.of(org)
        if roster is None or every_days < 1:
            continue
        async with database.transaction() as tx:
            key = due_key(roster, tx.now, every_days)
            if key is not None and await first_announced(tx, org, [key]):
                try:
                    await ask_for_answers(tx, roster, Wanted(), wait=_WAIT, by="schedule", ids=ids)
                except NobodyToAskError:
                    _log.warning("live_test.nobody", org=org)
                else:
                    started += 1
    async with database.transaction() as tx:
        for org, missing in (await unanswered_of_last(tx)).items():
            LIVE_TEST_UNANSWERED.labels(org).set(missing)
    return started
