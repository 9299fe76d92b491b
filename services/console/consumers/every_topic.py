"""Reads every topic and their dead-letter twins."""

from collections.abc import Sequence
from typing import Any, Final

from services.console.app.project_events import project_events
from services.console.app.record_dead_letters import record_dead_letters
from services.console.domain.plan_words import PlanWords
from shared.contracts.envelope import Event
from shared.contracts.topics import TOPICS
from shared.db.engine import Database
from shared.kafka.consumer import BatchConsumer, ConsumerPolicy
from shared.kafka.dead_letter_reader import DeadLetterReader
from shared.kafka.dead_letters import DeadRecord
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings

_LOOKED_AT: Final = ConsumerPolicy(interval=0.25)
"""People look at it: a quarter of a second costs them nothing, and few large batches cost the others little."""


def events_consumer(database: Database, kafka: KafkaSettings, words: PlanWords) -> BatchConsumer:
    """Every event into the read model."""

    async def on_events(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        return await project_events(events, database=database, words=words)

    return BatchConsumer(
        group="console", topics=TOPICS, handler=on_events, database=database, kafka=kafka, policy=_LOOKED_AT
    )


def letters_reader(database: Database, kafka: KafkaSettings) -> DeadLetterReader:
    """Every dead letter into its list."""

    async def on_letters(letters: Sequence[DeadRecord]) -> object:
        return await record_dead_letters(letters, database=database)

    return DeadLetterReader(group="console-dead-letters", topics=TOPICS, keep=on_letters, kafka=kafka)
