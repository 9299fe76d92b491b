"""Letting time pass: one timer that came due, judged against the case as it is now."""

from datetime import datetime

from services.escalator.domain import activation, approvals, case_duties, deadlines, ladder, waiting
from services.escalator.domain.case import Case
from services.escalator.domain.classification import raise_level
from services.escalator.domain.decision import (
    APPROVAL_PREFIX,
    DUTY_PREFIX,
    GATE,
    WAIT,
    Decision,
    Fire,
    Timer,
    Turn,
    armed_for,
    clock_id_of,
)
from services.escalator.domain.time_bases import Rules
from shared.plans.duties import CompiledClock
from shared.plans.model import Breach


def fire(rules: Rules, case: Case, timer: Timer, now: datetime) -> Decision:
    """What the timer brings about. A timer the case no longer wants, or whose time has not come, brings nothing.

    Together with the unique record of each `Fire` this makes every threshold fire exactly once: whatever moved the
    ladder or the clock since the timer was armed has raised its generation.
    """
    turn = Turn(rules, case, now)
    wanted = armed_for(timer.subject, case, rules)
    if wanted is None or (wanted.generation, wanted.threshold) != (timer.generation, timer.threshold):
        return turn.ignore("the timer is void")
    if wanted.due_at > now:
        return turn.ignore("the timer is not due yet")
    clock_id = clock_id_of(timer.subject)
    if clock_id is None:
        turn.fire(Fire(timer.subject, wanted.generation, wanted.threshold, wanted.due_at))
        _fire_people(turn, timer.subject)
        return turn.decide()
    clock = case.clock(clock_id)
    spec = next((spec for spec in rules.plan.clocks if spec.id == clock_id), None)
    if clock is None or spec is None:
        return turn.ignore("the clock is unknown")
    deadlines.time_passed(turn, spec, clock)
    after = turn.case.clock(clock_id)
    if spec.breach is Breach.RAISE_LEVEL and after is not None and after.breached:
        _raise(turn, spec)
    return turn.decide()


def _fire_people(turn: Turn, subject: str) -> None:
    """What is not a clock: the ladder, a wait, a gate, a step of an approval, a duty."""
    if subject == WAIT:
        waiting.over(turn, "wait_over")
    elif subject == GATE:
        activation.time_passed(turn)
    elif subject.startswith(APPROVAL_PREFIX):
        approvals.time_passed(turn, subject.removeprefix(APPROVAL_PREFIX))
    elif subject.startswith(DUTY_PREFIX):
        case_duties.time_passed(turn, subject.removeprefix(DUTY_PREFIX))
    else:
        ladder.time_passed(turn)


def _raise(turn: Turn, spec: CompiledClock) -> None:
    """The case has aged: it rises to the level the clock names, unless it is there already or over."""
    plan = turn.rules.plan
    if spec.raises is None or not turn.case.open or plan.rank(spec.raises) <= plan.rank(turn.case.level):
        return
    because = turn.both("clock_raise", clock=spec.label, level=turn.level_words(spec.raises))
    raise_level(turn, spec.raises, at=turn.now, because=because, decided_by=None)
