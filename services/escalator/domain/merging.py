"""What the case that goes on learns of one that was merged into it."""

from datetime import datetime
from typing import Final

from services.escalator.domain import wording
from services.escalator.domain.case import Case
from services.escalator.domain.classification import raise_level
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ChangeKind
from shared.plans.compiled import UnknownLevelError

_MOST: Final = 30


def take_in(rules: Rules, case: Case, merged: Case, now: datetime) -> Decision:
    """The case after another was merged into it: its facts are told here, and a graver level of it counts.

    Clocks stay those of this case. It came first, so under one plan and level its limits are the tighter ones.
    """
    turn = Turn(rules, case, now)
    separator = ", " if case.language == "en" else "，"
    facts = separator.join(f"{name} = {wording.shown(value)}" for name, value in merged.facts.items())
    turn.note(
        ChangeKind.FACTS_ADDED,
        turn.say("duplicate_taken", number=merged.number, facts=facts),
        **{**dict(list(merged.facts.items())[:_MOST]), "merged": merged.number},
    )
    rank = _rank(turn, merged.level)
    overruled = case.overruling is not None and rank <= case.overruling.rank
    if merged.level is not None and rank > turn.rules.plan.rank(case.level) and not overruled:
        label = turn.level_label(merged.level)
        because = turn.say("duplicate_worse", number=merged.number, level=label)
        raise_level(turn, merged.level, at=now, because=because, decided_by=merged.decided_by)
    return turn.decide()


def _rank(turn: Turn, level: str | None) -> int:
    """0 for a level that this version of the plan does not have."""
    try:
        return turn.rules.plan.rank(level)
    except UnknownLevelError:
        return 0
