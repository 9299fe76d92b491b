"""Forms of the case page for commands that take more than a reason: what each asks for, and when it is offered.

The escalator decides; a form only spares people from typing names that the plan knows, and from what is pointless.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from shared.contracts.commands import WITH_REASON, CommandKind
from shared.contracts.escalations import CaseState
from shared.plans.compiled import CompiledPlan

Kind = Literal["choice", "text", "instant"]
Option = dict[str, str]
View = Mapping[str, Any]

_OPEN: Final = frozenset({CaseState.CLASSIFIED, CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS, CaseState.WAITING})
_UNFINISHED: Final = _OPEN | {CaseState.RESOLVED}
_EVERY: Final = frozenset(CaseState)
_LIVE: Final = frozenset({"running", "paused", "breached"})


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of a command. A choice lists what the plan has; without any the whole form is left out."""

    name: str
    kind: Kind
    required: bool = True
    options: Callable[[CompiledPlan | None, View], list[Option]] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A command with its arguments, and the states of a case in which it makes sense."""

    command: CommandKind
    states: frozenset[CaseState]
    fields: tuple[Field, ...] = ()

    @property
    def reason_needed(self) -> bool:
        return self.command in WITH_REASON


def _option(key: str, words: Any = None) -> Option:
    return {"id": key, "zh": getattr(words, "zh", None) or key, "en": getattr(words, "en", None) or key}


def _live_clocks(view: View) -> list[View]:
    return [clock for clock in view["clocks"] if clock["state"] in _LIVE]


def _clocks(_: CompiledPlan | None, view: View) -> list[Option]:
    return [{"id": clock["id"], **clock["words"]} for clock in _live_clocks(view)]


def _extendable(plan: CompiledPlan | None, view: View) -> list[Option]:
    known = {clock.id for clock in plan.clocks if clock.extension is not None} if plan is not None else set()
    return [one for one in _clocks(plan, view) if one["id"] in known]


def _approvers(plan: CompiledPlan | None, view: View) -> list[Option]:
    live = {clock["id"] for clock in _live_clocks(view)}
    clocks = plan.clocks if plan is not None else ()
    roles = (
        role for one in clocks if one.id in live and one.extension is not None for role in one.extension.approve_by
    )
    return [_option(role) for role in dict.fromkeys(roles)]


def _milder(plan: CompiledPlan | None, view: View) -> list[Option]:
    levels = plan.plan.levels[: max(0, view["level_rank"] - 1)] if plan is not None else ()
    return [_option(level.id, level) for level in reversed(levels)]


def _milestones(plan: CompiledPlan | None, _: View) -> list[Option]:
    return [_option(one.id, one) for one in plan.plan.milestones] if plan is not None else []


def _ways(plan: CompiledPlan | None, _: View) -> list[Option]:
    return [_option(way.id, way.words) for way in plan.bypasses] if plan is not None else []


def _approvals(plan: CompiledPlan | None, _: View) -> list[Option]:
    return [_option(one.id, one.words) for one in plan.approvals] if plan is not None else []


_CLOCK: Final = Field("clock", "choice", options=_clocks)
_EXTENDABLE: Final = Field("clock", "choice", options=_extendable)
_APPROVER: Final = Field("role", "choice", options=_approvers)
_OUTCOME: Final = Field("outcome", "text", required=False)

FORMS: Final = (
    Form(CommandKind.TAKE_OVER, _OPEN),
    Form(CommandKind.UNACKNOWLEDGE, _OPEN - {CaseState.CLASSIFIED}),
    Form(CommandKind.CANNOT_HANDLE, _OPEN),
    Form(
        CommandKind.WAIT,
        frozenset({CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS}),
        (Field("reason_code", "text", required=False), Field("until", "instant", required=False)),
    ),
    Form(CommandKind.RESOLVE, _OPEN, (_OUTCOME,)),
    Form(CommandKind.MILESTONE, _UNFINISHED, (Field("milestone", "choice", options=_milestones), _OUTCOME)),
    Form(CommandKind.EXTENSION_REQUEST, _UNFINISHED, (_EXTENDABLE, Field("by", "text", required=False))),
    Form(CommandKind.EXTENSION_APPROVE, _UNFINISHED, (_EXTENDABLE, _APPROVER)),
    Form(CommandKind.EXTENSION_DENY, _UNFINISHED, (_EXTENDABLE, _APPROVER)),
    Form(CommandKind.COMPLAINANT_TOLD, _EVERY),
    Form(CommandKind.EXCLUDE, _UNFINISHED, (_CLOCK, Field("from", "instant"), Field("to", "instant"))),
    Form(CommandKind.RESTART, _UNFINISHED, (_CLOCK,)),
    Form(CommandKind.LOWER_LEVEL, _UNFINISHED, (Field("level", "choice", options=_milder),)),
    Form(CommandKind.BYPASS, _OPEN, (Field("way", "choice", options=_ways),)),
    Form(CommandKind.APPROVAL_REQUEST, _UNFINISHED, (Field("approval", "choice", options=_approvals),)),
    Form(CommandKind.MERGE, _UNFINISHED, (Field("into", "text"),)),
    Form(
        CommandKind.SPLIT,
        _EVERY,
        tuple(Field(name, "text", required=False) for name in ("reports", "facts", "title", "reference")),
    ),
    Form(CommandKind.WITHDRAW, _UNFINISHED),
    Form(CommandKind.INVALIDATE, _UNFINISHED),
)
_BY_COMMAND: Final = {form.command.value: form for form in FORMS}


def forms_for(view: View, plan: CompiledPlan | None) -> list[dict[str, Any]]:
    """The forms that make sense for a case under one plan, as a template shows them."""
    found = []
    for form in FORMS:
        options = {one.name: one.options(plan, view) for one in form.fields if one.options is not None}
        if view["state"] in form.states and all(options.values()):
            found.append(
                {
                    "command": form.command.value,
                    "reason_needed": form.reason_needed,
                    "fields": [
                        {"name": one.name, "kind": one.kind, "required": one.required, "options": options.get(one.name)}
                        for one in form.fields
                    ],
                }
            )
    return found


def has_form(command: str) -> bool:
    """True for commands that are sent by one of these forms."""
    return command in _BY_COMMAND


def form_arguments(command: str, given: Mapping[str, str], zone: ZoneInfo) -> dict[str, str]:
    """The arguments of a command as its form was filled in; an instant without offset is one of `zone`.

    Raises ValueError for an instant that is none.
    """
    form = _BY_COMMAND.get(command)
    found = {}
    for one in form.fields if form is not None else ():
        text = given.get(one.name, "").strip()
        if text:
            found[one.name] = _instant(text, zone) if one.kind == "instant" else text
    return found


def _instant(text: str, zone: ZoneInfo) -> str:
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)).isoformat()


def forms_by_plan(views: Sequence[View], plans: Mapping[str, CompiledPlan]) -> dict[str, list[dict[str, Any]]]:
    """The forms of a case under each plan it runs."""
    return {view["plan"]: forms_for(view, plans.get(view["plan"])) for view in views}
