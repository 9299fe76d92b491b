"""What the console offers to do with a case. The escalator decides; this keeps pointless buttons away."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.console.domain.forms import form_arguments, has_form
from shared.contracts.commands import OF_THE_WHOLE_CASE, CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.plans.model import Plan

_BY_STATE: Final[dict[str, tuple[CommandKind, ...]]] = {
    "classified": (CommandKind.ACKNOWLEDGE, CommandKind.START, CommandKind.RESOLVE, CommandKind.RAISE_LEVEL),
    "acknowledged": (CommandKind.START, CommandKind.WAIT, CommandKind.RESOLVE, CommandKind.RAISE_LEVEL),
    "in-progress": (CommandKind.WAIT, CommandKind.RESOLVE, CommandKind.RAISE_LEVEL),
    "waiting": (CommandKind.RESUME, CommandKind.RESOLVE, CommandKind.RAISE_LEVEL),
    "resolved": (CommandKind.CLOSE, CommandKind.REOPEN),
    "closed": (CommandKind.REOPEN,),
    "withdrawn": (CommandKind.REOPEN,),
    "invalid": (CommandKind.REOPEN,),
    # Whoever was paged for it acknowledges the case that goes on.
    "merged": (CommandKind.ACKNOWLEDGE, CommandKind.REOPEN),
}
_ORDER: Final = (
    CommandKind.ACKNOWLEDGE,
    CommandKind.START,
    CommandKind.RESUME,
    CommandKind.WAIT,
    CommandKind.RESOLVE,
    CommandKind.CLOSE,
    CommandKind.REOPEN,
    CommandKind.RAISE_LEVEL,
    CommandKind.COMMENT,
)

_KEEPING: Final = frozenset({ChangeKind.HELD, ChangeKind.HOLD_RELEASED, ChangeKind.ERASED})
_OVER: Final = frozenset({CaseState.CLOSED, CaseState.WITHDRAWN, CaseState.INVALID, CaseState.MERGED})

_ANSWERS: Final = {
    CommandKind.ACTIVATE: ("role",),
    CommandKind.DECLINE: ("role",),
    CommandKind.APPROVE: ("approval", "role"),
    CommandKind.REFUSE: ("approval", "role"),
    CommandKind.TICK: ("item", "role"),
    CommandKind.RAISE_LEVEL: ("level",),
}
"""What stands beside its question on the page, and which fields of its form belong to the command."""


def arguments_of(command: str, form: Mapping[str, str], zone: ZoneInfo) -> dict[str, str]:
    """The arguments of a command, as far as the form gives them. Raises ValueError for an instant that is none."""
    names = next((names for kind, names in _ANSWERS.items() if kind == command), ())
    return {name: form[name] for name in names if form.get(name)} | form_arguments(command, form, zone)


def actions_for(plans: Sequence[dict[str, Any]]) -> list[str]:
    """Commands that make sense for at least one of the case's plans; a comment always does."""
    wanted = {command for plan in plans for command in _BY_STATE.get(plan["state"], ())}
    return [command.value for command in _ORDER if command in wanted or command is CommandKind.COMMENT]


def keeping_for(plans: Sequence[Mapping[str, Any]], timeline: Sequence[Mapping[str, Any]]) -> list[str]:
    """Commands about how long the case is kept, for administrators: what the escalator would refuse is left out."""
    kinds = [line["kind"] for line in timeline if line["kind"] in _KEEPING]
    if not plans or ChangeKind.ERASED in kinds:
        return []
    if kinds and kinds[-1] == ChangeKind.HELD:
        return [CommandKind.RELEASE_HOLD.value]
    over = all(plan["state"] in _OVER for plan in plans)
    return [CommandKind.HOLD.value, CommandKind.ERASE.value] if over else [CommandKind.HOLD.value]


def is_offered(command: str) -> bool:
    """True for commands the console's forms can send."""
    return has_form(command) or command in {one.value for one in (*_ORDER, *_ANSWERS, *OF_THE_WHOLE_CASE)}


def takes_administrator(command: str) -> bool:
    """True for commands that an operator may not send."""
    return command in {one.value for one in OF_THE_WHOLE_CASE}


def levels_above(plan: Plan, rank: int) -> list[dict[str, str]]:
    """Levels the case can be raised to, mildest first."""
    return [{"id": level.id, "zh": level.zh, "en": level.en} for level in plan.levels[rank:]]
