"""Providers' answers are written down and each intent is moved on, in one transaction for all that has gathered."""

from collections.abc import Sequence
from datetime import datetime

from services.notifier.app.advance_intents import advance
from services.notifier.app.rules import Rules
from services.notifier.domain.ledger import RecordedAnswer
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


async def record_answers(
    answers: Sequence[RecordedAnswer], *, database: Database, rules: Rules, ids: Ids
) -> datetime | None:
    """Write the outcomes; the earliest instant at which one of these intents is due again.

    The first recorded outcome of an attempt stands; one that comes after another sender took over is dropped.
    """
    async with database.transaction() as tx:
        intents = await ledger.intents_of_attempts(tx, [one.attempt_id for one in answers])
        locked = await ledger.lock(tx, intents.values())
        recorded = await attempt_rows.end(tx, answers)
        late = [one.attempt_id for one in answers if one.attempt_id not in recorded]
        history = await attempt_rows.history(tx, [one.id for one in locked])
        moved = await advance(tx, locked, history, rules=rules, ids=ids)
        ledger.save(tx, [one.intent for one in moved])
    for attempt_id in late:
        _log.warning("delivery.answer_too_late", attempt_id=str(attempt_id))
    return min((one.intent.due_at for one in moved if one.intent.due_at is not None), default=None)
