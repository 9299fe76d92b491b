"""An open case goes over to another version of its plan, because a named person wants it to. What happened stays."""

from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from services.escalator.domain import activation, carrying, deadlines, ladder, wording
from services.escalator.domain.case import OPEN_STATES, Case
from services.escalator.domain.classification import (
    is_overruled,
    raise_level,
    reason_of,
    reclassify,
    take_facts,
)
from services.escalator.domain.decision import INFORM_CHANNELS, Decision, Turn
from services.escalator.domain.time_bases import NeedsCalendarError, Rules
from shared.contracts.classifications import CaseClassifiedV1, PlanMove
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Bilingual


class _Course(Enum):
    """What becomes of the level."""

    SAME = auto()
    RISES = auto()
    FALLS = auto()  # the person let it
    KEPT = auto()  # the version proposes a lower one, or what a person has overruled
    REPLACED = auto()  # the version has no level of this name


def wanted_move(case: Case, classified: CaseClassifiedV1) -> PlanMove | None:
    """The move that this classification tells of, unless the case is under that version or knows more by now."""
    move = classified.move
    if move is None or classified.revision <= case.classified_revision:
        return None
    return None if move.refused is None and classified.plan.sha256 == case.plan.sha256 else move


def move(
    rules: tuple[Rules, Rules], case: Case, classified: CaseClassifiedV1, asked: PlanMove, now: datetime
) -> Decision:
    """The case under the second of the rules, by which `classified` was judged; or as it was, with the refusal.

    Milestones, extensions, time left out and what was told stay. A level falls only where the person let it.
    """
    before, after = (one.of(case.org) for one in rules)
    why = _refusal(after, case, classified, asked)
    if why is not None:
        return _refused(before, case, classified, (asked, why), now)
    turn = Turn(after, case.evolve(plan=after.plan.ref), now)
    course = _course(after, case, classified, asked)
    level = case.level if course is _Course.KEPT else classified.level
    _note_move(turn, case, asked, level)
    take_facts(turn, classified, news=False)
    _settle_level(turn, case, classified, course)
    carrying.carry_over(turn, before)
    _drop_approvals(turn)
    if course is _Course.RISES and level is not None:
        because = reason_of(after, classified)
        raise_level(turn, level, at=classified.classified_at, because=because, decided_by=classified.decided_by)
    else:
        if case.held:
            activation.consider(turn)
        deadlines.refresh(turn)
        _turn_to_people(turn, before, case)
    carrying.stop_passed(turn)
    return turn.decide()


def _course(after: Rules, case: Case, classified: CaseClassifiedV1, asked: PlanMove) -> _Course:
    plan, held, judged = after.plan, case.level, classified.level
    if held == judged:
        return _Course.SAME
    if held is not None and held not in {level.id for level in plan.plan.levels}:
        return _Course.REPLACED
    if plan.rank(judged) > plan.rank(held):
        return _Course.KEPT if is_overruled(case, classified, plan.rank(judged)) else _Course.RISES
    return _Course.FALLS if asked.levels == "as-judged" else _Course.KEPT


def _refusal(after: Rules, case: Case, classified: CaseClassifiedV1, asked: PlanMove) -> Bilingual | None:
    """Why the case stays under its version; None when it moves."""
    if asked.refused is not None:
        return asked.refused
    if case.state not in OPEN_STATES:
        return wording.both("move_refused_state", state=case.state, before=case.plan.version)
    gone = _course(after, case, classified, asked) is _Course.REPLACED
    if gone and classified.level is None and asked.levels != "as-judged":
        return wording.both("move_refused_level", version=asked.version, level=case.level)
    known = {spec.id for spec in after.plan.clocks}
    try:
        for clock in case.clocks:
            if clock.id in known:
                after.base(clock.limit)
    except NeedsCalendarError as error:
        return wording.pair(str(error), str(error))
    return None


def _refused(
    before: Rules, case: Case, classified: CaseClassifiedV1, refusal: tuple[PlanMove, Bilingual], now: datetime
) -> Decision:
    asked, why = refusal
    if case.move_refused == asked.asked:
        return reclassify(before, case, classified, now)
    turn = Turn(before, case, now)
    turn.set(classified_revision=classified.revision, move_refused=asked.asked)
    _note(turn, ChangeKind.COMMAND_REFUSED, asked, turn.both("move_refused", version=asked.version, why=why))
    return turn.decide()


def _note_move(turn: Turn, case: Case, asked: PlanMove, level: str | None) -> None:
    after = turn.case.plan
    what = turn.both(
        "plan_moved",
        before=case.plan.version,
        after=after.version,
        previous=_label_before(turn, case),
        level=turn.level_words(level),
    )
    _note(
        turn,
        ChangeKind.PLAN_MOVED,
        asked,
        what,
        from_version=case.plan.version,
        from_sha256=case.plan.sha256,
        to_version=after.version,
        to_sha256=after.sha256,
        level_before=case.level,
        level=level,
    )


def _note(turn: Turn, kind: ChangeKind, asked: PlanMove, what: Bilingual, **details: Any) -> None:
    """A change that says who wanted the move, what came of it and why."""
    turn.note(
        kind,
        wording.by_both(asked.actor, what, asked.reason),
        command=CommandKind.MOVE_PLAN,
        actor=asked.actor.ref,
        actor_kind=asked.actor.kind,
        **details,
        asked=str(asked.asked),
    )


def _label_before(turn: Turn, case: Case) -> Bilingual | str:
    known = {level.id for level in turn.rules.plan.plan.levels}
    return turn.level_words(case.level) if case.level is None or case.level in known else case.level


def _settle_level(turn: Turn, case: Case, classified: CaseClassifiedV1, course: _Course) -> None:
    """What becomes of the level but for a rise, which comes after the clocks were carried over."""
    judged = classified.level
    if course is _Course.RISES:
        return
    if course is _Course.KEPT:
        turn.set(kept_proposal=f"level_kept:{judged}")
        proposed, held = turn.level_words(judged), turn.level_words(case.level)
        because = turn.both("level_kept", proposed=proposed, level=held)
        turn.note(ChangeKind.LEVEL_KEPT, because, proposed=judged, level=case.level)
        return
    turn.set(
        level=judged,
        decided_by=classified.decided_by,
        kept_proposal=None,
        overruling=case.overruling if course is _Course.SAME else None,
    )
    turn.decided(reason_of(turn.rules, classified))
    if course is _Course.FALLS:
        because = turn.both("level_moved", level=turn.level_words(judged), version=turn.case.plan.version)
        turn.note(
            ChangeKind.LEVEL_LOWERED,
            because,
            before=case.level,
            level=judged,
            level_label=turn.level_label(judged),
            criterion=classified.decided_by,
        )


def _drop_approvals(turn: Turn) -> None:
    """Approvals that wait for a step which the version does not have must be asked for anew."""
    steps = {rule.id: len(rule.by) for rule in turn.rules.plan.approvals}
    for one in turn.case.approvals:
        if one.state == "waiting" and len(one.given) >= steps.get(one.id, 0):
            turn.set(approvals=tuple(known for known in turn.case.approvals if known.id != one.id))
            because = turn.both("approval_gone", approval=one.id, version=turn.case.plan.version)
            turn.note(ChangeKind.COMMENTED, because, approval=one.id)


def _turn_to_people(turn: Turn, before: Rules, case: Case) -> None:
    """Whom the version names and the one before did not are told; a gate that was passed is not asked again."""
    if turn.case.held:
        return
    if case.held:
        activation.start_unless_held(turn, "moved_page")
        return
    if turn.case.paging:
        _page(turn, before, case)
    elif case.acknowledgement is None and case.state is CaseState.CLASSIFIED:
        ladder.start(turn, "moved_page")
    _inform(turn)


def _page(turn: Turn, before: Rules, case: Case) -> None:
    reached = turn.case.ladder
    tier = next((tier for tier in ladder.tiers_of(turn) if reached is not None and tier.id == reached.tier), None)
    old = next((tier for tier in before.plan.tiers if reached is not None and tier.id == reached.tier), None)
    if reached is None or tier is None or old is None:
        ladder.start(turn, "moved_page")
    elif reached.waiting:
        return
    elif set(ladder.roles_of(turn, tier)) != set(ladder.roles_of(Turn(before, case, turn.now), old)):
        ladder.start(turn, "moved_page")
    elif not reached.ended and tier.acknowledge_within != old.acknowledge_within:
        next_at = reached.paged_at + tier.acknowledge_within
        turn.set(ladder=replace(reached, generation=reached.generation + 1, next_at=next_at))


def _inform(turn: Turn) -> None:
    case, plan = turn.case, turn.rules.plan
    entries = plan.informs_at("classified", case.level, case.inputs) if case.level is not None else ()
    named = (*plan.informed(case.level), *(role for entry in entries for role in entry.roles))
    told = {*case.informed_roles, *case.paged_roles}
    because = turn.both("moved_inform", version=case.plan.version)
    turn.request(
        Purpose.INFORM, (role for role in named if role not in told), channels=INFORM_CHANNELS, because=because
    )
    marks = (f"{entry.id}:{case.level or ''}" for entry in entries)
    turn.set(
        informed_roles=tuple(dict.fromkeys((*case.informed_roles, *named))),
        told_once=tuple(dict.fromkeys((*case.told_once, *marks))),
    )
