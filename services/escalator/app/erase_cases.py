"""Erase what was told of cases whose state is erased by now, and tell every service to do the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from services.escalator.app.record_decisions import SOURCE
from services.escalator.domain.case import Case
from services.escalator.store import retention
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseErasedV1, ErasedPart
from shared.contracts.values import Actor
from shared.db.erasures import Erasure, note_erasures
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.metrics import CASES_ERASED
from shared.runtime.tracing import next_span

Why = Literal["request", "age"]


@dataclass(frozen=True, slots=True)
class Erased:
    """One case, under all its plans, of which this part is to go."""

    org: str
    case_id: UUID
    number: str
    part: ErasedPart
    why: Why
    last_changed_at: datetime
    actor: Actor | None = None
    reason: str | None = None
    causation: str | None = None
    traceparent: str | None = None

    @classmethod
    def on_request(cls, event: Event[Any], command: CommandIssuedV1, before: Sequence[Case]) -> Self:
        """Asked for by a person. `before`: the case under its plans, as it was."""
        return cls(
            org=event.org,
            case_id=event.case_id,
            number=before[0].number,
            part=ErasedPart.PERSONAL_DATA,
            why="request",
            last_changed_at=max(case.changed_at for case in before),
            actor=command.actor,
            reason=command.reason,
            causation=str(event.id),
            traceparent=event.traceparent,
        )


async def erase_cases(tx: Tx, erased: Sequence[Erased], *, ids: Ids) -> None:
    """Delete what the history holds of them beside the state, remember it, and publish it; all with the caller's."""
    if not erased:
        return
    await note_erasures(tx, [_erasure(one, tx.now) for one in erased])
    for part, erase in (
        (ErasedPart.PERSONAL_DATA, retention.erase_personal_data),
        (ErasedPart.CASE, retention.erase_whole_cases),
    ):
        if case_ids := [one.case_id for one in erased if one.part is part]:
            await erase(tx, case_ids)
    for one in erased:
        tx.outbox.add(
            Event(
                id=ids.new(),
                source=SOURCE,
                time=tx.now,
                org=one.org,
                case_id=one.case_id,
                data=CaseErasedV1(
                    number=one.number,
                    part=one.part,
                    actor=one.actor,
                    reason=one.reason,
                    last_changed_at=one.last_changed_at,
                    erased_at=tx.now,
                ),
                causation=one.causation,
                traceparent=next_span(one.traceparent),
            )
        )
    tx.after_commit.append(lambda: _tell(erased))


def _erasure(one: Erased, now: datetime) -> Erasure:
    return Erasure(
        case_id=one.case_id,
        org=one.org,
        number=one.number,
        part=one.part,
        last_changed_at=one.last_changed_at,
        erased_at=now,
        actor=one.actor.ref if one.actor is not None else None,
        reason=one.reason,
    )


def _tell(erased: Sequence[Erased]) -> None:
    for one in erased:
        CASES_ERASED.labels(one.part.value, one.why).inc()
