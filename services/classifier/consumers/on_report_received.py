"""`complaints-received` and `incidents-reported`: every registered fact is classified."""

from collections.abc import Sequence
from typing import Any

from services.classifier.app.classify_reports import classify_reports
from services.classifier.app.judge_cases import Ports
from shared.contracts.envelope import Event
from shared.contracts.topics import COMPLAINTS_RECEIVED, INCIDENTS_REPORTED
from shared.db.engine import Database
from shared.kafka.consumer import BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings


def on_report_received(database: Database, kafka: KafkaSettings, ports: Ports) -> BatchConsumer:
    """The consumer of both topics of reports."""

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        return await classify_reports(events, database, ports)

    return BatchConsumer(
        group="classifier",
        topics=[COMPLAINTS_RECEIVED, INCIDENTS_REPORTED],
        handler=handle,
        database=database,
        kafka=kafka,
    )
