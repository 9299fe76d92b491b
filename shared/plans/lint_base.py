"""What every part of the lint works with: noting problems at their places, resolving, typing conditions."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from shared.plans.conditions import condition_leaves, condition_text
from shared.plans.expressions import ExpressionError, TypedCondition, Vocabulary, type_condition
from shared.plans.facts import FactType
from shared.plans.inputs import vocabulary_of
from shared.plans.limits import Limit, LimitBase
from shared.plans.model import BUILT_IN_MILESTONES, MAX_CONDITION, Condition, ParameterRef, Plan
from shared.plans.parameters import PlanCompileError, resolve_limit
from shared.plans.problems import Problem
from shared.plans.reasoning import can_hold
from shared.plans.salvage import Lost
from shared.plans.windows import COMPLAINANT
from shared.plans.yaml_text import KeyPath, Positions

T = TypeVar("T")
READABLE: Final = ("facts", "windows", "baselines", "parameters")
"""The sections whose names conditions read."""

_UNDECLARED = re.compile(r"'(\w+)' is not declared")
_GROUPABLE = frozenset(
    {"topic", "category", "channel", "source", COMPLAINANT}
    | {f"place.{part}" for part in ("province", "city", "district", "site")}
)
_GROUPABLE_FACTS = frozenset({FactType.ENUM, FactType.TEXT, FactType.BOOL, FactType.INT})


class LintBase:
    """Holds the plan, what is known of it, and every problem found.

    Of a plan that `lost` something nothing is said that rests on it.
    """

    def __init__(self, plan: Plan, positions: Positions, lost: Lost) -> None:
        self._plan = plan
        self._positions = positions
        self._lost = lost
        self._found: list[Problem] = []
        self._levels = {level.id for level in plan.levels}
        self._milestones = {*BUILT_IN_MILESTONES, *(milestone.id for milestone in plan.milestones)}
        self._used_parameters: set[str] = set()
        self._facts_only = vocabulary_of(plan, windows=False)
        self._everything = vocabulary_of(plan)
        self._conditions: dict[int, TypedCondition] = {}
        self._read_besides: set[str] = set()

    def _note(self, path: KeyPath, message: str, offset: int = 0) -> None:
        self._found.append(self._positions.problem(path, message, offset))

    def _attempt(self, resolve: Callable[..., T], written: object, path: KeyPath) -> T | None:
        """The resolved value, or None with its problem noted."""
        if isinstance(written, ParameterRef):
            self._used_parameters.add(written.parameter)
            if self._lost.may_name(written.parameter, "parameters"):
                return None
        try:
            return resolve(self._plan, written, path)
        except PlanCompileError as error:
            self._note(error.path, error.message)
            return None

    def _key(self, path: KeyPath, message: str) -> None:
        self._found.append(self._positions.key_problem(path, message))

    def _check_unique(self, key: str, ids: list[str]) -> None:
        seen: set[str] = set()
        for index, name in enumerate(ids):
            if name in seen:
                self._note((key, index, "id"), f"the id '{name}' stands twice in {key}")
            seen.add(name)

    def _groupable(self, name: str) -> bool:
        spec = self._plan.facts.get(name)
        known = name in _GROUPABLE or (spec is not None and spec.type in _GROUPABLE_FACTS)
        return known or (spec is None and self._lost.may_name(name, "facts"))

    def _check_condition(
        self, condition: Condition, path: KeyPath, vocabulary: Vocabulary, *, steady: bool
    ) -> TypedCondition | None:
        sound = True
        for leaf, text in condition_leaves(condition, path):
            try:
                type_condition(text, vocabulary)
            except ExpressionError as error:
                sound = False
                for problem in error.problems:
                    if not self._was_declared(problem.message):
                        self._note(leaf, problem.message, problem.offset)
        if not sound:
            return None
        whole = condition_text(condition)
        if len(whole) > MAX_CONDITION:
            self._note(path, f"written as one text the condition has more than {MAX_CONDITION} characters")
            return None
        try:
            typed = type_condition(whole, vocabulary)
        except ExpressionError as error:
            self._note(path, error.problems[0].message)
            return None
        self._used_parameters |= typed.parameters
        if steady and typed.time_dependent:
            self._note(path, "only a criterion may depend on the passing of time")
        if not can_hold(typed.tree):
            self._note(path, "this can never hold, whatever the facts")
        return typed

    def _check_limit(self, written: str | ParameterRef, path: KeyPath) -> Limit | None:
        """The limit; one in working time needs a calendar that knows it."""
        limit = self._attempt(resolve_limit, written, path)
        if limit is not None and limit.base in {LimitBase.WORKING_DAYS, LimitBase.WORKING_TIME}:
            self._need_calendar(path)
        return limit

    def _need_calendar(self, path: KeyPath) -> None:
        if self._plan.calendar is None and self._lost.whole("calendar"):
            self._note(path, "working days and hours need a calendar: the plan names none")

    def _inherited(self, path: KeyPath) -> bool:
        """Whether it comes from a base, which serves other plans too."""
        return self._positions.problem(path, "").file != self._positions.file

    def _check_fact(self, name: str, path: KeyPath, types: set[FactType]) -> None:
        """The fact is declared and of one of these types; no types: any will do."""
        spec = self._plan.facts.get(name)
        if spec is None:
            if not self._lost.may_name(name, "facts"):
                self._note(path, f"'{name}' is no declared fact")
        elif types and spec.type not in types:
            self._note(path, f"the fact '{name}' must be {' or '.join(sorted(types))}, not {spec.type}")

    def _check_assumed(self, path: KeyPath, parameters: Iterable[str], *, assumed: bool) -> None:
        """What rests on an assumption must read the parameter that holds it, and the other way round."""
        held = [name for name in parameters if name in self._plan.parameters and self._plan.parameters[name].assumed]
        if assumed and not held and self._lost.whole("parameters", str(path[0])):
            self._note((*path, "assumed"), "is assumed, but reads no parameter that is marked assumed")

    def _was_declared(self, message: str) -> bool:
        """Whether what is not declared may have been, in a piece that is lost."""
        undeclared = _UNDECLARED.match(message)
        return undeclared is not None and self._lost.may_name(undeclared[1], *READABLE)

    def _known_milestone(self, name: str) -> bool:
        return name in self._milestones or self._lost.may_name(name, "milestones")

    def _check_level(self, level: str, path: KeyPath) -> bool:
        if level not in self._levels and not self._lost.may_name(level, "levels"):
            self._note(path, f"there is no level '{level}'")
        return level in self._levels

    def _check_level_list(self, levels: tuple[str, ...], path: KeyPath) -> None:
        for index, level in enumerate(levels):
            self._check_level(level, (*path, "levels", index))


def references(*written: object) -> Iterator[str]:
    return (value.parameter for value in written if isinstance(value, ParameterRef))
