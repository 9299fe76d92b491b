"""Due intents are claimed and their calls written down, before any call is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.notifier.app.advance_intents import advance
from services.notifier.app.begin_intent import Call, begin_intent
from services.notifier.app.rules import Rules
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.metrics import DELIVERY_DOUBTFUL


@dataclass(frozen=True, slots=True)
class Begun:
    """The calls to make, how many intents were looked at, and when the next one is due."""

    calls: tuple[Call, ...]
    claimed: int
    next_due_at: datetime | None


async def begin_attempts(
    *,
    database: Database,
    rules: Rules,
    ids: Ids,
    fresh: Mapping[ChannelKind, int],
    retries: Mapping[ChannelKind, int],
) -> Begun:
    """Claim at most so many due intents a channel and write their attempts.

    The attempt is the lease: until its `answer_until` no other sender calls for the same intent, and after that any
    sender takes over with the same token. Its id is the fence: what a worker reports too late is not recorded.
    """
    async with database.transaction() as tx:
        claimed = await ledger.claim_due(tx, fresh=fresh, retries=retries)
        history = await attempt_rows.history(tx, [one.id for one in claimed if one.attempts])
        advanced = await advance(tx, claimed, history, rules=rules, ids=ids)
        begun = [begin_intent(one, tx, rules, ids) for one in advanced]
        attempts = [attempt for one in begun for attempt in one.attempts]
        await attempt_rows.begin(tx, attempts)
        await ledger.save(tx, [one.intent for one in begun])
        next_due_at = await ledger.next_due(tx)
    for attempt in attempts:
        if attempt.doubtful:
            DELIVERY_DOUBTFUL.labels(attempt.channel.value).inc()
    return Begun(tuple(call for one in begun for call in one.calls), len(claimed), next_due_at)
