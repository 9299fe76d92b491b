"""Another edition of a calendar: clocks that count by it are counted again, and what moved is said."""

from datetime import datetime

from services.escalator.domain import clocks
from services.escalator.domain.case import Case
from services.escalator.domain.clocks import Clock, Entry, EntryKind
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ChangeKind
from shared.plans.duties import CompiledClock


def recount(rules: Rules, case: Case, now: datetime) -> Decision:
    """Count every live clock again that was counted by another edition of its calendar.

    Its generation rises, so timers armed under the old edition are void. A clock that ran out stays so. History tells
    of a clock whose end moved, or whose end is certain now.
    """
    turn = Turn(rules, case, now)
    specs = {spec.id: spec for spec in rules.plan.clocks}
    for clock in case.clocks:
        spec = specs.get(clock.id)
        if spec is None or not clock.live or clock.breached or clock.calendar is None:
            continue
        base = turn.rules.base(clock.limit)
        if base.calendar != clock.calendar:
            kept = clocks.kept_thresholds(clock, spec, clock.target, now, base)
            _tell(turn, spec, clock, turn.log(Entry(clock.id, EntryKind.RECOUNT, now, kept=kept, reason=base.calendar)))
    return turn.decide()


def _tell(turn: Turn, spec: CompiledClock, before: Clock, after: Clock) -> None:
    due = clocks.due_at(after, turn.rules.base(after.limit))
    if due is None or (due == before.expected_at and after.provisional == before.provisional):
        return
    turn.note(
        ChangeKind.CLOCK_CHANGED,
        turn.both(
            "clock_recounted",
            clock=spec.label,
            before=before.expected_at or "?",
            due=due,
        ),
        clock=spec.id,
        before=before.expected_at.isoformat() if before.expected_at else None,
        due_at=due.isoformat(),
        provisional=after.provisional,
        calendar=after.calendar,
    )
