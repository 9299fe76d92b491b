"""What the console offers to do with a case. The escalator decides; this keeps pointless buttons away."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.console.domain.forms import form_arguments, has_form
from shared.contracts.commands import CommandKind
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


def is_offered(command: str) -> bool:
    """True for commands the console's forms can send."""
    return has_form(command) or command in {one.value for one in (*_ORDER, *_ANSWERS)}


def levels_above(plan: Plan, rank: int) -> list[dict[str, str]]:
    """Levels the case can be raised to, mildest first."""
    return [{"id": level.id, "zh": level.zh, "en": level.en} for level in plan.levels[rank:]]
