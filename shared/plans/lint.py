"""Whether a plan is sound: every problem at once, with its place and in words for the person who wrote it."""

from shared.contracts.notifications import KEPT_PLANS
from shared.plans.expressions import Vocabulary
from shared.plans.facts import FactType
from shared.plans.inputs import RESERVED, vocabulary_of
from shared.plans.limits import LimitBase, parse_threshold
from shared.plans.lint_bands import band_problems
from shared.plans.lint_base import READABLE, references
from shared.plans.lint_messages import message_problems
from shared.plans.lint_obligations import ObligationLint
from shared.plans.lint_reach import shadowed
from shared.plans.model import (
    BUILT_IN_MILESTONES,
    Breach,
    ClockSpec,
    Criterion,
    ParameterRef,
    Plan,
    TierSpec,
    Window,
)
from shared.plans.parameters import resolve_repeat, resolve_roles, resolve_wait
from shared.plans.people_spec import Activation, Inform
from shared.plans.problems import Problem
from shared.plans.salvage import NOTHING_LOST, Lost
from shared.plans.windows import sliding_length
from shared.plans.written import FactLimit
from shared.plans.yaml_text import KeyPath, Positions


def lint_plan(plan: Plan, positions: Positions | None = None, lost: Lost = NOTHING_LOST) -> list[Problem]:
    """Everything that is wrong with the plan, sorted by place; empty for a sound one.

    Of a plan that `lost` some of its pieces, only what is wrong whatever they were.
    """
    return _Lint(plan, positions or Positions(plan.plan), lost).problems()


class _Lint(ObligationLint):
    def problems(self) -> list[Problem]:
        plan = self._plan
        self._check_own_name()
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
        self._check_obligations()
        self._check_levels()
        self._check_unread()
        self._check_together()
        return sorted(set(self._found))

    def _check_together(self) -> None:
        """What criteria and messages say beside each other."""
        plan = self._plan
        conditions = [(index, plan.criteria[index].level, typed.tree) for index, typed in self._conditions.items()]
        if self._lost.whole("levels", "criteria", "facts"):
            for path, message in band_problems([level.id for level in plan.levels], conditions):
                self._note(path, message)
        if self._lost.whole("levels", "messages"):
            for path, message in message_problems(plan):
                self._note(path, message)
        if self._lost.whole("levels", "criteria", *READABLE):
            for path, message in shadowed(plan, self._conditions):
                self._note(path, message)

    def _check_own_name(self) -> None:
        if self._plan.plan in KEPT_PLANS:
            self._note(("plan",), f"'{self._plan.plan}' is kept for tests of whether people can be reached")

    def _check_names(self) -> None:
        plan = self._plan
        for key, ids in (
            ("levels", [level.id for level in plan.levels]),
            ("milestones", [milestone.id for milestone in plan.milestones]),
            ("criteria", [criterion.id for criterion in plan.criteria]),
            ("clocks", [clock.id for clock in plan.clocks]),
            ("tiers", [tier.id for tier in plan.tiers]),
            ("messages", [message.id for message in plan.messages]),
        ):
            self._check_unique(key, ids)
        for index, milestone in enumerate(plan.milestones):
            if milestone.id in BUILT_IN_MILESTONES:
                self._note(("milestones", index, "id"), f"'{milestone.id}' is a milestone of every plan")
        seen: dict[str, str] = {}
        for key, names in (
            ("facts", plan.facts),
            ("windows", plan.windows),
            ("baselines", plan.baselines),
            ("parameters", plan.parameters),
        ):
            for name in names:
                if name in RESERVED:
                    self._key((key, name), f"'{name}' is a word of the language and cannot be declared")
                if name in seen:
                    self._key((key, name), f"'{name}' is declared under {seen[name]} already")
                seen.setdefault(name, key)
        for name, parameter in plan.parameters.items():
            if parameter.assumed and parameter.note is None:
                self._key(("parameters", name), f"parameter '{name}' is assumed: a note must say why this value")

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
            self._check_condition(window.where, (*path, "where"), self._facts_only, steady=True)

    def _check_criterion(self, index: int, criterion: Criterion, vocabulary: Vocabulary) -> None:
        path: KeyPath = ("criteria", index)
        self._check_level(criterion.level, (*path, "level"))
        typed = self._check_condition(criterion.when, (*path, "when"), vocabulary, steady=False)
        if typed is None:
            return
        self._conditions[index] = typed
        self._check_assumed(path, typed.parameters, assumed=criterion.assumed)

    def _check_clock(self, index: int, clock: ClockSpec) -> None:
        path: KeyPath = ("clocks", index)
        self._check_milestones(path, clock)
        written = self._check_fact_limit(clock, path)
        limit = self._check_limit(written, (*path, "limit"))
        for place, text in enumerate(clock.warn):
            lead = parse_threshold(text).lead
            if limit is not None and lead is not None and limit.base is LimitBase.ELAPSED and lead >= limit.elapsed:
                self._note((*path, "warn", place), "the warning is not before the clock's end but before its start")
        self._check_level_list(clock.levels, path)
        read: frozenset[str] = frozenset()
        if clock.when is not None:
            typed = self._check_condition(clock.when, (*path, "when"), self._facts_only, steady=True)
            read = typed.parameters if typed else read
        roles = self._attempt(resolve_roles, clock.notify_roles, (*path, "notify_roles"))
        if clock.raises is not None:
            self._check_raise(clock, clock.raises, (*path, "raises"))
        if clock.overrun is not None:
            self._attempt(resolve_wait, clock.overrun.every, (*path, "overrun", "every"))
        if clock.extension is not None:
            self._check_extension(clock.extension, (*path, "extension"))
        untiered = not self._plan.tiers and self._lost.whole("tiers")
        if clock.breach is Breach.NEXT_TIER and untiered:
            self._note((*path, "breach"), "the plan has no tiers to go up")
        if clock.breach is Breach.NOTIFY and roles == () and untiered and self._lost.whole("clocks"):
            self._note((*path, "breach"), "nobody is told: the clock has no notify_roles and the plan no tiers")
        self._check_assumed(path, {*read, *references(written, clock.notify_roles)}, assumed=clock.assumed)

    def _check_fact_limit(self, clock: ClockSpec, path: KeyPath) -> str | ParameterRef:
        limit = clock.limit
        if clock.before is not None:
            self._check_fact(clock.before, (*path, "before"), {FactType.INSTANT})
        if isinstance(limit, FactLimit):
            self._check_fact(limit.fact, (*path, "limit", "fact"), {FactType.DURATION, FactType.INSTANT})
            return limit.otherwise
        return limit

    def _check_raise(self, clock: ClockSpec, raises: str, path: KeyPath) -> None:
        ranks = {level.id: rank for rank, level in enumerate(self._plan.levels)}
        if not self._check_level(raises, path):
            return
        mildest = min((ranks[level] for level in clock.levels if level in ranks), default=0)
        if ranks[raises] <= mildest and self._lost.whole("levels", "clocks"):
            self._note(path, f"the clock runs at no level below '{raises}': it raises nothing")

    def _check_milestones(self, path: KeyPath, clock: ClockSpec) -> None:
        for key, milestone in (("from", clock.start), ("until", clock.until)):
            if not self._known_milestone(milestone):
                self._note((*path, key), f"'{milestone}' is no milestone: the clock could never {_DOES[key]}")
        order = BUILT_IN_MILESTONES
        if clock.start == clock.until or (
            clock.start in order and clock.until in order and order.index(clock.until) < order.index(clock.start)
        ):
            self._note((*path, "until"), f"the clock can never stop: '{clock.until}' is not after '{clock.start}'")

    def _check_tier(self, index: int, tier: TierSpec) -> None:
        path: KeyPath = ("tiers", index)
        self._check_level_list(tier.levels, path)
        roles = self._attempt(resolve_roles, tier.roles, (*path, "roles"))
        if roles is not None and not roles:
            self._note((*path, "roles"), f"tier '{tier.id}' has nobody to reach")
        self._attempt(resolve_roles, tier.off_hours, (*path, "off_hours"))
        if tier.wait is not None:
            self._attempt(resolve_wait, tier.wait, (*path, "wait"))
        if tier.hours == "working" or tier.off_hours:
            self._need_calendar((*path, "off_hours" if tier.off_hours else "hours"))
        before = {known.id for known in self._plan.tiers[: index + 1]}
        if tier.repeat_from is not None and tier.repeat_from not in before and self._lost.whole("tiers"):
            self._note((*path, "repeat_from"), f"'{tier.repeat_from}' is not this tier or one before it")
        if tier.when is not None:
            self._check_condition(tier.when, (*path, "when"), self._facts_only, steady=True)
        self._attempt(resolve_wait, tier.acknowledge_within, (*path, "acknowledge_within"))
        self._attempt(resolve_repeat, tier.repeat, (*path, "repeat"))
        resting = references(tier.roles, tier.off_hours, tier.wait, tier.acknowledge_within, tier.repeat)
        self._check_assumed(path, resting, assumed=tier.assumed)

    def _check_levels(self) -> None:
        plan = self._plan
        informed: dict[str, tuple[str, ...]] = {}
        for named, roles in plan.notify.items():
            if named not in self._levels and not self._lost.may_name(named, "levels"):
                self._key(("notify", named), f"there is no level '{named}'")
            informed[named] = self._attempt(resolve_roles, roles, ("notify", named)) or ()
        for named in plan.expected:
            if named not in self._levels and not self._lost.may_name(named, "levels"):
                self._key(("expected", named), f"there is no level '{named}'")
        assigned = {criterion.level for criterion in plan.criteria} | {clock.raises for clock in plan.clocks}
        for index, name in enumerate(level.id for level in plan.levels):
            path: KeyPath = ("levels", index, "id")
            if name not in assigned and self._lost.whole("levels", "criteria", "clocks"):
                self._note(path, f"no criterion ever gives level '{name}'")
            reached: list[TierSpec | Inform | Activation] = [*plan.tiers, *plan.inform, *plan.activation]
            told = informed.get(name) or any(not entry.levels or name in entry.levels for entry in reached)
            if not told and self._lost.whole("levels", "tiers", "inform", "activation", "notify", "parameters"):
                self._note(path, f"nobody is told at level '{name}': no tier and no roles under notify")
            if plan.expected and name not in plan.expected and self._lost.whole("levels", "expected"):
                self._note(("expected",), f"nothing is said for level '{name}'")

    def _check_unread(self) -> None:
        read = {name for typed in self._conditions.values() for name in typed.names} | self._read_besides
        read |= {baseline.of for baseline in self._plan.baselines.values()}
        unsound = len(self._conditions) < len(self._plan.criteria) or not self._lost.changed <= _READ_NOTHING
        for name in self._plan.windows:
            if name not in read and not unsound and not self._inherited(("windows", name)):
                self._key(("windows", name), f"no criterion reads the window '{name}'")
        for name in self._plan.parameters:
            if name not in self._used_parameters and not unsound and not self._inherited(("parameters", name)):
                self._key(("parameters", name), f"nothing uses the parameter '{name}'")


_DOES = {"from": "start", "until": "stop"}
_READ_NOTHING = frozenset({"plan", "version", "title", "sources", "levels", "expected", "milestones", "messages"})
"""Sections that read neither windows nor parameters."""
