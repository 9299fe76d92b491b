"""From what a plan asks for besides clocks and tiers to its compiled form."""

from collections.abc import Callable
from typing import Protocol, TypedDict, get_args

from shared.plans.expressions import Read, Test
from shared.plans.limits import Limit
from shared.plans.model import Plan
from shared.plans.obligations import (
    CompiledActivation,
    CompiledApproval,
    CompiledBypass,
    CompiledCheck,
    CompiledConsequence,
    CompiledDrill,
    CompiledDuplicate,
    CompiledDuty,
    CompiledInform,
    CompiledNotice,
    CompiledOpening,
    CompiledRecord,
    CompiledRecusal,
    CompiledWaits,
    CompiledWarningEnd,
    Obligations,
)
from shared.plans.parameters import PlanCompileError, parameter_value, resolve_limit, resolve_roles, resolve_wait
from shared.plans.time_spec import Every
from shared.plans.words import Words
from shared.plans.written import Condition, LimitOrParameter, ParameterRef, RolesOrParameter
from shared.plans.yaml_text import KeyPath

Testing = Callable[[Condition, KeyPath], Test]
Reading = Callable[[str, KeyPath], Read]


class _Applying(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def words(self) -> Words | None: ...
    @property
    def levels(self) -> tuple[str, ...]: ...
    @property
    def when(self) -> Condition | None: ...
    @property
    def source(self) -> str | None: ...


class _Head(TypedDict):
    id: str
    words: Words | None
    levels: frozenset[str]
    when: Test | None
    source: str | None


def resolve_every(plan: Plan, written: Every | ParameterRef, path: KeyPath) -> Every:
    """How often a duty comes round. Raises PlanCompileError."""
    value = parameter_value(plan, written, path)
    for known in get_args(Every):
        if value == known:
            every: Every = known
            return every
    raise PlanCompileError(path, f"must be one of {', '.join(get_args(Every))}")


def compile_obligations(plan: Plan, on_facts: Testing, on_windows: Testing, amount: Reading) -> Obligations:
    """Raises PlanCompileError at the first value that does not fit; lint finds them all.

    `on_facts` compiles a condition on facts, `on_windows` one on facts and windows, `amount` a calculation.
    """
    return _Obligations(plan, on_facts, on_windows, amount).all()


class _Obligations:
    def __init__(self, plan: Plan, on_facts: Testing, on_windows: Testing, amount: Reading) -> None:
        self._plan = plan
        self._on_facts = on_facts
        self._on_windows = on_windows
        self._amount = amount

    def all(self) -> Obligations:
        plan = self._plan
        return Obligations(
            informs=tuple(self._inform(index) for index in range(len(plan.inform))),
            bypasses=tuple(self._bypass(index) for index in range(len(plan.bypass))),
            activations=tuple(self._activation(index) for index in range(len(plan.activation))),
            approvals=tuple(self._approval(index) for index in range(len(plan.approvals))),
            recusals=tuple(self._recusal(index) for index in range(len(plan.recusal))),
            record=tuple(self._record(index) for index in range(len(plan.record))),
            checklist=tuple(self._check(index) for index in range(len(plan.checklist))),
            notices=tuple(self._notice(index) for index in range(len(plan.notices))),
            duties=tuple(self._duty(index) for index in range(len(plan.duties))),
            consequences=tuple(self._consequence(index) for index in range(len(plan.consequences))),
            openings=tuple(self._opening(index) for index in range(len(plan.opens))),
            drills=tuple(self._drill(index) for index in range(len(plan.drills))),
            duplicates=tuple(self._duplicate(index) for index in range(len(plan.duplicates))),
            warning_end=self._warning_end(),
            waits=self._waits(),
        )

    def _head(self, spec: _Applying, path: KeyPath, testing: Testing | None = None) -> _Head:
        test = None if spec.when is None else (testing or self._on_facts)(spec.when, (*path, "when"))
        return _Head(id=spec.id, words=spec.words, levels=frozenset(spec.levels), when=test, source=spec.source)

    def _roles(self, written: RolesOrParameter, path: KeyPath) -> tuple[str, ...]:
        return resolve_roles(self._plan, written, path)

    def _limit(self, written: LimitOrParameter | None, path: KeyPath) -> Limit | None:
        return None if written is None else resolve_limit(self._plan, written, path)

    def _inform(self, index: int) -> CompiledInform:
        spec, path = self._plan.inform[index], ("inform", index)
        return CompiledInform(
            **self._head(spec, path),
            roles=self._roles(spec.roles, (*path, "roles")),
            channels=spec.channels,
            all_channels=spec.all_channels,
            on=spec.on,
        )

    def _bypass(self, index: int) -> CompiledBypass:
        spec, path = self._plan.bypass[index], ("bypass", index)
        roles = self._roles(spec.roles, (*path, "roles"))
        return CompiledBypass(**self._head(spec, path), roles=roles, dial=spec.dial)

    def _activation(self, index: int) -> CompiledActivation:
        spec, path = self._plan.activation[index], ("activation", index)
        return CompiledActivation(
            **self._head(spec, path),
            roles=self._roles(spec.roles, (*path, "roles")),
            channels=spec.channels,
            within=resolve_wait(self._plan, spec.within, (*path, "within")),
            on_silence=spec.on_silence,
        )

    def _approval(self, index: int) -> CompiledApproval:
        spec, path = self._plan.approvals[index], ("approvals", index)
        return CompiledApproval(
            **self._head(spec, path),
            of=spec.of,
            action=spec.action,
            by=tuple(self._roles(step, (*path, "by", place)) for place, step in enumerate(spec.by)),
            within=self._limit(spec.within, (*path, "within")),
            on_silence=spec.on_silence,
        )

    def _recusal(self, index: int) -> CompiledRecusal:
        spec, path = self._plan.recusal[index], ("recusal", index)
        return CompiledRecusal(
            **self._head(spec, path),
            who=spec.who,
            covers=frozenset(spec.covers),
            instead=self._roles(spec.instead, (*path, "instead")),
        )

    def _record(self, index: int) -> CompiledRecord:
        spec = self._plan.record[index]
        return CompiledRecord(
            **self._head(spec, ("record", index)),
            field=spec.field,
            fact=spec.fact,
            before=spec.before,
            may_stay_blank_until=spec.may_stay_blank_until,
            spec=spec,
        )

    def _check(self, index: int) -> CompiledCheck:
        spec, path = self._plan.checklist[index], ("checklist", index)
        by = self._roles(spec.by, (*path, "by"))
        return CompiledCheck(**self._head(spec, path), by=by, before=spec.before, spec=spec)

    def _notice(self, index: int) -> CompiledNotice:
        spec, path = self._plan.notices[index], ("notices", index)
        within = self._limit(spec.within, (*path, "within"))
        return CompiledNotice(
            **self._head(spec, path), on=spec.on, within=within, opt_in=spec.opt_in, outcome=spec.outcome
        )

    def _duty(self, index: int) -> CompiledDuty:
        spec, path = self._plan.duties[index], ("duties", index)
        return CompiledDuty(
            **self._head(spec, path),
            kind=spec.kind,
            every=resolve_every(self._plan, spec.every, (*path, "every")),
            on=spec.on,
            at=spec.at,
            if_day_off=spec.if_day_off,
            roles=self._roles(spec.roles, (*path, "roles")),
            within=self._limit(spec.within, (*path, "within")),
            start=spec.start,
            until=spec.until,
        )

    def _consequence(self, index: int) -> CompiledConsequence:
        spec, path = self._plan.consequences[index], ("consequences", index)
        return CompiledConsequence(
            **self._head(spec, path, self._on_windows),
            of=spec.of,
            amount=None if spec.amount is None else self._amount(spec.amount, (*path, "amount")),
            up_to=None if spec.up_to is None else self._amount(spec.up_to, (*path, "up_to")),
            by=self._roles(spec.by, (*path, "by")),
            needs=spec.needs,
            spec=spec,
        )

    def _opening(self, index: int) -> CompiledOpening:
        spec = self._plan.opens[index]
        head = self._head(spec, ("opens", index), self._on_windows)
        return CompiledOpening(**head, plan=spec.plan, carry=spec.carry)

    def _drill(self, index: int) -> CompiledDrill:
        spec, path = self._plan.drills[index], ("drills", index)
        return CompiledDrill(
            id=spec.id,
            words=spec.words,
            levels=frozenset(),
            when=None,
            source=spec.source,
            case=spec.case,
            every=None if spec.every is None else resolve_every(self._plan, spec.every, (*path, "every")),
            roles=self._roles(spec.roles, (*path, "roles")),
        )

    def _duplicate(self, index: int) -> CompiledDuplicate:
        spec, path = self._plan.duplicates[index], ("duplicates", index)
        return CompiledDuplicate(
            id=spec.id,
            same=spec.same,
            within=resolve_wait(self._plan, spec.within, (*path, "within")),
            then=spec.then,
            when=None if spec.when is None else self._on_facts(spec.when, (*path, "when")),
            spec=spec,
        )

    def _waits(self) -> CompiledWaits:
        spec = self._plan.waits
        if spec is None:
            return CompiledWaits(None, None, ())
        longest = None if spec.longest is None else resolve_wait(self._plan, spec.longest, ("waits", "longest"))
        return CompiledWaits(spec.count, longest, spec.reasons)

    def _warning_end(self) -> CompiledWarningEnd | None:
        spec = self._plan.warnings
        if spec is None:
            return None
        after, ends = spec.ends_after, spec.ends_when
        return CompiledWarningEnd(
            ends_after=None if after is None else resolve_wait(self._plan, after, ("warnings", "ends_after")),
            ends_when=None if ends is None else self._on_windows(ends, ("warnings", "ends_when")),
        )
