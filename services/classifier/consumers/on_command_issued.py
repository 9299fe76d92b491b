"""`commands-issued`: a person wants a case under another version of its plan. Every other command is passed over."""

from collections.abc import Sequence
from typing import Any

from services.classifier.app.judge_cases import Ports
from services.classifier.app.move_cases import LookAgain, move_cases
from shared.contracts.envelope import Event
from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings


def on_command_issued(database: Database, kafka: KafkaSettings, ports: Ports, look_again: LookAgain) -> BatchConsumer:
    """The consumer of commands: few of them are for the classifier, and none of those is in a hurry."""

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        return await move_cases(events, database, ports, look_again)

    return BatchConsumer(
        group="classifier-commands",
        topics=[COMMANDS_ISSUED],
        handler=handle,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
