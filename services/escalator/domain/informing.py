"""Telling those who need not act: what a plan's `inform` names at a milestone."""

from services.escalator.domain import wording
from services.escalator.domain.decision import Turn
from shared.contracts.notifications import Purpose


def at_milestone(turn: Turn, milestone: str) -> None:
    """Ask for everybody to be told whom the plan names at this milestone, at the case's level and with its facts."""
    case = turn.case
    for inform in turn.rules.plan.informs_at(milestone, case.level, case.inputs):
        because = wording.words(inform.words, case.language) if inform.words is not None else None
        turn.request(Purpose.INFORM, inform.roles, channels=inform.channels, because=because)
        turn.set(informed_roles=tuple(dict.fromkeys((*turn.case.informed_roles, *inform.roles))))
