"""What a move to the version of a plan in force would do to each open case. Nothing is changed, nothing is locked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.escalator.domain import wording
from services.escalator.domain.case import Case
from services.escalator.domain.decision import level_label
from services.escalator.domain.moving import move, wanted_move
from services.escalator.domain.publishing import statuses
from services.escalator.domain.time_bases import Rules
from services.escalator.store.plans import Plans
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.escalations import ChangeKind, ClockState, ClockStatus
from shared.contracts.values import CaseKind, PlanRef
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class ClockMove:
    """One clock before and after; None where it is not there. An end is absent while a clock stands still."""

    id: str
    label: str
    due_before: datetime | None
    due_after: datetime | None
    state_before: ClockState | None
    state_after: ClockState | None

    @property
    def differs(self) -> bool:
        return (self.due_before, self.state_before) != (self.due_after, self.state_after)


@dataclass(frozen=True, slots=True)
class MovePreview:
    """One case before and after. `refused` says why it would stay as it is. Words are in the case's language."""

    case_id: UUID
    org: str
    number: str
    before: PlanRef
    after: PlanRef
    level_before: str
    level_after: str
    because: str | None
    clocks: tuple[ClockMove, ...]
    tier_before: str | None
    tier_after: str | None
    told: tuple[tuple[str, tuple[str, ...]], ...]
    changes: tuple[str, ...]
    refused: str | None


async def preview_moves(
    database: Database, plans: Plans, cases: Sequence[Case], judged: Mapping[UUID, CaseClassifiedV1], plan: PlanRef
) -> list[MovePreview]:
    """What becomes of each case when the classifier says what it would say (`judged`), in the order given."""
    async with database.transaction() as tx:
        await plans.load(tx, [case.plan for case in cases])
        now = tx.now
    return [_preview(plans, case, judged.get(case.case_id), plan, now) for case in cases]


def _preview(
    plans: Plans, case: Case, classified: CaseClassifiedV1 | None, plan: PlanRef, now: datetime
) -> MovePreview:
    before, after = plans.rules_of(case.plan), plans.rules_of(plan)
    asked = wanted_move(case, classified) if classified is not None else None
    if classified is None or asked is None:
        sentence = "move_refused_warning" if case.kind is CaseKind.WARNING else "move_refused_unknown"
        return _shown(case, (before, before), case, now, plan=plan, refused=wording.say(case.language, sentence))
    decision = move((before, after), case, classified, asked, now)
    moved = decision.case.plan != case.plan
    said = next((one.because for one in decision.changes if one.kind is ChangeKind.COMMAND_REFUSED), None)
    return _shown(
        case,
        (before, after if moved else before),
        decision.case,
        now,
        plan=plan,
        told=tuple((request.purpose.value, request.roles) for request in decision.requests),
        changes=tuple(one.because for one in decision.changes),
        refused=None if moved else said or "",
    )


def _shown(
    case: Case,
    rules: tuple[Rules, Rules],
    then: Case,
    now: datetime,
    *,
    plan: PlanRef,
    told: tuple[tuple[str, tuple[str, ...]], ...] = (),
    changes: tuple[str, ...] = (),
    refused: str | None,
) -> MovePreview:
    old = {one.id: one for one in statuses(rules[0], case, now)}
    new = {one.id: one for one in statuses(rules[1], then, now)}
    return MovePreview(
        case_id=case.case_id,
        org=case.org,
        number=case.number,
        before=case.plan,
        after=plan,
        level_before=level_label(rules[0], case.level, case.language),
        level_after=level_label(rules[1], then.level, case.language),
        because=then.because,
        clocks=tuple(_clock(name, old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))),
        tier_before=case.ladder.tier if case.ladder is not None else None,
        tier_after=then.ladder.tier if then.ladder is not None else None,
        told=told,
        changes=changes,
        refused=refused,
    )


def _clock(name: str, before: ClockStatus | None, after: ClockStatus | None) -> ClockMove:
    known = after or before
    return ClockMove(
        id=name,
        label=known.label if known is not None else name,
        due_before=before.due_at if before is not None else None,
        due_after=after.due_at if after is not None else None,
        state_before=before.state if before is not None else None,
        state_after=after.state if after is not None else None,
    )
