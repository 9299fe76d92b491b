"""Events as rows of the read model: which facts are kept, and what a board derives from them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseEscalatedV1, CaseState, ClockState, ClockStatus
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1
from shared.contracts.reports import CaseReport, ComplaintReceivedV1
from shared.contracts.values import Contract

_OPEN: Final = frozenset({CaseState.CLASSIFIED, CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS, CaseState.WAITING})
_BANDS: Final = 4
_ASKED: Final = {"activation", "approvals", "checklist"}
Row = dict[str, Any]


def is_open(state: CaseState) -> bool:
    """True while somebody still has to act."""
    return state in _OPEN


def severity(rank: int, highest: int) -> int:
    """0 (no level) to 4 (the plan's highest), so that plans with different numbers of levels share colours.

    Four levels give 1, 2, 3, 4; three give 2, 3, 4; two give 2, 4; one gives 4.
    """
    if rank <= 0 or highest <= 0:
        return 0
    return min(_BANDS, -(-_BANDS * rank // highest))


def next_due(clocks: Sequence[ClockStatus], next_tier_at: datetime | None) -> datetime | None:
    """The instant that makes the case urgent: the next tier or the first clock still counted, whichever is earlier."""
    counted = [clock.due_at for clock in clocks if clock.due_at and clock.state == ClockState.RUNNING]
    if next_tier_at is not None:
        counted.append(next_tier_at)
    return min(counted, default=None)


def case_row(event: Event[CaseEscalatedV1]) -> Row:
    """The case as it stands after the event."""
    case = event.data
    row = case.model_dump(mode="json", exclude={"plan", "changes", "kind", "state", *_ASKED})
    return row | {
        "case_id": str(event.case_id),
        "org": event.org,
        "kind": case.kind.value,
        "plan": case.plan.name,
        "plan_version": case.plan.version,
        "plan_sha256": case.plan.sha256,
        "state": case.state.value,
        "is_open": is_open(case.state),
        "asked": case.model_dump(mode="json", include=_ASKED),
        "due_at": _text(next_due(case.clocks, case.next_tier_at)),
    }


def report_row(event: Event[CaseReport]) -> Row:
    """The registered fact, whole."""
    report = event.data
    return {
        "case_id": str(event.case_id),
        "sequence": report.sequence,
        "org": event.org,
        "event_id": str(event.id),
        "kind": "complaint" if isinstance(report, ComplaintReceivedV1) else "incident",
        "number": report.number,
        "received_at": report.received_at.isoformat(),
        "body": report.model_dump(mode="json"),
    }


def classification_row(event: Event[CaseClassifiedV1]) -> Row:
    """The classification, whole, and the criterion that decided by itself."""
    found = event.data
    body = found.model_dump(mode="json")
    decided = next((result for result in body["criteria"] if result["id"] == found.decided_by), None)
    return {
        "case_id": str(event.case_id),
        "plan": found.plan.name,
        "revision": found.revision,
        "org": event.org,
        "event_id": str(event.id),
        "number": found.number,
        "classified_at": found.classified_at.isoformat(),
        "body": body,
        "decided": decided,
    }


def request_row(event: Event[NotificationRequestedV1]) -> Row:
    """Who was to be told."""
    request = event.data
    return {
        "request_id": str(request.request_id),
        "case_id": str(event.case_id),
        "plan": request.subject.plan,
        "org": event.org,
        "event_id": str(event.id),
        "purpose": request.purpose.value,
        "step": request.step,
        "roles": list(request.roles),
        "channels": [channel.value for channel in request.channels],
        "requested_at": request.requested_at.isoformat(),
    }


def delivery_row(event: Event[NotificationSettledV1]) -> Row:
    """Who was told, or why not."""
    settled = event.data
    row = settled.model_dump(mode="json", exclude={"number", "drill"})
    return row | {"case_id": str(event.case_id), "org": event.org, "event_id": str(event.id)}


def of_type(events: Sequence[Event[Any]], kind: type[Contract]) -> list[Event[Any]]:
    """The events that carry this contract or one derived from it."""
    return [event for event in events if isinstance(event.data, kind)]


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
