"""Whether a plan is sound: every problem at once, with its place and in words for the person who wrote it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from shared.plans.conditions import condition_leaves, condition_text
from shared.plans.expressions import ExpressionError, TypedCondition, Vocabulary, type_condition
from shared.plans.facts import FactType
from shared.plans.inputs import RESERVED, vocabulary_of
from shared.plans.limits import LimitBase, parse_threshold
from shared.plans.lint_bands import band_problems
from shared.plans.model import (
    BUILT_IN_MILESTONES,
    MAX_CONDITION,
    Breach,
    ClockSpec,
    Condition,
    Criterion,
    ParameterRef,
    Plan,
    TierSpec,
    Window,
)
from shared.plans.parameters import PlanCompileError, resolve_limit, resolve_repeat, resolve_roles, resolve_wait
from shared.plans.problems import Problem
from shared.plans.reasoning import can_hold
from shared.plans.windows import COMPLAINANT, sliding_length
from shared.plans.yaml_text import KeyPath, Positions

T = TypeVar("T")
_GROUPABLE = frozenset(
    {"topic", "category", "channel", "source", COMPLAINANT}
    | {f"place.{part}" for part in ("province", "city", "district", "site")}
)
_GROUPABLE_FACTS = frozenset({FactType.ENUM, FactType.TEXT, FactType.BOOL, FactType.INT})


def lint_plan(plan: Plan, positions: Positions | None = None) -> list[Problem]:
    """Everything that is wrong with the plan, sorted by place; empty for a sound one."""
    return _Lint(plan, positions or Positions(plan.plan)).problems()


class _Lint:
    def __init__(self, plan: Plan, positions: Positions) -> None:
        self._plan = plan
        self._positions = positions
        self._found: list[Problem] = []
        self._levels = {level.id for level in plan.levels}
        self._milestones = {*BUILT_IN_MILESTONES, *(milestone.id for milestone in plan.milestones)}
        self._used_parameters: set[str] = set()
        self._conditions: dict[int, TypedCondition] = {}

    def problems(self) -> list[Problem]:
        plan = self._plan
        self._check_names()
        for name, window in plan.windows.items():
            self._check_window(name, window)
        vocabulary = vocabulary_of(plan)
        for index, criterion in enumerate(plan.criteria):
            self._check_criterion(index, criterion, vocabulary)
        for index, clock in enumerate(plan.clocks):
            self._check_clock(index, clock)
        for index, tier in enumerate(plan.tiers):
            self._check_tier(index, tier)
        self._check_levels()
        self._check_unread()
        conditions = [(index, plan.criteria[index].level, typed.tree) for index, typed in self._conditions.items()]
        for path, message in band_problems([level.id for level in plan.levels], conditions):
            self._note(path, message)
        return sorted(set(self._found))

    def _note(self, path: KeyPath, message: str, offset: int = 0) -> None:
        self._found.append(self._positions.problem(path, message, offset))

    def _attempt(self, resolve: Callable[..., T], written: object, path: KeyPath) -> T | None:
        """The resolved value, or None with its problem noted."""
        if isinstance(written, ParameterRef):
            self._used_parameters.add(written.parameter)
        try:
            return resolve(self._plan, written, path)
        except PlanCompileError as error:
            self._note(error.path, error.message)
            return None

    def _check_names(self) -> None:
        plan = self._plan
        for key, ids in (
            ("levels", [level.id for level in plan.levels]),
            ("milestones", [milestone.id for milestone in plan.milestones]),
            ("criteria", [criterion.id for criterion in plan.criteria]),
            ("clocks", [clock.id for clock in plan.clocks]),
            ("tiers", [tier.id for tier in plan.tiers]),
        ):
            self._check_unique(key, ids)
        for index, milestone in enumerate(plan.milestones):
            if milestone.id in BUILT_IN_MILESTONES:
                self._note(("milestones", index, "id"), f"'{milestone.id}' is a milestone of every plan")
        seen: dict[str, str] = {}
        for key, names in (("facts", plan.facts), ("windows", plan.windows), ("parameters", plan.parameters)):
            for name in names:
                if name in RESERVED:
                    self._key((key, name), f"'{name}' is a word of the language and cannot be declared")
                if name in seen:
                    self._key((key, name), f"'{name}' is declared under {seen[name]} already")
                seen.setdefault(name, key)
        for name, parameter in plan.parameters.items():
            if parameter.assumed and parameter.note is None:
                self._key(("parameters", name), f"parameter '{name}' is assumed: a note must say why this value")

    def _key(self, path: KeyPath, message: str) -> None:
        self._found.append(self._positions.key_problem(path, message))

    def _check_unique(self, key: str, ids: list[str]) -> None:
        seen: set[str] = set()
        for index, name in enumerate(ids):
            if name in seen:
                self._note((key, index, "id"), f"the id '{name}' stands twice in {key}")
            seen.add(name)

    def _check_window(self, name: str, window: Window) -> None:
        path: KeyPath = ("windows", name)
        try:
            sliding_length(window)
        except ValueError as error:
            self._note((*path, "per"), str(error))
        for index, by in enumerate(window.by):
            if not self._groupable(by):
                self._note((*path, "by", index), f"'{by}' cannot group: it is no declared fact or built-in name")
            if by in window.by[:index]:
                self._note((*path, "by", index), f"'{by}' stands twice")
        if window.distinct is not None and not self._groupable(window.distinct):
            self._note(
                (*path, "distinct"), f"'{window.distinct}' cannot be counted: it is no declared fact or built-in"
            )
        if window.where is not None:
            self._check_condition(window.where, (*path, "where"), vocabulary_of(self._plan, windows=False), steady=True)

    def _groupable(self, name: str) -> bool:
        spec = self._plan.facts.get(name)
        return name in _GROUPABLE or (spec is not None and spec.type in _GROUPABLE_FACTS)

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

    def _check_criterion(self, index: int, criterion: Criterion, vocabulary: Vocabulary) -> None:
        path: KeyPath = ("criteria", index)
        if criterion.level not in self._levels:
            self._note((*path, "level"), f"there is no level '{criterion.level}'")
        typed = self._check_condition(criterion.when, (*path, "when"), vocabulary, steady=False)
        if typed is None:
            return
        self._conditions[index] = typed
        self._check_assumed(path, typed.parameters, assumed=criterion.assumed)

    def _check_assumed(self, path: KeyPath, parameters: Iterable[str], *, assumed: bool) -> None:
        """What rests on an assumption must read the parameter that holds it, and the other way round."""
        held = [name for name in parameters if name in self._plan.parameters and self._plan.parameters[name].assumed]
        if assumed and not held:
            self._note((*path, "assumed"), "is assumed, but reads no parameter that is marked assumed")

    def _check_clock(self, index: int, clock: ClockSpec) -> None:
        path: KeyPath = ("clocks", index)
        self._check_milestones(path, clock)
        limit = self._attempt(resolve_limit, clock.limit, (*path, "limit"))
        for place, text in enumerate(clock.warn):
            lead = parse_threshold(text).lead
            if limit is not None and lead is not None and limit.base is LimitBase.ELAPSED and lead >= limit.elapsed:
                self._note((*path, "warn", place), "the warning is not before the clock's end but before its start")
        self._check_level_list(clock.levels, path)
        read: frozenset[str] = frozenset()
        if clock.when is not None:
            facts_only = vocabulary_of(self._plan, windows=False)
            typed = self._check_condition(clock.when, (*path, "when"), facts_only, steady=True)
            read = typed.parameters if typed else read
        roles = self._attempt(resolve_roles, clock.notify_roles, (*path, "notify_roles"))
        if clock.breach is Breach.NEXT_TIER and not self._plan.tiers:
            self._note((*path, "breach"), "the plan has no tiers to go up")
        if clock.breach is Breach.NOTIFY and not roles and not self._plan.tiers:
            self._note((*path, "breach"), "nobody is told: the clock has no notify_roles and the plan no tiers")
        self._check_assumed(path, {*read, *_references(clock.limit, clock.notify_roles)}, assumed=clock.assumed)

    def _check_milestones(self, path: KeyPath, clock: ClockSpec) -> None:
        for key, milestone in (("from", clock.start), ("until", clock.until)):
            if milestone not in self._milestones:
                self._note((*path, key), f"'{milestone}' is no milestone: the clock could never {_DOES[key]}")
        order = BUILT_IN_MILESTONES
        if clock.start == clock.until or (
            clock.start in order and clock.until in order and order.index(clock.until) < order.index(clock.start)
        ):
            self._note((*path, "until"), f"the clock can never stop: '{clock.until}' is not after '{clock.start}'")

    def _check_level_list(self, levels: tuple[str, ...], path: KeyPath) -> None:
        for index, level in enumerate(levels):
            if level not in self._levels:
                self._note((*path, "levels", index), f"there is no level '{level}'")

    def _check_tier(self, index: int, tier: TierSpec) -> None:
        path: KeyPath = ("tiers", index)
        self._check_level_list(tier.levels, path)
        roles = self._attempt(resolve_roles, tier.roles, (*path, "roles"))
        if roles is not None and not roles:
            self._note((*path, "roles"), f"tier '{tier.id}' has nobody to reach")
        self._attempt(resolve_wait, tier.acknowledge_within, (*path, "acknowledge_within"))
        self._attempt(resolve_repeat, tier.repeat, (*path, "repeat"))
        references = _references(tier.roles, tier.acknowledge_within, tier.repeat)
        self._check_assumed(path, references, assumed=tier.assumed)

    def _check_levels(self) -> None:
        plan = self._plan
        informed: dict[str, tuple[str, ...]] = {}
        for named, roles in plan.notify.items():
            if named not in self._levels:
                self._key(("notify", named), f"there is no level '{named}'")
            informed[named] = self._attempt(resolve_roles, roles, ("notify", named)) or ()
        for named in plan.expected:
            if named not in self._levels:
                self._key(("expected", named), f"there is no level '{named}'")
        assigned = {criterion.level for criterion in plan.criteria}
        for index, name in enumerate(level.id for level in plan.levels):
            path: KeyPath = ("levels", index, "id")
            if name not in assigned:
                self._note(path, f"no criterion ever gives level '{name}'")
            if not informed.get(name) and not any(not tier.levels or name in tier.levels for tier in plan.tiers):
                self._note(path, f"nobody is told at level '{name}': no tier and no roles under notify")
            if plan.expected and name not in plan.expected:
                self._note(("expected",), f"nothing is said for level '{name}'")

    def _check_unread(self) -> None:
        read = {name for typed in self._conditions.values() for name in typed.names}
        unsound = len(self._conditions) < len(self._plan.criteria)
        for name in self._plan.windows:
            if name not in read and not unsound:
                self._key(("windows", name), f"no criterion reads the window '{name}'")
        for name in self._plan.parameters:
            if name not in self._used_parameters and not unsound:
                self._key(("parameters", name), f"nothing uses the parameter '{name}'")


_DOES = {"from": "start", "until": "stop"}


def _references(*written: object) -> Iterator[str]:
    return (value.parameter for value in written if isinstance(value, ParameterRef))
