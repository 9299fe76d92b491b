"""A plan ready to decide: conditions compiled, parameters put in, identity fixed. Pure; safe to share between tasks."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from shared.contracts.classifications import Holds
from shared.contracts.values import Bilingual, FactValue, PlanRef
from shared.plans.asks import NO_TIME, Counts, PlanAsks, Values
from shared.plans.compilation import CompiledRule, Parts, compile_parts
from shared.plans.duties import CompiledClock, CompiledTier
from shared.plans.evaluation import Evaluation
from shared.plans.expressions import Environment
from shared.plans.facts import FactProblem, fact_problem
from shared.plans.identity import canonical_text, sha256_of
from shared.plans.inputs import inputs_of
from shared.plans.model import Level, Plan
from shared.plans.windows import CaseView, CompiledWindow, Contribution, GroupKey, WindowRead


class Scope(StrEnum):
    """What is being judged: a case by its own facts, or the warning case of a group by its windows."""

    CASE = "case"
    TOPIC = "topic"


class UnknownLevelError(KeyError):
    """The plan has no level of this name."""


class CompiledPlan(PlanAsks):
    """One version of a plan. Two plans with equal `ref` decide alike."""

    def __init__(self, plan: Plan, ref: PlanRef, text: str | None = None) -> None:
        """Raises PlanCompileError when the plan does not pass its own types; a linted plan always does.

        `text` is the snapshot it was revived from, kept as it is; absent: the plan's canonical text.
        """
        self.plan = plan
        self.ref = ref
        self._text = canonical_text(plan) if text is None else text
        self._zone = ZoneInfo(plan.timezone)
        self._parts: Parts = compile_parts(plan, self._zone)
        self._ranks = {level.id: rank for rank, level in enumerate(plan.levels, start=1)}
        self._levels = {level.id: level for level in plan.levels}

    @classmethod
    def of(cls, plan: Plan) -> "CompiledPlan":
        """Compiles a plan under its own identity: name, version and the hash of its canonical text."""
        return cls(plan, PlanRef(name=plan.plan, version=plan.version, sha256=sha256_of(canonical_text(plan))))

    @classmethod
    def revived(cls, plan: Plan, text: str) -> "CompiledPlan":
        """Compiles a plan from a stored snapshot: its identity is the hash of that very text."""
        return cls(plan, PlanRef(name=plan.plan, version=plan.version, sha256=sha256_of(text)), text)

    @property
    def name(self) -> str:
        return self.plan.plan

    @cached_property
    def title(self) -> Bilingual:
        return self.plan.title.as_contract()

    @property
    def highest_rank(self) -> int:
        return len(self.plan.levels)

    @property
    def clocks(self) -> tuple[CompiledClock, ...]:
        return self._parts.clocks

    @property
    def tiers(self) -> tuple[CompiledTier, ...]:
        return self._parts.tiers

    @property
    def windows(self) -> Mapping[str, CompiledWindow]:
        return self._parts.windows

    @property
    def warning_rules(self) -> tuple[CompiledRule, ...]:
        """The criteria that are judged on a group's counts."""
        return self._parts.topic_rules

    def snapshot(self) -> str:
        """The plan as stored with a case: canonical JSON whose SHA-256 is `ref.sha256`."""
        return self._text

    @property
    def zone(self) -> ZoneInfo:
        return self._zone

    def rank(self, level_id: str | None) -> int:
        """1 for the mildest level, 0 for None. Raises UnknownLevelError for a level the plan does not have."""
        if level_id is None:
            return 0
        try:
            return self._ranks[level_id]
        except KeyError as error:
            raise UnknownLevelError(f"plan '{self.name}' has no level '{level_id}'") from error

    def level(self, level_id: str) -> Level:
        """Raises UnknownLevelError for a level the plan does not have."""
        self.rank(level_id)
        return self._levels[level_id]

    def expected(self, level_id: str | None) -> Bilingual | None:
        """What those who are told must do at this level; None where the plan does not say."""
        words = self.plan.expected.get(level_id) if level_id is not None else None
        return words.as_contract() if words else None

    def clocks_for(self, level: str | None, facts: Mapping[str, FactValue | None]) -> tuple[CompiledClock, ...]:
        """Clocks that run for a case at this level with these inputs. A condition not known to hold keeps one out.

        None run without a level: a case that reaches none is outside the plan.
        """
        if level is None:
            return ()
        return self._that_hold(self._parts.clocks, level, facts)

    def tiers_for(self, level: str | None, facts: Values | None = None) -> tuple[CompiledTier, ...]:
        """The ladder of this level, lowest tier first; nobody is paged without a level.

        A tier whose condition is not known to hold with these inputs is left out.
        """
        if level is None:
            return ()
        return self._that_hold(self._parts.tiers, level, facts or {})

    def informed(self, level: str | None) -> tuple[str, ...]:
        """Roles that are told at this level without having to acknowledge."""
        return self._parts.notify.get(level, ()) if level is not None else ()

    def type_facts(self, facts: Mapping[str, FactValue]) -> tuple[dict[str, FactValue], list[FactProblem]]:
        """The declared facts that fit, and a problem for each that does not.

        Undeclared facts are left out without a problem: they stay in the register and may matter to another plan.
        """
        typed: dict[str, FactValue] = {}
        problems: list[FactProblem] = []
        declared = self.plan.facts
        for name, value in facts.items():
            spec = declared.get(name)
            if spec is None:
                continue
            problem = fact_problem(name, spec, value)
            if problem is None:
                typed[name] = value
            else:
                problems.append(problem)
        return typed, problems

    def inputs(self, case: CaseView) -> dict[str, FactValue | None]:
        """What `evaluate` takes for a case: built-in names and the declared facts that fit."""
        return inputs_of(case, self.type_facts(case.facts)[0])

    def contributions(self, case: CaseView, inputs: Values | None = None) -> tuple[Contribution, ...]:
        """Every bucket the case belongs to now. `inputs` are its own (`self.inputs(case)`), where they are at hand."""
        env: Environment | None = None
        found: list[Contribution] = []
        for window in self._parts.windows.values():
            if not window.counts(case.kind):
                continue
            if window.where is not None:
                if env is None:
                    given = self.inputs(case) if inputs is None else inputs
                    env = self._fill_facts(given, self._parts.where_slots, NO_TIME)
                if window.where(env) is not True:
                    continue
            contribution = window.contribution(case)
            if contribution is not None:
                found.append(contribution)
        return tuple(found)

    def reads(self, case: CaseView) -> tuple[WindowRead, ...]:
        """Every count that judging the case may read, whether or not the case adds to it."""
        found = (window.read(case) for window in self._parts.windows.values())
        return tuple(read for read in found if read is not None)

    def group_inputs(self, group_key: GroupKey) -> dict[str, FactValue | None]:
        """What `evaluate` takes for the warning case of a group."""
        return {"kind": "warning", **dict(group_key)}

    def evaluate(
        self,
        facts: Mapping[str, FactValue | None],
        windows: Counts,
        now: datetime,
        scope: Scope,
    ) -> Evaluation:
        """Judges a case (`inputs`) or a group's warning case (`group_inputs`).

        With Scope.CASE a window that is not given is not known. With Scope.TOPIC the criteria of the given windows'
        group are judged and a window of that group that is not given counts 0: nothing has been counted in it yet.
        """
        rules, windows = self._rules_for(windows, scope)
        env = self._fill(facts, windows, now)
        answers = tuple([rule.test(env) for rule in rules])
        best: CompiledRule | None = None
        if True in answers:
            for rule, held in zip(rules, answers, strict=True):
                if held and (best is None or rule.rank > best.rank):
                    best = rule
        return Evaluation(
            best.level if best else None,
            best.rank if best else 0,
            best.id if best else None,
            min(env[1], default=None),
            rules,
            answers,
            self._parts.case_reads if scope is Scope.CASE else self._parts.topic_reads,
            facts,
            windows,
            now,
        )

    def decide(
        self, facts: Mapping[str, FactValue | None], windows: Counts, now: datetime, scope: Scope
    ) -> tuple[int, str | None, datetime | None]:
        """Rank, deciding criterion and `reconsider_at` of `evaluate`, without the explanation."""
        rules, windows = self._rules_for(windows, scope)
        env = self._fill(facts, windows, now)
        best: CompiledRule | None = None
        for rule in rules:
            if rule.test(env) and (best is None or rule.rank > best.rank):
                best = rule
        return (best.rank if best else 0), (best.id if best else None), min(env[1], default=None)

    def _rules_for(self, windows: Counts, scope: Scope) -> tuple[tuple[CompiledRule, ...], Counts]:
        if scope is Scope.CASE:
            return self._parts.case_rules, windows
        shapes = {self._parts.windows[name].by for name in windows if name in self._parts.windows}
        rules = tuple(rule for rule in self._parts.topic_rules if rule.group in shapes)
        zeros = {name: 0 for name, window in self._parts.windows.items() if window.by in shapes}
        return rules, zeros | dict(windows)

    def _fill(self, facts: Values, windows: Counts, now: datetime) -> Environment:
        env = self._fill_facts(facts, self._parts.fact_slots, now)
        for slot, name in self._parts.window_slots:
            env[slot] = windows.get(name)
        return env


__all__ = [
    "CaseView",
    "CompiledClock",
    "CompiledPlan",
    "CompiledTier",
    "Contribution",
    "Evaluation",
    "FactProblem",
    "Holds",
    "Scope",
    "UnknownLevelError",
    "WindowRead",
]
