"""What a plan wants complainants told by itself is written down, to be sent when they asked for it."""

from collections.abc import Iterator, Sequence

from services.notifier.domain.complainant_notices import ComplainantNotice
from services.notifier.store import complainant_notices as rows
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseEscalatedV1, ChangeKind
from shared.contracts.notifications import notice_id
from shared.db.engine import Database


async def note_complainant_notices(events: Sequence[Event[CaseEscalatedV1]], *, database: Database) -> None:
    """Noting an event again changes nothing. A rehearsal tells no complainant."""
    notices = [one for event in events if not event.data.drill for one in _notices(event)]
    if notices:
        async with database.transaction() as tx:
            await rows.add(tx, notices)


def _notices(event: Event[CaseEscalatedV1]) -> Iterator[ComplainantNotice]:
    case = event.data
    for change in case.changes:
        said, text = change.details.get("notice"), change.details.get("text")
        if change.kind is not ChangeKind.COMPLAINANT_NOTICE or change.details.get("by_itself") is not True:
            continue
        if isinstance(said, str) and isinstance(text, str):
            reason, outcome = change.details.get("reason"), change.details.get("outcome")
            yield ComplainantNotice(
                id=notice_id(event.case_id, case.plan.name, said, change.at),
                org=event.org,
                case_id=event.case_id,
                plan=case.plan.name,
                notice=said,
                number=case.number,
                language="en" if change.details.get("language") == "en" else "zh",
                text=text,
                reason=reason if isinstance(reason, str) else None,
                noted_at=change.at,
                outcome=outcome if isinstance(outcome, str) else None,
            )
