"""Builds the read model: every event of every topic, in batches, in any order, once."""

from collections.abc import Sequence
from typing import Any, Final

from services.console.domain.criteria import criteria_row
from services.console.domain.lines import lines_of
from services.console.domain.plan_words import PlanWords
from services.console.domain.rows import (
    case_row,
    classification_row,
    delivery_row,
    of_type,
    report_row,
    request_row,
)
from services.console.store import projection
from services.console.store.retention import erase_personal_data, erase_whole_cases
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseErasedV1, CaseEscalatedV1
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1
from shared.contracts.reports import CaseReport
from shared.db.engine import Database
from shared.db.erasures import note_erasures
from shared.kafka.erasing import Share, erasure_of
from shared.kafka.outcome import DONE, DUPLICATE, Outcome

SHARE: Final = Share(erase_personal_data, erase_whole_cases)
"""What the read model gives up of erased cases."""


async def project_events(events: Sequence[Event[Any]], *, database: Database, words: PlanWords) -> list[Outcome]:
    """Apply the batch in one transaction. An event applied before, or twice in the batch, changes nothing."""
    async with database.transaction() as tx:
        await projection.take_turn(tx)
        unseen = set(await tx.first_seen([event.id for event in events]))
        fresh: list[Event[Any]] = []
        outcomes: list[Outcome] = []
        for event in events:
            if event.id in unseen:
                unseen.discard(event.id)
                fresh.append(event)
                outcomes.append(DONE)
            else:
                outcomes.append(DUPLICATE)
        if not fresh:
            return outcomes
        await projection.add_lines(tx, [row for event in fresh for row in _line_rows(event, words)])
        await projection.add_reports(tx, [report_row(event) for event in of_type(fresh, CaseReport)])
        explained = of_type(fresh, CaseClassifiedV1)
        await projection.add_criteria(tx, [row for event in explained if (row := criteria_row(event.data)) is not None])
        await projection.add_classifications(tx, [classification_row(event) for event in explained])
        await projection.save_cases(tx, [case_row(event) for event in of_type(fresh, CaseEscalatedV1)])
        requested = of_type(fresh, NotificationRequestedV1)
        await projection.add_requests(tx, [request_row(event) for event in requested])
        settled = of_type(fresh, NotificationSettledV1)
        await projection.save_deliveries(tx, [delivery_row(event) for event in settled])
        erased = [erasure_of(event) for event in of_type(fresh, CaseErasedV1)]
        if erased:
            await note_erasures(tx, erased)
            await SHARE.erase(tx, erased)
        await projection.touch_cases(tx, sorted({event.case_id for event in (*requested, *settled, *explained)}))
        await projection.announce(tx)
    return outcomes


def _line_rows(event: Event[Any], words: PlanWords) -> list[dict[str, Any]]:
    return [
        {
            "event_id": str(event.id),
            "line": number,
            "org": event.org,
            "case_id": str(event.case_id),
            "plan": line.plan,
            "number": line.number,
            "at": line.at.isoformat(),
            "kind": line.kind,
            "tone": line.tone,
            "zh": line.zh,
            "en": line.en,
            "details": line.details,
            "actor": line.actor,
            "causation": event.causation,
        }
        for number, line in enumerate(lines_of(event, words))
    ]
