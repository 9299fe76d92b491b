"""Classifications, commands and settled notifications: one group, so that a case's facts are applied in turn."""

from services.escalator.app.apply_events import ApplyEvents
from shared.contracts.topics import CASES_CLASSIFIED, COMMANDS_ISSUED, NOTIFICATIONS_SETTLED
from shared.db.engine import Database
from shared.kafka.consumer import BatchConsumer
from shared.kafka.settings import KafkaSettings

GROUP = "escalator"


def on_case_facts(apply: ApplyEvents, database: Database, kafka: KafkaSettings) -> BatchConsumer:
    """The consumer of everything the escalator reads."""
    return BatchConsumer(
        group=GROUP,
        topics=(CASES_CLASSIFIED, COMMANDS_ISSUED, NOTIFICATIONS_SETTLED),
        handler=apply,
        database=database,
        kafka=kafka,
    )
