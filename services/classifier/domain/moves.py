"""A case goes over to the version of its plan that is in force, because a named person wants it to."""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from services.classifier.domain.cases import CaseState
from services.classifier.domain.runs import Run
from shared.contracts.classifications import PlanMove
from shared.contracts.commands import CommandIssuedV1, CommandKind, version_in
from shared.contracts.values import Actor, ActorKind, Bilingual, PlanRef
from shared.plans.compiled import CaseView, CompiledPlan
from shared.plans.library import PlanLibrary


@dataclass(frozen=True, slots=True)
class Wanted:
    """A move as it was asked for. `sha256` None: whatever text the version has here."""

    asked: UUID
    plan: str
    version: int
    sha256: str | None
    levels: Literal["keep", "as-judged"]
    actor: Actor
    reason: str
    again: bool = False
    """Say once more what was said before: the escalator did not follow then, because the case had ended."""


def wanted_of(command: CommandIssuedV1, asked: UUID) -> Wanted | None:
    """The move a command asks for; None for every other command, and for one that lacks what a move takes."""
    version = version_in(command.arguments.get("version"))
    sha256, reason = command.arguments.get("sha256"), (command.reason or "").strip()
    named = command.actor.kind is ActorKind.PERSON and bool(reason)
    if command.command is not CommandKind.MOVE_PLAN or command.plan is None or version is None or not named:
        return None
    return Wanted(
        asked,
        command.plan,
        version,
        sha256 if isinstance(sha256, str) else None,
        "as-judged" if command.arguments.get("levels") == "as-judged" else "keep",
        command.actor,
        reason,
        again=command.arguments.get("again") is True,
    )


def moved(run: Run, before: PlanRef, wanted: Wanted, library: PlanLibrary, case: tuple[CaseState, CaseView]) -> Run:
    """The run under the version wanted, or with the refusal that names why not; to be judged and published anew."""
    refused = _refusal(run, wanted, library, case)
    move = PlanMove(
        asked=wanted.asked,
        actor=wanted.actor,
        reason=wanted.reason,
        before=run.move.before if run.move is not None and wanted.again else before,
        version=wanted.version,
        levels=wanted.levels,
        refused=refused,
    )
    if refused is not None:
        return replace(run, refused=move, digest="")
    plan = library.get(wanted.plan)
    return replace(run, sha256=plan.ref.sha256, move=move, digest="")


def is_there(run: Run, wanted: Wanted, library: PlanLibrary) -> bool:
    """Whether the case is under the text wanted already."""
    plan = library.find(wanted.plan)
    return plan is not None and plan.ref.sha256 == run.sha256 and plan.ref.version == wanted.version


def _refusal(run: Run, wanted: Wanted, library: PlanLibrary, case: tuple[CaseState, CaseView]) -> Bilingual | None:
    """Why the case cannot be under the version wanted; None when it can."""
    name, plan = wanted.plan, library.find(wanted.plan)
    if plan is None:
        return _said(f"预案 {name} 已不在现行预案中", f"there is no plan '{name}' in force any more")
    here = plan.ref.version
    if here != wanted.version:
        return _said(
            f"预案 {name} 现行为第 {here} 版，不是第 {wanted.version} 版",
            f"plan '{name}' is in force as version {here}, not {wanted.version}",
        )
    if wanted.sha256 is not None and plan.ref.sha256 != wanted.sha256:
        return _said(
            f"预案 {name} 第 {here} 版现行文本为 {plan.ref.sha256[:12]}，不是 {wanted.sha256[:12]}（参数或文本不同）",
            f"version {here} of plan '{name}' in force is {plan.ref.sha256[:12]}, not {wanted.sha256[:12]}: "
            "its text or parameters differ",
        )
    if not _covers(run, plan, library, case):
        state, view = case
        return _said(
            f"预案 {name} 第 {here} 版不再适用于本案（{state.kind}，类别 {view.category or '—'}，"
            f"主题 {view.topic or '—'}，组织 {view.org}）",
            f"version {here} of plan '{name}' no longer covers this case ({state.kind}, category "
            f"{view.category or '—'}, topic {view.topic or '—'}, organisation {view.org})",
        )
    return None


def _covers(run: Run, plan: CompiledPlan, library: PlanLibrary, case: tuple[CaseState, CaseView]) -> bool:
    state, view = case
    asked_for = run.opened_by is not None or plan.name in state.requested
    return library.covers(plan, view.org, view, asked_for=asked_for)


def _said(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)
