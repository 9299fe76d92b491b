"""`cases-merged`: a case goes on for another one, and is judged by what is known of both."""

from collections.abc import Sequence
from typing import Any

from services.classifier.app.absorb_cases import absorb_cases
from services.classifier.app.judge_cases import Ports
from shared.contracts.envelope import Event
from shared.contracts.topics import CASES_MERGED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings


def on_case_merged(database: Database, kafka: KafkaSettings, ports: Ports) -> BatchConsumer:
    """The consumer of mergers: few a day."""

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        return await absorb_cases(events, database, ports)

    return BatchConsumer(
        group="classifier-mergers",
        topics=[CASES_MERGED],
        handler=handle,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
