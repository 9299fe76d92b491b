"""Telling those who need not act: what a plan's `inform` names at a milestone."""

from collections.abc import Container

from services.escalator.domain.case import Case
from services.escalator.domain.decision import INFORM_CHANNELS, Turn
from shared.contracts.notifications import Purpose
from shared.contracts.values import Bilingual


def at_level(turn: Turn) -> None:
    """Those whom the plan names for the case's level, and those it names at `classified`."""
    roles = turn.rules.plan.informed(turn.case.level)
    turn.request(Purpose.INFORM, roles, channels=INFORM_CHANNELS)
    turn.set(informed_roles=tuple(dict.fromkeys((*turn.case.informed_roles, *roles))))
    at_milestone(turn, "classified")


def at_milestone(turn: Turn, milestone: str) -> None:
    """Everybody is told whom the plan names at this milestone, with the case's facts, once for each level it has."""
    _tell(turn, milestone)


def _tell(turn: Turn, milestone: str, but: Container[str] = ()) -> None:
    case = turn.case
    for inform in turn.rules.plan.informs_at(milestone, case.level, case.inputs):
        mark = f"{inform.id}:{case.level or ''}"
        if inform.id in but or mark in turn.case.told_once:
            continue
        turn.set(told_once=(*turn.case.told_once, mark))
        turn.request(
            Purpose.INFORM,
            inform.roles,
            channels=inform.channels,
            all_channels=inform.all_channels,
            because=inform.words,
        )
        turn.set(informed_roles=tuple(dict.fromkeys((*turn.case.informed_roles, *inform.roles))))


def facts_arrived(turn: Turn, before: Case) -> None:
    """Tell those whom the plan names only with what is known now, of the milestones the case has passed.

    `before` is the case with what was known until then: whoever it named then has been told or was held back.
    """
    case = turn.case
    if case.held:
        return
    plan = turn.rules.plan
    for milestone in case.milestones:
        named = {inform.id for inform in plan.informs_at(milestone, before.level, before.inputs)}
        _tell(turn, milestone, but=named)


def stand_down(turn: Turn, because: Bilingual) -> None:
    """Everybody who was paged or informed learns that it is over."""
    turn.request(Purpose.STAND_DOWN, (*turn.case.paged_roles, *turn.case.informed_roles), because=because)
