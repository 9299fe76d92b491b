"""Starts the scheduled live tests, counts who did not answer the last one, and says so to the roster's owner."""

from datetime import timedelta
from typing import Final

from services.notifier.app.ask_for_answers import NobodyToAskError, ask_for_answers
from services.notifier.app.rules import Book
from services.notifier.domain.live_tests import SCHEDULE, Wanted, due_key
from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_notices import TEMPLATES, about_unanswered
from services.notifier.store.live_tests import missed_tests, unanswered_of_last
from services.notifier.store.roster_records import first_announced
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import LIVE_TEST_UNANSWERED

_log = get_logger(__name__)
_WAIT: Final = timedelta(minutes=15)
_STILL_TOLD: Final = timedelta(days=1)
_ON_ITS_WAY: Final = timedelta(seconds=30)
_CHANNELS: Final = (ChannelKind.EMAIL, ChannelKind.SMS)


async def watch_live_tests(*, book: Book, database: Database, ids: Ids, every_days: int) -> int:
    """How many tests were started now: each once, whichever replica is first, like the news of who did not answer."""
    started = 0
    for org in book.organisations():
        roster = book.of(org)
        if roster is None:
            continue
        await _tell(roster, database, ids)
        if every_days < 1:
            continue
        async with database.transaction() as tx:
            key = due_key(roster, tx.now, every_days)
            if key is not None and await first_announced(tx, org, [key]):
                try:
                    await ask_for_answers(tx, roster, Wanted(), wait=_WAIT, by=SCHEDULE, ids=ids)
                except NobodyToAskError:
                    _log.warning("live_test.nobody", org=org)
                else:
                    started += 1
    async with database.transaction() as tx:
        for org, missing in (await unanswered_of_last(tx)).items():
            LIVE_TEST_UNANSWERED.labels(org).set(missing)
    return started


async def _tell(roster: Roster, database: Database, ids: Ids) -> None:
    async with database.transaction() as tx:
        # An answer that was given in time may be a little late in coming here.
        over = await missed_tests(tx, roster.organisation, SCHEDULE, tx.now - _STILL_TOLD, tx.now - _ON_ITS_WAY)
        missed = {f"live-test-over/{one.id}": one for one in over}
        for key in sorted(await first_announced(tx, roster.organisation, list(missed))) if missed else ():
            test = missed[key]
            _log.warning("live_test.unanswered", org=test.org, number=test.number, people=list(test.unanswered()))
            if roster.owner is None:
                continue
            request = NotificationRequestedV1(
                request_id=ids.new(),
                purpose=Purpose.INFORM,
                roles=(roster.owner,),
                channels=_CHANNELS,
                step=0,
                subject=about_unanswered(roster, test),
                templates=TEMPLATES,
                requested_at=tx.now,
            )
            tx.outbox.add(
                Event(
                    id=ids.new(), source="/fenghuo/notifier", time=tx.now, org=test.org, case_id=ids.new(), data=request
                )
            )
