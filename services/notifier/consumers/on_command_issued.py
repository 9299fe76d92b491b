"""Door: what people decided; only answers to live tests and to checks of contact points matter here."""

from collections.abc import Sequence
from typing import Any

from services.notifier.app.rules import Book
from services.notifier.app.take_confirmations import take_confirmations
from services.notifier.app.take_test_answers import take_test_answers
from shared.contracts.envelope import Event
from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings
from shared.runtime.ids import Ids


def on_command_issued(
    database: Database, kafka: KafkaSettings, book: Book, ids: Ids, *, secret: bytes
) -> BatchConsumer:
    """Feeds `take_confirmations` and `take_test_answers` in batches."""

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        await take_confirmations(events, book=book, database=database, ids=ids, secret=secret)
        return await take_test_answers(events, database=database)

    return BatchConsumer(
        group="notifier-live-tests",
        topics=[COMMANDS_ISSUED],
        handler=handle,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
