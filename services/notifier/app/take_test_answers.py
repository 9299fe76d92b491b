"""An acknowledgement of a live test is written down; every other command is the escalator's."""

from collections.abc import Sequence

from services.notifier.store.live_tests import note_answers
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.notifications import LIVE_TEST_PLAN
from shared.db.engine import Database
from shared.kafka.outcome import DONE, Outcome


async def take_test_answers(events: Sequence[Event[CommandIssuedV1]], *, database: Database) -> Sequence[Outcome]:
    """Applying an event again changes nothing."""
    answers = [
        (event.org, event.case_id, event.data.actor.ref, event.data.issued_at)
        for event in events
        if event.data.plan == LIVE_TEST_PLAN and event.data.command is CommandKind.ACKNOWLEDGE
    ]
    if answers:
        async with database.transaction() as tx:
            await note_answers(tx, answers)
    return [DONE for _ in events]
