"""Waiting for somebody outside: why, until when at the most, and how it ends by itself.

A breach shows through a pause; what by law does not count is left out by a command of its own, with its evidence.
"""

from datetime import datetime

from services.escalator.domain import deadlines
from services.escalator.domain.case import Pause
from services.escalator.domain.decision import Turn
from services.escalator.domain.orders import Order
from shared.contracts.escalations import CaseState, ChangeKind
from shared.plans.time_spec import LONGEST_WAIT


def may_begin(order: Order) -> bool:
    """False after refusing: the plan gives leave to wait so often only, or only for certain reasons."""
    allowed = order.turn.rules.plan.waits
    if allowed.count is not None and order.turn.case.pauses >= allowed.count:
        order.refuse("refused_waits", count=str(allowed.count))
        return False
    if allowed.reasons and order.word("reason_code") not in allowed.reasons:
        order.refuse("refused_wait_reason", reasons=", ".join(allowed.reasons))
        return False
    return True


def begin(turn: Turn, at: datetime, reason: str | None, *, code: str | None, until: datetime | None) -> None:
    """Every running clock stands still until somebody resumes, news comes, or `until`, which is never far away."""
    latest = at + min(LONGEST_WAIT, turn.rules.plan.waits.longest or LONGEST_WAIT)
    ends = min(until, latest) if until is not None and until > at else latest
    deadlines.pause(turn, at, reason)
    turn.set(pause=Pause(at, code, ends), pauses=turn.case.pauses + 1)


def over(turn: Turn, sentence: str) -> None:
    """The wait ends without anybody's command."""
    if turn.case.state is not CaseState.WAITING:
        turn.set(pause=None)
        return
    deadlines.resume(turn, turn.now)
    turn.set(state=CaseState.IN_PROGRESS)
    turn.note(ChangeKind.STATE_CHANGED, turn.both(sentence), state=CaseState.IN_PROGRESS)
