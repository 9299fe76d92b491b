"""Due intents are claimed and their calls written down, before any call is made."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.app.advance_intents import Advanced, advance
from services.notifier.app.begin_intent import BegunIntent, Call, begin_intent
from services.notifier.app.rules import Rules
from services.notifier.app.weigh_noise import weigh_noise
from services.notifier.domain.bundling import Ready, carriers
from services.notifier.domain.ledger import Intent
from services.notifier.domain.noise import NoiseRule, Ruling
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.metrics import DELIVERY_DOUBTFUL, NOISE_RULINGS

_BUNDLED: Final = Ruling(
    NoiseRule.BUNDLED,
    Bilingual(zh="与其他事项合并为一条消息告知此人", en="told this person in one message with others"),
    None,
)


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
        noise = await weigh_noise(tx, claimed, rules)
        waited = [one for one in claimed if one.held_at is not None and not one.attempts and one.id not in noise]
        company = await ledger.lock_held_with(tx, waited) if waited else []
        noise |= await weigh_noise(tx, company, rules)
        history = await attempt_rows.history(tx, [one.id for one in claimed if one.attempts])
        advanced = await advance(tx, [*claimed, *company], history, rules=rules, ids=ids, noise=noise)
        begun = await _begun(tx, advanced, rules, ids)
        attempts = [attempt for one in begun for attempt in one.attempts]
        attempt_rows.begin(tx, attempts)
        ledger.save(tx, [one.intent for one in begun])
        next_due_at = await ledger.next_due(tx)
    for attempt in attempts:
        if attempt.doubtful:
            DELIVERY_DOUBTFUL.labels(attempt.channel.value).inc()
    return Begun(tuple(call for one in begun for call in one.calls), len(claimed), next_due_at)


async def _begun(tx: Tx, advanced: Sequence[Advanced], rules: Rules, ids: Ids) -> list[BegunIntent]:
    """The calls of each. What waited for one person goes in one message: one intent carries, the others come along."""
    ready = [Ready(one.intent, one.decision.sends[0].route.channel) for one in advanced if one.decision.sends]
    carried_by = carriers(ready)
    again = [one.intent.id for one in advanced if one.intent.is_carrier and one.decision.sends]
    company: dict[UUID | None, list[Intent]] = defaultdict(list)
    for old in await ledger.lock_carried(tx, again) if again else ():
        company[old.bundle].append(old)
    found: list[BegunIntent] = []
    leading: list[Advanced] = []
    for one in advanced:
        carrier = carried_by.get(one.intent.id)
        moved = one if carrier is None else replace(one, intent=replace(one.intent, bundle=carrier))
        if carrier is None or carrier == one.intent.id:
            leading.append(moved)
        else:
            along = replace(moved.intent, due_at=None, noise=_BUNDLED)
            NOISE_RULINGS.labels(_BUNDLED.rule.value).inc()
            company[carrier].append(along)
            found.append(BegunIntent(along))
    return found + [begin_intent(one, tx, rules, ids, company=company[one.intent.id]) for one in leading]
