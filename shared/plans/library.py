"""All plans of an installation: loaded from their folders, all problems at once, and chosen for each event."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.contracts.values import CaseKind
from shared.plans.checked_plans import keep_plans, kept_plans
from shared.plans.compiled import CaseView, CompiledPlan
from shared.plans.lint import lint_plan
from shared.plans.merging import FindBase
from shared.plans.model import Applies, Parameter, Plan
from shared.plans.parameters import PlanCompileError
from shared.plans.problems import PlanLibraryError, Problem
from shared.plans.reading import read_plan
from shared.plans.yaml_text import KeyPath, read_text

PLAN_FILE = "plan.yaml"
_ORGANISATIONS_KEPT = 10_000
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class UnknownPlanError(KeyError):
    """No plan of this name is there for the organisation."""

    def __str__(self) -> str:
        return str(self.args[0])


def parse_plan(text: str, path: str, find_base: FindBase | None = None) -> Plan:
    """The plan of a `plan.yaml`'s text, its bases put in and linted.

    Raises PlanLibraryError with every problem, its file, line and column, and for an abstract plan: it is only a base.
    """
    plan = read_linted(text, path, find_base)
    if plan is None:
        raise PlanLibraryError([Problem(path, 1, 1, "the plan is abstract: only a base for others", "abstract")])
    return plan


def read_linted(text: str, path: str, find_base: FindBase | None = None) -> Plan | None:
    """Like `parse_plan`, but None for an abstract plan whose shape is right."""
    reading = read_plan(text, path, find_base)
    problems = list(reading.problems)
    if reading.plan is not None:
        problems += lint_plan(reading.plan, reading.positions, reading.lost)
    if problems:
        raise PlanLibraryError(problems)
    return reading.plan


def bases_in(root: Path) -> FindBase:
    """Looks for bases among the folders of `root`."""

    def find(name: str) -> tuple[str, str] | None:
        path = root / name / PLAN_FILE
        if not _SLUG.fullmatch(name) or not path.is_file():
            return None
        return read_text(path), str(path)

    return find


def plan_from_snapshot(text: str) -> CompiledPlan:
    """The plan a case was opened with, from what `CompiledPlan.snapshot` gave. Raises PlanLibraryError."""
    try:
        plan = Plan.model_validate_json(text)
        return CompiledPlan.revived(plan, text)
    except (ValidationError, PlanCompileError, ValueError) as error:
        raise PlanLibraryError([Problem("snapshot", 1, 1, str(error), "")]) from error


def with_parameters(plan: Plan, values: Mapping[str, Any], path: str = "overrides") -> Plan:
    """The plan with parameter values set by the installation.

    Raises PlanLibraryError for an unknown parameter, a value of another type, or one that no longer passes lint.
    """
    problems: list[Problem] = []
    parameters = dict(plan.parameters)
    for name, value in values.items():
        field = f"{plan.plan}.{name}"
        parameter = parameters.get(name)
        if parameter is None:
            problems.append(Problem(path, 1, 1, f"plan '{plan.plan}' has no parameter '{name}'", field))
            continue
        given = tuple(value) if isinstance(value, list) else value
        if type(given) is not type(parameter.value):
            wanted = "list" if isinstance(parameter.value, tuple) else type(parameter.value).__name__
            problems.append(Problem(path, 1, 1, f"parameter '{name}' of plan '{plan.plan}' must be a {wanted}", field))
            continue
        try:
            parameters[name] = Parameter.model_validate({**parameter.model_dump(), "value": given})
        except ValidationError as error:
            problems.append(Problem(path, 1, 1, error.errors()[0]["msg"], field))
    changed = plan.model_copy(update={"parameters": parameters})
    if not problems:
        problems = [
            Problem(path, 1, 1, f"with these parameters of plan '{plan.plan}': {problem.message}", problem.field)
            for problem in lint_plan(changed)
        ]
    if problems:
        raise PlanLibraryError(problems)
    return changed


class PlanLibrary:
    """Immutable. Plans are in the order of their names."""

    def __init__(self, plans: Iterable[CompiledPlan]) -> None:
        self.plans: tuple[CompiledPlan, ...] = tuple(sorted(plans, key=lambda plan: plan.name))
        self._by_name = {plan.name: plan for plan in self.plans}
        self._of_organisation: dict[tuple[str, CaseKind], tuple[CompiledPlan, ...]] = {}

    @classmethod
    def load(
        cls, root: Path, overrides: Mapping[str, Mapping[str, Any]] | None = None, *, checked: Path | None = None
    ) -> "PlanLibrary":
        """Every folder of `root` that holds a `plan.yaml`, with parameters set by plan name.

        Raises PlanLibraryError with the problems of all files: a library is loaded whole or not at all. `checked` is
        a folder in which plans that passed are kept for the next start (`shared.plans.checked_plans`).
        """
        if not root.is_dir():
            raise PlanLibraryError([Problem(str(root), 1, 1, "there is no such folder of plans", "")])
        path, written = kept_plans(checked, root) if checked is not None else (None, None)
        wanted = dict(overrides or {})
        if written is None:
            try:
                written = _read_all(root)
            except PlanLibraryError as error:
                ghosts = _not_there(name for name in wanted if not (root / name).is_dir())
                raise PlanLibraryError([*error.problems, *ghosts]) from None
            if path is not None:
                keep_plans(path, written)
        problems: list[Problem] = []
        plans: list[CompiledPlan] = []
        for plan in written:
            try:
                values = wanted.pop(plan.plan, None)
                # Without values of the installation it is the plan that passed the lint already.
                plans.append(CompiledPlan.of(with_parameters(plan, values) if values else plan))
            except PlanLibraryError as error:
                problems.extend(error.problems)
        problems.extend(_not_there(wanted))
        if problems:
            raise PlanLibraryError(problems)
        return cls(plans)

    def find(self, name: str) -> CompiledPlan | None:
        """The plan of this name; None where there is none."""
        return self._by_name.get(name)

    def get(self, name: str) -> CompiledPlan:
        """Raises UnknownPlanError."""
        try:
            return self._by_name[name]
        except KeyError as error:
            raise UnknownPlanError(f"there is no plan '{name}'") from error

    def route(  # noqa: PLR0917  # the attributes that routing goes by, in the order of a report
        self,
        org: str,
        kind: CaseKind,
        topic: str | None,
        category: str | None,
        channel: str | None,
        requested: tuple[str, ...] = (),
    ) -> tuple[CompiledPlan, ...]:
        """The plans an event runs under; may be empty.

        Those asked for by name; else every plan whose `applies` matches; else the default plans of the organisation
        for this kind. Raises UnknownPlanError for a requested name that does not exist for this organisation.
        """
        if requested:
            return tuple(self._requested(name, org) for name in dict.fromkeys(requested))
        ours = [plan for plan in self._serving(org, kind) if _takes(plan.plan.applies, category)]
        matching = tuple(
            plan
            for plan in ours
            if _matches(plan.plan.applies.topics, topic)
            and _matches(plan.plan.applies.categories, category)
            and _matches(plan.plan.applies.channels, channel)
        )
        return matching or tuple(plan for plan in ours if plan.plan.applies.default)

    def covers(self, plan: CompiledPlan, org: str, view: CaseView, *, asked_for: bool) -> bool:
        """Whether a case that this plan's name was chosen for could be under this text of it.

        `asked_for`: by the report or by another plan, so that only the organisation decides.
        """
        applies = plan.plan.applies
        if not _matches(applies.organisations, org):
            return False
        if asked_for:
            return True
        if view.kind not in applies.kinds or not _takes(applies, view.category):
            return False
        return applies.default or (
            _matches(applies.topics, view.topic)
            and _matches(applies.categories, view.category)
            and _matches(applies.channels, view.channel)
        )

    def _serving(self, org: str, kind: CaseKind) -> tuple[CompiledPlan, ...]:
        """The plans of an organisation for this kind: few of many, so they are looked up once."""
        found = self._of_organisation.get((org, kind))
        if found is None:
            found = tuple(
                plan
                for plan in self.plans
                if kind in plan.plan.applies.kinds and _matches(plan.plan.applies.organisations, org)
            )
            if len(self._of_organisation) >= _ORGANISATIONS_KEPT:
                self._of_organisation.clear()
            self._of_organisation[org, kind] = found
        return found

    def _requested(self, name: str, org: str) -> CompiledPlan:
        plan = self.get(name)
        if not _matches(plan.plan.applies.organisations, org):
            raise UnknownPlanError(f"there is no plan '{name}'")
        return plan


def _not_there(names: Iterable[str]) -> list[Problem]:
    return [Problem("overrides", 1, 1, f"there is no plan '{name}' to set parameters of", name) for name in names]


def _read_all(root: Path) -> list[Plan]:
    """The plans of all folders, checked each by itself and together. Raises PlanLibraryError with every problem."""
    problems: list[Problem] = []
    plans: list[Plan] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        try:
            plan = _load_folder(folder)
        except PlanLibraryError as error:
            problems.extend(error.problems)
        else:
            plans += [plan] if plan is not None else []
    problems += [problem for plan in plans for problem in _opening_problems(root, plan, plans)]
    if problems:
        raise PlanLibraryError(problems)
    return plans


def _load_folder(folder: Path) -> Plan | None:
    """The plan of a folder; None for one that only serves as a base."""
    path = folder / PLAN_FILE
    if not path.exists():
        raise PlanLibraryError([Problem(str(path), 1, 1, "the folder holds no plan.yaml", "")])
    text = read_text(path)
    find_base = bases_in(folder.parent)
    plan = read_linted(text, str(path), find_base)
    if plan is not None and plan.plan != folder.name:
        message = f"the plan is named '{plan.plan}' but its folder '{folder.name}'"
        raise PlanLibraryError([read_plan(text, str(path), find_base).positions.problem(("plan",), message)])
    return plan


def _opening_problems(root: Path, plan: Plan, plans: Iterable[Plan]) -> list[Problem]:
    """What is wrong with the plans that a plan opens: they must be there, and know the facts they are given."""
    known = {other.plan: other for other in plans}
    found: list[tuple[KeyPath, str]] = []
    for index, opening in enumerate(plan.opens):
        other = known.get(opening.plan)
        if other is None:
            # a folder whose plan is unsound has its own problems
            if not (root / opening.plan / PLAN_FILE).is_file() or _is_abstract(root, opening.plan):
                found.append((("opens", index, "plan"), f"there is no plan '{opening.plan}' to open"))
            continue
        for place, fact in enumerate(opening.carry):
            mine, theirs = plan.facts.get(fact), other.facts.get(fact)
            if theirs is None or mine is None or mine.type is not theirs.type:
                message = f"plan '{other.plan}' has no fact '{fact}' of the same type"
                found.append((("opens", index, "carry", place), message))
    if not found:
        return []
    path = root / plan.plan / PLAN_FILE
    positions = read_plan(read_text(path), str(path), bases_in(root)).positions
    return [positions.problem(where, message) for where, message in found]


def _is_abstract(root: Path, name: str) -> bool:
    path = root / name / PLAN_FILE
    reading = read_plan(read_text(path), str(path), bases_in(root))
    return reading.plan is None and not reading.problems


def _takes(applies: Applies, category: str | None) -> bool:
    return not (applies.not_categories and _matches(applies.not_categories, category))


def _matches(wanted: tuple[str, ...], value: str | None) -> bool:
    if not wanted:
        return True
    if value is None:
        return False
    return any(value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern for pattern in wanted)
