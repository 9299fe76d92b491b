"""The clocks of a case under another version of its plan: none is lost or grows younger, nothing granted is taken."""

from datetime import datetime

from services.escalator.domain import clocks, deadlines, limits
from services.escalator.domain.clocks import BREACH, Clock, Entry, EntryKind
from services.escalator.domain.decision import Turn
from services.escalator.domain.publishing import status_of
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ChangeKind, ClockState
from shared.plans.duties import CompiledClock
from shared.plans.limits import Limit


def carry_over(turn: Turn, before: Rules) -> None:
    """Take the case's clocks from the version counted by `before` to that of the turn.

    One that the version does not have ends and is kept as it stood. One that it limits otherwise goes on by its rule
    for another limit, from its own start. What begins or no longer applies is left to `deadlines.refresh`.
    """
    old = {spec.id: spec for spec in before.plan.clocks}
    new = {spec.id: spec for spec in turn.rules.plan.clocks}
    turn.set(past_clocks=tuple(one for one in turn.case.past_clocks if one.id not in new))
    for clock in turn.case.clocks:
        if clock.id not in new:
            _retire(turn, before, old[clock.id], clock)
        elif clock.live:
            _carry(turn, before, (old[clock.id], new[clock.id]), clock)


def stop_passed(turn: Turn) -> None:
    """Clocks that run until a milestone the case has passed already have nothing to wait for."""
    for spec in turn.rules.plan.clocks:
        clock = turn.case.clock(spec.id)
        at = turn.case.milestones.get(spec.until)
        if clock is not None and clock.live and at is not None:
            deadlines.stop(turn, spec, clock, max(at, clock.started_at))


def _retire(turn: Turn, before: Rules, spec: CompiledClock, clock: Clock) -> None:
    if clock.live:
        clock = turn.log(Entry(clock.id, EntryKind.CANCEL, turn.now), before)
        turn.note(
            ChangeKind.CLOCK_STOPPED,
            turn.both("clock_gone", clock=spec.label, version=turn.case.plan.version),
            clock=clock.id,
            state=ClockState.CANCELLED,
        )
    status = status_of(before, spec, clock, turn.case, turn.now)
    turn.set(
        clocks=tuple(one for one in turn.case.clocks if one.id != clock.id),
        past_clocks=(*turn.case.past_clocks, status),
    )


def _carry(turn: Turn, before: Rules, specs: tuple[CompiledClock, CompiledClock], clock: Clock) -> None:
    old, spec = specs
    base = turn.rules.base(clock.limit)
    if base.calendar != clock.calendar and not clock.breached:
        kept = clocks.kept_thresholds(clock, spec, clock.target, turn.now, base)
        clock = turn.log(Entry(clock.id, EntryKind.RECOUNT, turn.now, kept=kept, reason=base.calendar))
    started_at = deadlines.start_of(turn, spec) if spec.start != old.start else clock.started_at
    limit = limits.limit_of(turn, spec, started_at) if started_at is not None else None
    if started_at is None or limit is None:
        return
    if started_at != clock.started_at:
        _from_another_start(turn, before, spec, (clock, started_at, limit))
    elif limit != clock.limit:
        deadlines.retarget(turn, spec, clock, limit, before)


def _from_another_start(turn: Turn, before: Rules, spec: CompiledClock, since: tuple[Clock, datetime, Limit]) -> None:
    """The version counts from another milestone, which the case has passed, and by this limit."""
    clock, started_at, limit = since
    base = turn.rules.base(limit)
    extra = clocks.granted(clock, limit, before.base(clock.limit), base)
    kept = (BREACH,) if clock.breached else ()
    after = turn.log(
        Entry(clock.id, EntryKind.RESTART, turn.now, origin=started_at, limit=limit, amount=extra, kept=kept)
    )
    if clock.paused:
        after = turn.log(Entry(clock.id, EntryKind.PAUSE, turn.now))
    due_at = clocks.due_at(after, base)
    turn.note(
        ChangeKind.CLOCK_CHANGED,
        turn.both(
            "clock_restarts",
            clock=spec.label,
            start=started_at,
            due=due_at or "—",
            version=turn.case.plan.version,
        ),
        clock=spec.id,
        due_at=due_at.isoformat() if due_at is not None else None,
    )
