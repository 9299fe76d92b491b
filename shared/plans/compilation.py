"""From a plan's text to closures, typed lengths and tables: done once, when a plan is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts.classifications import CriterionResult, Holds
from shared.contracts.values import FactValue
from shared.plans.conditions import condition_text
from shared.plans.duties import CompiledClock, CompiledExtension, CompiledOverrun, CompiledTier
from shared.plans.expressions import (
    Environment,
    ExpressionError,
    Read,
    Test,
    TypedCondition,
    Vocabulary,
    type_amount,
    type_condition,
)
from shared.plans.expressions.analysis import NOW
from shared.plans.expressions.closures import FIRST_SLOT
from shared.plans.inputs import Reader, reader_of, vocabulary_of
from shared.plans.limits import Limit, LimitBase, parse_threshold
from shared.plans.model import ClockSpec, Condition, Criterion, ParameterValue, Plan, TierSpec
from shared.plans.obligation_compilation import compile_obligations
from shared.plans.obligations import CompiledBaseline, Obligations
from shared.plans.parameters import PlanCompileError, resolve_limit, resolve_repeat, resolve_roles, resolve_wait
from shared.plans.signals import CompiledSignal, compile_signal
from shared.plans.time_spec import Basis, Extension
from shared.plans.windows import CompiledWindow, sliding_length, text_read
from shared.plans.written import FactLimit
from shared.plans.yaml_text import KeyPath


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One criterion, compiled. `group` is the `by` of the windows it reads when it raises a warning case."""

    id: str
    level: str
    rank: int
    test: Test
    reads: tuple[str, ...]
    group: tuple[str, ...]
    answers: Mapping[bool | None, CriterionResult]

    def result(self, values: Mapping[str, FactValue | None], *, held: bool | None) -> CriterionResult:
        """The answer with every value read, out of everything known, as it is published."""
        return _with_values(self.answers[held], {name: values.get(name) for name in self.reads})


def _with_values(answer: CriterionResult, values: dict[str, FactValue | None]) -> CriterionResult:
    """A copy of a validated answer with its values put in.

    Values come from typed facts, so a second validation finds nothing; through Pydantic it would cost most of the time
    of a decision (measured: 4 µs a criterion against 0.7 µs).
    """
    copy = CriterionResult.__new__(CriterionResult)
    object.__setattr__(copy, "__dict__", {**answer.__dict__, "values": values})
    object.__setattr__(copy, "__pydantic_fields_set__", answer.__pydantic_fields_set__)
    object.__setattr__(copy, "__pydantic_extra__", None)
    object.__setattr__(copy, "__pydantic_private__", None)
    return copy


@dataclass(frozen=True, slots=True)
class Reads:
    """What rules read: inputs and counts by name, parameters with their values, and whether the time."""

    given: tuple[str, ...]
    fixed: Mapping[str, FactValue]
    time: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a compiled plan runs on.

    `constants` are the parameters as published; `blank` is an empty environment; slots say where each input goes.
    `case_reads` and `topic_reads` are what explains the rules of each kind.
    `fact_slots` and `window_slots` are what criteria and windows read; `every_fact_slot` and `every_window_slot` what
    any condition of the plan reads, `where_slots` what says whether a case counts in a window.
    """

    case_rules: tuple[CompiledRule, ...]
    topic_rules: tuple[CompiledRule, ...]
    case_reads: Reads
    topic_reads: Reads
    clocks: tuple[CompiledClock, ...]
    tiers: tuple[CompiledTier, ...]
    windows: Mapping[str, CompiledWindow]
    notify: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, FactValue]
    blank: Environment
    fact_slots: tuple[tuple[int, str, Reader], ...]
    window_slots: tuple[tuple[int, str], ...]
    where_slots: tuple[tuple[int, str, Reader], ...]
    every_fact_slot: tuple[tuple[int, str, Reader], ...]
    every_window_slot: tuple[tuple[int, str], ...]
    baselines: Mapping[str, CompiledBaseline]
    signals: tuple[CompiledSignal, ...]
    obligations: Obligations


def compile_parts(plan: Plan, zone: ZoneInfo) -> Parts:
    """Raises PlanCompileError at the first value that does not fit; lint finds them all."""
    return _Compilation(plan, zone).parts()


def typed(text: str, vocabulary: Vocabulary, path: KeyPath) -> TypedCondition:
    """The typed condition. Raises PlanCompileError with its first problem."""
    try:
        return type_condition(text, vocabulary)
    except ExpressionError as error:
        problem = error.problems[0]
        raise PlanCompileError(path, problem.message, problem.offset) from error


def group_of(plan: Plan, condition: TypedCondition) -> tuple[str, ...] | None:
    """The group whose warning case the condition judges, or None when it judges a case.

    It judges a warning case when it reads windows that raise one and nothing else but what their group fixes.
    """
    counted = {name: plan.baselines[name].of if name in plan.baselines else name for name in condition.inputs}
    windows = [plan.windows[counted[name]] for name in condition.inputs if counted[name] in plan.windows]
    if not windows or not all(window.raises_warning for window in windows):
        return None
    by = windows[0].by
    others = {name for name in condition.inputs if counted[name] not in plan.windows}
    if any(window.by != by for window in windows) or not others <= set(by) or condition.time_dependent:
        return None
    return by


class _Compilation:
    def __init__(self, plan: Plan, zone: ZoneInfo) -> None:
        self._plan = plan
        self._zone = zone
        self._vocabulary = vocabulary_of(plan)
        self._facts_only = vocabulary_of(plan, windows=False)
        self._slots: dict[str, int] = {}

    def parts(self) -> Parts:
        plan = self._plan
        ranks = {level.id: rank for rank, level in enumerate(plan.levels, start=1)}
        rules = [self._rule(index, criterion, ranks) for index, criterion in enumerate(plan.criteria)]
        case_rules = tuple(rule for rule, on_case in rules if on_case)
        topic_rules = tuple(rule for rule, on_case in rules if not on_case)
        windows = {name: self._window(name) for name in plan.windows}
        fact_slots, window_slots = self._fact_slots(), self._window_slots()
        where = self._read_by_windows()
        clocks = tuple(self._clock(index, clock) for index, clock in enumerate(plan.clocks))
        tiers = tuple(self._tier(index, tier) for index, tier in enumerate(plan.tiers))
        notify = {level: resolve_roles(plan, roles, ("notify", level)) for level, roles in plan.notify.items()}
        obligations = compile_obligations(plan, self._steady, self._steady_with_windows, self._amount)
        return Parts(
            case_rules=case_rules,
            topic_rules=topic_rules,
            case_reads=self._reads(case_rules),
            topic_reads=self._reads(topic_rules),
            clocks=clocks,
            tiers=tiers,
            windows=MappingProxyType(windows),
            notify=MappingProxyType(notify),
            constants=MappingProxyType(
                {name: _published(parameter.value) for name, parameter in plan.parameters.items()}
            ),
            blank=[None] * (FIRST_SLOT + len(self._slots)),
            fact_slots=fact_slots,
            window_slots=window_slots,
            where_slots=tuple(slot for slot in fact_slots if slot[1] in where),
            every_fact_slot=self._fact_slots(),
            every_window_slot=self._window_slots(),
            baselines=MappingProxyType({name: self._baseline(name) for name in plan.baselines}),
            signals=tuple(compile_signal(name, signal) for name, signal in plan.signals.items()),
            obligations=obligations,
        )

    def _reads(self, rules: tuple[CompiledRule, ...]) -> Reads:
        names = dict.fromkeys(name for rule in rules for name in rule.reads)
        fixed = {name: _published(self._plan.parameters[name].value) for name in names if name in self._plan.parameters}
        given = tuple(name for name in names if name not in fixed and name != NOW)
        return Reads(given, MappingProxyType(fixed), time=NOW in names)

    def _read_by_windows(self) -> set[str]:
        conditions = [window.where for window in self._plan.windows.values() if window.where is not None]
        return {
            name for where in conditions for name in typed(condition_text(where), self._facts_only, ("windows",)).inputs
        }

    def _counted(self, name: str) -> bool:
        return name in self._plan.windows or name in self._plan.baselines

    def _fact_slots(self) -> tuple[tuple[int, str, Reader], ...]:
        inputs = self._vocabulary.inputs
        return tuple(
            (slot, name, reader_of(inputs[name])) for name, slot in self._slots.items() if not self._counted(name)
        )

    def _window_slots(self) -> tuple[tuple[int, str], ...]:
        return tuple((slot, name) for name, slot in self._slots.items() if self._counted(name))

    def _test(self, condition: TypedCondition) -> Test:
        for name in condition.inputs:
            self._slots.setdefault(name, FIRST_SLOT + len(self._slots))
        return condition.compile(self._slots, self._zone)

    def _rule(self, index: int, criterion: Criterion, ranks: Mapping[str, int]) -> tuple[CompiledRule, bool]:
        path: KeyPath = ("criteria", index)
        if criterion.level not in ranks:
            raise PlanCompileError((*path, "level"), f"there is no level '{criterion.level}'")
        text = condition_text(criterion.when)
        condition = typed(text, self._vocabulary, (*path, "when"))
        group = group_of(self._plan, condition)
        rule = CompiledRule(
            id=criterion.id,
            level=criterion.level,
            rank=ranks[criterion.level],
            test=self._test(condition),
            reads=(*condition.names, NOW) if condition.time_dependent else condition.names,
            group=group or (),
            answers={held: _answer(criterion, text, result) for held, result in _RESULTS.items()},
        )
        return rule, group is None

    def _steady(self, when: Condition, path: KeyPath) -> Test:
        """A condition on facts that the passing of time alone never changes."""
        return self._without_time(when, self._facts_only, path)

    def _steady_with_windows(self, when: Condition, path: KeyPath) -> Test:
        return self._without_time(when, self._vocabulary, path)

    def _amount(self, text: str, path: KeyPath) -> Read:
        try:
            amount = type_amount(text, self._vocabulary)
        except ExpressionError as error:
            problem = error.problems[0]
            raise PlanCompileError(path, problem.message, problem.offset) from error
        for name in amount.inputs:
            self._slots.setdefault(name, FIRST_SLOT + len(self._slots))
        return amount.compile(self._slots, self._zone)

    def _baseline(self, name: str) -> CompiledBaseline:
        spec = self._plan.baselines[name]
        window = self._plan.windows.get(spec.of)
        if window is None or window.per.endswith("sliding"):
            raise PlanCompileError(("baselines", name, "of"), f"'{spec.of}' is no window of whole periods")
        return CompiledBaseline(name, spec.of, spec.over, spec.at_least, spec)

    def _without_time(self, when: Condition, vocabulary: Vocabulary, path: KeyPath) -> Test:
        condition = typed(condition_text(when), vocabulary, path)
        if condition.time_dependent:
            raise PlanCompileError(path, "only a criterion may depend on the passing of time")
        return self._test(condition)

    def _window(self, name: str) -> CompiledWindow:
        window = self._plan.windows[name]
        path: KeyPath = ("windows", name)
        try:
            sliding = sliding_length(window)
        except ValueError as error:
            raise PlanCompileError((*path, "per"), str(error)) from error
        return CompiledWindow(
            id=name,
            spec=window,
            by=window.by,
            raises_warning=window.raises_warning,
            where=None if window.where is None else self._steady(window.where, (*path, "where")),
            zone=self._zone,
            day_start=time.fromisoformat(self._plan.business_day_start),
            sliding=sliding,
            group_reads=tuple((by, text_read(by, self._plan.facts)) for by in window.by),
            distinct_read=None if window.distinct is None else text_read(window.distinct, self._plan.facts),
        )

    def _clock(self, index: int, clock: ClockSpec) -> CompiledClock:
        path: KeyPath = ("clocks", index)
        written = clock.limit.otherwise if isinstance(clock.limit, FactLimit) else clock.limit
        extension, overrun = clock.extension, clock.overrun
        return CompiledClock(
            id=clock.id,
            label=clock.label,
            start=clock.start,
            until=clock.until,
            limit=_counted(resolve_limit(self._plan, written, (*path, "limit")), clock.basis),
            warn=tuple(parse_threshold(text) for text in clock.warn),
            breach=clock.breach,
            levels=frozenset(clock.levels),
            when=None if clock.when is None else self._steady(clock.when, (*path, "when")),
            notify_roles=resolve_roles(self._plan, clock.notify_roles, (*path, "notify_roles")),
            source=clock.source,
            basis=clock.basis,
            limit_fact=clock.limit.fact if isinstance(clock.limit, FactLimit) else None,
            before=clock.before,
            raises=clock.raises,
            overrun=None
            if overrun is None
            else CompiledOverrun(resolve_wait(self._plan, overrun.every, (*path, "overrun", "every")), overrun.count),
            extension=None if extension is None else self._extension(clock, extension, (*path, "extension")),
            retarget=clock.retarget,
            late=clock.late,
        )

    def _extension(self, clock: ClockSpec, spec: Extension, path: KeyPath) -> CompiledExtension:
        basis = spec.basis or clock.basis
        return CompiledExtension(
            request_by=resolve_roles(self._plan, spec.request_by, (*path, "request_by")),
            approve_by=resolve_roles(self._plan, spec.approve_by, (*path, "approve_by")),
            with_complainant=spec.with_complainant,
            by=None if spec.by is None else _counted(resolve_limit(self._plan, spec.by, (*path, "by")), basis),
            to=_counted(resolve_limit(self._plan, spec.to, (*path, "to")), basis),
            count=spec.count,
            tell_complainant=spec.tell_complainant,
            basis=basis,
        )

    def _tier(self, index: int, tier: TierSpec) -> CompiledTier:
        path: KeyPath = ("tiers", index)
        return CompiledTier(
            id=tier.id,
            label=tier.label,
            roles=resolve_roles(self._plan, tier.roles, (*path, "roles")),
            channels=tier.channels,
            all_channels=tier.all_channels,
            acknowledge_within=resolve_wait(self._plan, tier.acknowledge_within, (*path, "acknowledge_within")),
            repeat=resolve_repeat(self._plan, tier.repeat, (*path, "repeat")),
            levels=frozenset(tier.levels),
            off_hours=resolve_roles(self._plan, tier.off_hours, (*path, "off_hours")),
            hours=tier.hours,
            wait=timedelta() if tier.wait is None else resolve_wait(self._plan, tier.wait, (*path, "wait")),
            repeat_from=tier.repeat_from,
            when=None if tier.when is None else self._steady(tier.when, (*path, "when")),
        )


def _counted(limit: Limit, basis: Basis) -> Limit:
    """The limit with its way of counting days; a length of the wall clock or of working time has none."""
    if limit.base in {LimitBase.ELAPSED, LimitBase.WORKING_TIME}:
        return limit
    return replace(limit, day_zero=basis.day_zero, ends=basis.ends)


def _published(value: ParameterValue) -> FactValue:
    return list(value) if isinstance(value, tuple) else value


_RESULTS: Final = {True: Holds.HELD, False: Holds.NOT_HELD, None: Holds.NOT_KNOWN}


def _answer(criterion: Criterion, text: str, result: Holds) -> CriterionResult:
    return CriterionResult(
        id=criterion.id,
        level=criterion.level,
        result=result,
        when=text,
        values={},
        source=criterion.source,
        label=criterion.label.as_contract(),
    )
