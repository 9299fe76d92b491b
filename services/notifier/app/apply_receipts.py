"""What providers said later is written down and may move an intent on: to the next route, or to a better settlement."""

from collections.abc import Callable, Sequence

from services.notifier.app.advance_intents import advance
from services.notifier.app.receive_for_complainants import receive_for_complainants
from services.notifier.app.rules import Rules
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from shared.contracts.envelope import Event
from shared.contracts.receipts import ReceiptReceivedV1
from shared.db.engine import Database
from shared.kafka.outcome import DONE, DUPLICATE, Dead, Outcome
from shared.runtime.ids import Ids
from shared.runtime.metrics import DELIVERY_RECEIPTS


async def apply_receipts(
    events: Sequence[Event[ReceiptReceivedV1]],
    *,
    database: Database,
    rules: Rules,
    ids: Ids,
    wake: Callable[[], None],
) -> Sequence[Outcome]:
    """Receipts in any order and multiplicity end in the same settlement. One for an unknown attempt is dead."""
    async with database.transaction() as tx:
        intents = await ledger.intents_of_attempts(tx, [event.data.attempt_id for event in events])
        strange = [event for event in events if event.data.attempt_id not in intents]
        notices = await receive_for_complainants(tx, strange, ids) if strange else frozenset()
        known = [event for event in events if event.data.attempt_id in intents]
        first = await tx.first_seen([event.id for event in known])
        fresh = list({event.id: event for event in known if event.id in first}.values())
        if fresh:
            # Locked before the receipts are added: whoever decides next about an intent sees all of them.
            locked = await ledger.lock(tx, [intents[event.data.attempt_id] for event in fresh])
            await attempt_rows.add_receipts(tx, fresh)
            history = await attempt_rows.history(tx, [one.id for one in locked])
            moved = await advance(tx, locked, history, rules=rules, ids=ids)
            ledger.save(tx, [one.intent for one in moved])
            if any(one.intent.due_at is not None and one.intent.due_at <= tx.now for one in moved):
                tx.after_commit.append(wake)
    for event in fresh:
        DELIVERY_RECEIPTS.labels(event.data.channel.value, event.data.status.value).inc()
    return [
        DONE
        if event.data.attempt_id in notices
        else _outcome(event, first=event.id in first, known=event.data.attempt_id in intents)
        for event in events
    ]


def _outcome(event: Event[ReceiptReceivedV1], *, first: bool, known: bool) -> Outcome:
    if not known:
        return Dead(f"there is no attempt {event.data.attempt_id}")
    return DONE if first else DUPLICATE
