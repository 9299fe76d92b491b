"""Door: cases as the escalator moved them; only answers, ends and what complainants are to be told matter here."""

from collections.abc import Sequence
from typing import Any

from services.notifier.app.note_complainant_notices import note_complainant_notices
from services.notifier.app.rules import Rules
from services.notifier.app.stop_answered import stop_answered
from shared.contracts.envelope import Event
from shared.contracts.topics import CASES_ESCALATED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.outcome import Outcome
from shared.kafka.settings import KafkaSettings
from shared.runtime.ids import Ids


def on_case_escalated(database: Database, kafka: KafkaSettings, rules: Rules, ids: Ids) -> BatchConsumer:
    """Feeds `stop_answered` and `note_complainant_notices` in batches.

    In a group of its own: an answer never waits behind requests.
    """

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        await note_complainant_notices(events, database=database)
        return await stop_answered(events, database=database, rules=rules, ids=ids)

    return BatchConsumer(
        group="notifier-answers",
        topics=[CASES_ESCALATED],
        handler=handle,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
