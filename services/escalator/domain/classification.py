"""Opening a case, and what becomes of it when the classifier says more. A level never falls here."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.escalator.domain import activation, deadlines, duplicates, informing, ladder, notices, waiting, wording
from services.escalator.domain.case import DISMISSED_STATES, Case
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.time_bases import Rules
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.values import Bilingual, FactValue, PlanRef
from shared.plans.compiled import CaseView, UnknownLevelError

_MAX_DETAILS = 40


def open_case(
    rules: Rules,
    *,
    org: str,
    case_id: UUID,
    plan: PlanRef,
    classified: CaseClassifiedV1,
    now: datetime,
    other: Case | None = None,
) -> Decision:
    """The case with its first level, its clocks, and its first page, which goes at once.

    `other` is the case it is the same event as, where that is known here: then it may be merged instead.
    Raises NeedsCalendarError when the plan counts in something that needs a calendar.
    """
    for spec in rules.plan.clocks:
        rules.base(spec.limit)
    case = Case(
        org=org,
        case_id=case_id,
        number=classified.number,
        kind=classified.kind,
        plan=plan,
        opened_at=now,
        changed_at=now,
        classified_revision=classified.revision,
        occurred_at=classified.occurred_at,
        received_at=classified.received_at,
        decided_by=classified.decided_by,
        milestones={
            "occurred": classified.occurred_at,
            "received": classified.received_at,
            "classified": classified.classified_at,
        },
        inputs=_inputs(rules, classified, classified.facts),
        facts=classified.facts,
        title=classified.title,
        title_en=classified.title_en,
        topic=classified.topic,
        place=classified.place,
        language=classified.language,
        drill=classified.drill,
        source_resolved=classified.resolved,
    )
    turn = Turn(rules, case, now)
    rules.plan.rank(classified.level)
    because = reason_of(turn.rules, classified)
    turn.set(level=classified.level)
    turn.decided(because)
    turn.note(
        ChangeKind.OPENED,
        because,
        level=classified.level,
        level_label=turn.level_label(classified.level),
        criterion=classified.decided_by,
        classification=classified.revision,
    )
    if classified.split_from is not None:
        whole = classified.split_from
        turn.note(ChangeKind.SPLIT, turn.both("split_from", number=whole), split_from=whole)
    for milestone in ("received", "classified"):
        notices.at(turn, milestone)
    if duplicates.settle(turn, classified.duplicate_of, other):
        return turn.decide()
    if not classified.resolved:
        activation.consider(turn)
    deadlines.refresh(turn)
    if classified.resolved:
        end_by_source(turn, classified.resolved_because)
    else:
        activation.start_unless_held(turn, "first_page")
    return turn.decide()


def reclassify(
    rules: Rules, case: Case, classified: CaseClassifiedV1, now: datetime, other: Case | None = None
) -> Decision:
    """The case after one more classification.

    Facts of an older revision than the newest known are ignored. Its level still counts when it is higher than the
    case's: it would have been reached had the news come in order, so any order ends at the same level.
    """
    turn = Turn(rules, case, now)
    if classified.revision == case.classified_revision:
        return turn.ignore("this revision is known")
    newer = classified.revision > case.classified_revision
    if newer:
        _take_over_facts(turn, classified)
        if duplicates.settle(turn, classified.duplicate_of, other):
            return turn.decide()
    _judge_level(turn, classified, newer=newer)
    if newer:
        if not classified.resolved:
            reconsider(turn, case)
        _follow_source(turn, classified)
    if not newer and turn.case == case:
        return turn.ignore("older than what is known")
    return turn.decide()


def reconsider(turn: Turn, before: Case) -> None:
    """What a plan makes depend on facts, looked at again after they changed at the same level: the gate, who is told.

    `before` is the case with what was known until then.
    """
    case = turn.case
    if case.open and case.level == before.level and case.inputs != before.inputs:
        activation.facts_arrived(turn)
        informing.facts_arrived(turn, before)


def raise_level(turn: Turn, level: str, *, at: datetime, because: Bilingual, decided_by: str | None) -> None:
    """A higher level: acknowledged anew, clocks of the new level, paged at once, and its roles informed."""
    case = turn.case
    before = case.level
    turn.set(level=level, decided_by=decided_by, raised_at=turn.now, kept_proposal=None)
    turn.decided(because)
    turn.note(
        ChangeKind.LEVEL_RAISED,
        because,
        before=before,
        level=level,
        level_label=turn.level_label(level),
        criterion=decided_by,
    )
    if case.state in DISMISSED_STATES:
        return
    if before is not None:
        notices.at(turn, "level-changed")
    if not case.open:
        reopen(turn, turn.both("worse"))
    elif case.state is CaseState.WAITING:
        deadlines.resume(turn, turn.now)
    turn.set(
        state=CaseState.CLASSIFIED,
        acknowledgement=None,
        pages=(),
        milestones={**turn.case.milestones, "classified": at},
    )
    activation.consider(turn)
    # Who took notice of the milder level has not taken notice of this one.
    deadlines.count_anew(turn, "acknowledged", at, start="classified")
    deadlines.refresh(turn)
    activation.start_unless_held(turn, "raised_page")


def reopen(turn: Turn, because: Bilingual) -> None:
    """Back among the open cases: clocks go on from what they had spent; paging is the caller's."""
    turn.set(state=CaseState.CLASSIFIED, acknowledgement=None, source_resolved=False, pages=(), merged_into=None)
    turn.note(ChangeKind.STATE_CHANGED, because, state=CaseState.CLASSIFIED)
    notices.at(turn, "reopened")
    activation.consider(turn)
    deadlines.go_on(turn, "resolved")
    deadlines.go_on(turn, "closed")
    deadlines.count_anew(turn, "acknowledged", turn.now)
    deadlines.refresh(turn)


def end_by_source(turn: Turn, ended: Bilingual | None = None) -> None:
    """The source says it is over, or a warning has ended: nobody needs to be paged, and those who were are told."""
    turn.set(state=CaseState.RESOLVED, source_resolved=True)
    because = ended or turn.both("source_resolved")
    turn.note(ChangeKind.STATE_CHANGED, because, state=CaseState.RESOLVED)
    ladder.halt(turn)
    if "acknowledged" not in turn.case.milestones:
        deadlines.passed(turn, "acknowledged", turn.now)
    deadlines.passed(turn, "resolved", turn.now)
    informing.stand_down(turn, because)


def _take_over_facts(turn: Turn, classified: CaseClassifiedV1) -> None:
    facts = turn.case.facts
    take_facts(turn, classified)
    if facts != turn.case.facts and turn.case.open:
        deadlines.refresh(turn)


def take_facts(turn: Turn, classified: CaseClassifiedV1, *, news: bool = True) -> None:
    """What the classification says is known from now on, told as far as it is new. Clocks are the caller's.

    News from the source ends a wait; what another version of the plan merely reads is no `news`.
    """
    case = turn.case
    adopted = {name: value for name, value in case.adopted.items() if name not in classified.facts}
    facts = {**adopted, **classified.facts}
    added = {name: value for name, value in facts.items() if case.facts.get(name) != value}
    turn.set(
        classified_revision=classified.revision,
        inputs=_inputs(turn.rules, classified, facts),
        facts=facts,
        adopted=adopted,
        title=classified.title or case.title,
        title_en=classified.title_en if classified.title else case.title_en,
        topic=classified.topic or case.topic,
        place=classified.place,
    )
    if added:
        _note_facts(turn, added)
        if news and case.state is CaseState.WAITING:
            waiting.over(turn, "customer_answered")


def _note_facts(turn: Turn, added: dict[str, FactValue]) -> None:
    listed = wording.facts(added, turn.rules.plan.plan)
    details = dict(list(added.items())[:_MAX_DETAILS])
    turn.note(ChangeKind.FACTS_ADDED, turn.both("facts_added", facts=listed), **details)


def _judge_level(turn: Turn, classified: CaseClassifiedV1, *, newer: bool) -> None:
    plan, case = turn.rules.plan, turn.case
    try:
        rank = plan.rank(classified.level)
    except UnknownLevelError:
        turn.note(ChangeKind.LEVEL_KEPT, turn.both("level_unknown", proposed=classified.level))
        return
    present = plan.rank(case.level)
    overruled = is_overruled(case, classified, rank)
    if classified.level is not None and rank > present and not overruled:
        raise_level(
            turn,
            classified.level,
            at=classified.classified_at,
            because=reason_of(turn.rules, classified),
            decided_by=classified.decided_by,
        )
    elif rank != present and newer:
        _keep(turn, classified.level, "level_overruled" if rank > present else "level_kept")
    elif rank == present:
        turn.set(kept_proposal=None)
    if overruled and case.overruling is not None and rank > case.overruling.rank:
        turn.set(overruling=type(case.overruling)(case.overruling.at, rank, classified.decided_by))


def is_overruled(case: Case, classified: CaseClassifiedV1, rank: int) -> bool:
    """Whether a person lowered the level after this was proposed, or lowered it from just this."""
    ruling = case.overruling
    if ruling is None:
        return False
    if classified.classified_at <= ruling.at:
        return True
    return rank <= ruling.rank and classified.decided_by == ruling.decided_by


def _keep(turn: Turn, proposed: str | None, sentence: str) -> None:
    mark = f"{sentence}:{proposed}"
    if turn.case.kept_proposal == mark:
        return
    turn.set(kept_proposal=mark)
    turn.note(
        ChangeKind.LEVEL_KEPT,
        turn.both(sentence, proposed=turn.level_words(proposed), level=turn.level_words(turn.case.level)),
        proposed=proposed,
        level=turn.case.level,
    )


def _follow_source(turn: Turn, classified: CaseClassifiedV1) -> None:
    case = turn.case
    if classified.resolved and case.open:
        end_by_source(turn, classified.resolved_because)
    elif not classified.resolved and case.source_resolved and case.state is CaseState.RESOLVED:
        reopen(turn, turn.both("source_again"))
        activation.start_unless_held(turn, "first_page")


def reason_of(rules: Rules, classified: CaseClassifiedV1) -> Bilingual:
    """The criterion that decided, in words, with the values it read."""
    decider = next((found for found in classified.criteria if found.id == classified.decided_by), None)
    return wording.because_of(decider, rules.plan.plan)


def _inputs(rules: Rules, classified: CaseClassifiedV1, facts: Mapping[str, FactValue]) -> dict[str, FactValue | None]:
    return rules.plan.inputs(
        CaseView(
            case_id="",
            kind=classified.kind,
            org="",
            topic=classified.topic,
            category=None,
            channel=classified.channel,
            complainant_ref=None,
            place=classified.place,
            occurred_at=classified.occurred_at,
            received_at=classified.received_at,
            facts=facts,
            source=classified.source,
        )
    )
