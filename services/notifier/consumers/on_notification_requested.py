"""Door: requests to tell people, from the escalator."""

from collections.abc import Sequence
from typing import Any

from services.notifier.app.accept_requests import accept_requests
from services.notifier.app.begin_intent import Sender
from services.notifier.app.rules import Rules
from shared.contracts.envelope import Event
from shared.contracts.topics import NOTIFICATIONS_REQUESTED
from shared.db.engine import Database
from shared.kafka.consumer import BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings
from shared.runtime.ids import Ids


def on_notification_requested(
    database: Database, kafka: KafkaSettings, rules: Rules, ids: Ids, sender: Sender
) -> BatchConsumer:
    """Feeds `accept_requests` in batches."""

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        return await accept_requests(events, database=database, rules=rules, ids=ids, sender=sender)

    topics = [NOTIFICATIONS_REQUESTED]
    return BatchConsumer(group="notifier", topics=topics, handler=handle, database=database, kafka=kafka)
