"""Waiting for somebody outside: why, until when at the most, and how it ends by itself.

A breach shows through a pause; what by law does not count is left out by a command of its own, with its evidence.
"""

from datetime import datetime, timedelta
from typing import Final

from services.escalator.domain import deadlines
from services.escalator.domain.case import Pause
from services.escalator.domain.decision import Turn
from shared.contracts.escalations import CaseState, ChangeKind

LONGEST: Final = timedelta(days=30)
"""A case that waits longer has been forgotten: it goes on, and its clocks with it."""


def begin(turn: Turn, at: datetime, reason: str | None, *, code: str | None, until: datetime | None) -> None:
    """Every running clock stands still until somebody resumes, news comes, or `until`, which is never far away."""
    latest = at + LONGEST
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
    turn.note(ChangeKind.STATE_CHANGED, turn.say(sentence), state=CaseState.IN_PROGRESS)
