"""Door: delivery receipts, as intake took them from providers."""

from collections.abc import Callable, Sequence
from typing import Any

from services.notifier.app.apply_receipts import apply_receipts
from services.notifier.app.rules import Rules
from shared.contracts.envelope import Event
from shared.contracts.topics import RECEIPTS_RECEIVED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings
from shared.runtime.ids import Ids


def on_receipt_received(
    database: Database, kafka: KafkaSettings, rules: Rules, ids: Ids, wake: Callable[[], None]
) -> BatchConsumer:
    """Feeds `apply_receipts` in batches, in a group of its own: receipts never wait behind requests."""

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        return await apply_receipts(events, database=database, rules=rules, ids=ids, wake=wake)

    return BatchConsumer(
        group="notifier-receipts",
        topics=[RECEIPTS_RECEIVED],
        handler=handle,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
