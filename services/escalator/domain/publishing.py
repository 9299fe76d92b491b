"""A decision as it is published: the whole case after it, so that the latest revision alone is enough to show it."""

from datetime import datetime

from services.escalator.domain import asking, clocks, wording
from services.escalator.domain.case import Case
from services.escalator.domain.clocks import Clock
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.ladder import next_tier, present_tier
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import CaseEscalatedV1, CaseMergedV1, CaseState, ClockStatus
from shared.contracts.values import trusted
from shared.plans.duties import CompiledClock


def published(rules: Rules, decision: Decision, now: datetime) -> CaseEscalatedV1 | None:
    """The event of a decision; None when it changed nothing worth telling."""
    if not decision.changes:
        return None
    case, plan = decision.case, rules.plan
    turn = Turn(rules, case, now)
    page = case.ladder
    tier = present_tier(turn) if page is not None else None
    above = next_tier(turn) if case.paging else None
    return trusted(
        CaseEscalatedV1,
        number=case.number,
        kind=case.kind,
        plan=case.plan,
        revision=case.revision,
        state=case.state,
        level=case.level,
        level_label=turn.level_label(case.level) if case.level else None,
        level_rank=plan.rank(case.level),
        highest_rank=plan.highest_rank,
        tier=page.tier if page is not None else None,
        tier_label=wording.words(tier.label, case.language) if tier and page and tier.id == page.tier else None,
        next_tier=above.id if above else None,
        next_tier_at=page.next_at if page is not None else None,
        acknowledged_by=case.acknowledgement.actor if case.acknowledgement else None,
        acknowledged_at=case.acknowledgement.at if case.acknowledgement else None,
        handled_by=case.handler,
        decided_by=case.decided_by,
        because=case.because,
        title=case.title,
        topic=case.topic,
        place=case.place,
        opened_at=case.opened_at,
        changed_at=case.changed_at,
        changes=decision.changes,
        clocks=statuses(rules, case, now),
        activation=asking.activation_of(rules, case),
        approvals=asking.approvals_of(rules, case),
        checklist=asking.checklist_of(rules, case),
        drill=case.drill,
    )


def merged(before: Case | None, case: Case, now: datetime) -> CaseMergedV1 | None:
    """Whether another case goes on for this one from now on, or no longer; None when that is as it was."""
    elsewhere = case.merged_into if case.state is CaseState.MERGED else None
    known = before.merged_into if before is not None and before.state is CaseState.MERGED else None
    if elsewhere == known:
        return None
    return CaseMergedV1(number=case.number, plan=case.plan, revision=case.revision, into=elsewhere, changed_at=now)


def statuses(rules: Rules, case: Case, now: datetime) -> tuple[ClockStatus, ...]:
    """Every clock of the case as it stands at `now`, those of earlier versions of its plan last."""
    rules = rules.of(case.org)
    specs = {spec.id: spec for spec in rules.plan.clocks}
    return (*(status_of(rules, specs[clock.id], clock, case, now) for clock in case.clocks), *case.past_clocks)


def status_of(rules: Rules, spec: CompiledClock, clock: Clock, case: Case, now: datetime) -> ClockStatus:
    """One clock of the case as it stands at `now`; `rules` are those of the case's organisation."""
    base = rules.base(clock.limit)
    return trusted(
        ClockStatus,
        id=clock.id,
        label=wording.words(spec.label, case.language),
        state=clocks.state_of(clock, now, base),
        started_at=clock.started_at,
        due_at=clocks.due_at(clock, base),
        stopped_at=clock.stopped_at,
        until=spec.until,
        provisional=clock.provisional,
    )
