"""The doors through which Kafka comes in. The case's row lock keeps its facts in turn, whichever door they take."""

from services.escalator.app.apply_events import ApplyEvents
from shared.contracts.topics import CASES_CLASSIFIED, COMMANDS_ISSUED, NOTIFICATIONS_SETTLED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.settings import KafkaSettings

GROUP = "escalator"
SETTLED_GROUP = "escalator-settled"


def on_case_facts(apply: ApplyEvents, database: Database, kafka: KafkaSettings) -> BatchConsumer:
    """Classifications and commands: somebody waits for what follows from them."""
    return BatchConsumer(
        group=GROUP,
        topics=(CASES_CLASSIFIED, COMMANDS_ISSUED),
        handler=apply,
        database=database,
        kafka=kafka,
    )


def on_notification_settled(apply: ApplyEvents, database: Database, kafka: KafkaSettings) -> BatchConsumer:
    """What became of notifications: many, and a tenth of a second later is soon enough."""
    return BatchConsumer(
        group=SETTLED_GROUP,
        topics=(NOTIFICATIONS_SETTLED,),
        handler=apply,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
