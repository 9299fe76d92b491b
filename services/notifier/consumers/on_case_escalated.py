"""Door: cases as the escalator moved them: answers, ends, merges and what complainants are to be told matter here."""

from collections.abc import Sequence
from typing import Any

from services.notifier.app.note_complainant_notices import note_complainant_notices
from services.notifier.app.note_merged_cases import note_merged_cases
from services.notifier.app.rules import Rules
from services.notifier.app.stop_answered import stop_answered
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseMergedV1
from shared.contracts.topics import CASES_ESCALATED, CASES_MERGED
from shared.db.engine import Database
from shared.kafka.consumer import UNHURRIED_POLICY, BatchConsumer
from shared.kafka.outcome import DONE, Outcome
from shared.kafka.settings import KafkaSettings
from shared.runtime.ids import Ids


def on_case_escalated(database: Database, kafka: KafkaSettings, rules: Rules, ids: Ids) -> BatchConsumer:
    """Feeds `stop_answered`, `note_complainant_notices` and `note_merged_cases` in batches.

    In a group of its own: an answer never waits behind requests.
    """

    async def handle(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        moved = [event for event in events if not isinstance(event.data, CaseMergedV1)]
        if len(moved) < len(events):
            await note_merged_cases(
                [event for event in events if isinstance(event.data, CaseMergedV1)], database=database
            )
        await note_complainant_notices(moved, database=database)
        await stop_answered(moved, database=database, rules=rules, ids=ids)
        return [DONE for _ in events]

    return BatchConsumer(
        group="notifier-answers",
        topics=[CASES_ESCALATED, CASES_MERGED],
        handler=handle,
        database=database,
        kafka=kafka,
        policy=UNHURRIED_POLICY,
    )
