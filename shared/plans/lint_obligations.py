"""Whether what a plan asks for besides clocks and tiers is sound."""

from collections.abc import Sequence
from typing import Final

from shared.plans.expressions import ExpressionError, Vocabulary, type_amount
from shared.plans.facts import FactType, fact_problem
from shared.plans.lint_base import LintBase, references
from shared.plans.model import Condition
from shared.plans.obligation_compilation import resolve_every
from shared.plans.parameters import resolve_roles, resolve_wait
from shared.plans.time_spec import LONGEST_WAIT, Extension
from shared.plans.written import ParameterRef, RolesOrParameter
from shared.plans.yaml_text import KeyPath

MOMENTS: Final = frozenset({"breached", "extended", "level-changed", "withdrawn", "invalidated", "merged", "reopened"})
"""At which a complainant may be told something, besides milestones."""

_NAMING: Final = {FactType.TEXT, FactType.ENUM, FactType.SET}


class ObligationLint(LintBase):
    """The part of the lint that looks at everything but criteria, windows, clocks and tiers."""

    def _check_obligations(self) -> None:
        for key in ("inform", "bypass", "duplicates", "opens", "activation", "approvals", "recusal", "record"):
            self._check_ids(key)
        for key in ("checklist", "notices", "duties", "consequences", "drills", "not_automated"):
            self._check_ids(key)
        self._check_baselines_and_signals()
        self._check_duplicates()
        self._check_warnings()
        self._check_waits()
        self._check_openings()
        self._check_gates()
        self._check_people()
        self._check_work()
        self._check_duties()
        self._check_consequences()

    def _check_ids(self, key: str) -> None:
        self._check_unique(key, [entry.id for entry in getattr(self._plan, key)])

    def _applies(
        self,
        path: KeyPath,
        levels: tuple[str, ...],
        when: Condition | None,
        vocabulary: Vocabulary | None = None,
        *resting: object,
        assumed: bool = False,
    ) -> None:
        self._check_level_list(levels, path)
        read: set[str] = set()
        if when is not None:
            typed = self._check_condition(when, (*path, "when"), vocabulary or self._facts_only, steady=True)
            if typed is not None:
                read |= typed.parameters
                self._read_besides |= set(typed.names)
        self._check_assumed(path, {*read, *references(*resting)}, assumed=assumed)

    def _reached(self, written: RolesOrParameter, path: KeyPath) -> None:
        roles = self._attempt(resolve_roles, written, path)
        if roles is not None and not roles:
            self._note(path, "nobody is reached: there are no roles")

    def _milestone(self, name: str, path: KeyPath, others: frozenset[str] = frozenset()) -> None:
        if name not in others and not self._known_milestone(name):
            self._note(path, f"'{name}' is no milestone")

    def _check_baselines_and_signals(self) -> None:
        plan = self._plan
        for name, baseline in plan.baselines.items():
            window = plan.windows.get(baseline.of)
            unknown = window is None and not self._lost.may_name(baseline.of, "windows")
            if unknown or (window is not None and window.per.endswith("sliding")):
                self._note(("baselines", name, "of"), f"'{baseline.of}' is no window of whole periods")
        for name, signal in plan.signals.items():
            for fact, value in signal.proposes.items():
                spec = plan.facts.get(fact)
                problem = None if spec is None else fact_problem(fact, spec, value)
                if spec is None:
                    if not self._lost.may_name(fact, "facts"):
                        self._key(("signals", name, "proposes", fact), f"'{fact}' is no declared fact")
                elif problem is not None:
                    self._note(("signals", name, "proposes", fact), problem.message)

    def _check_duplicates(self) -> None:
        for index, rule in enumerate(self._plan.duplicates):
            path: KeyPath = ("duplicates", index)
            for place, named in enumerate(rule.same):
                if not self._groupable(named):
                    self._note((*path, "same", place), f"'{named}' cannot be compared: no declared fact or built-in")
            self._attempt(resolve_wait, rule.within, (*path, "within"))
            self._applies(path, (), rule.when)

    def _check_warnings(self) -> None:
        end = self._plan.warnings
        if end is None:
            return
        if end.ends_after is not None:
            self._attempt(resolve_wait, end.ends_after, ("warnings", "ends_after"))
        if end.ends_when is not None:
            typed = self._check_condition(end.ends_when, ("warnings", "ends_when"), self._everything, steady=True)
            self._read_besides |= set(typed.names if typed else ())
        raising = any(window.raises_warning for window in self._plan.windows.values())
        if not raising and self._lost.whole("windows", "warnings"):
            self._key(("warnings",), "no window raises a warning that could end")

    def _check_waits(self) -> None:
        waits = self._plan.waits
        if waits is None:
            return
        longest = None
        if waits.longest is not None:
            longest = self._attempt(resolve_wait, waits.longest, ("waits", "longest"))
        if longest is not None and longest > LONGEST_WAIT:
            self._note(("waits", "longest"), f"no case waits longer than {LONGEST_WAIT.days}d: it would be forgotten")
        if not self._plan.clocks and self._lost.whole("clocks"):
            self._key(("waits",), "no clock of this plan could stand still")
        if len(set(waits.reasons)) < len(waits.reasons):
            self._note(("waits", "reasons"), "a code is listed twice")

    def _check_openings(self) -> None:
        for index, opening in enumerate(self._plan.opens):
            path: KeyPath = ("opens", index)
            if opening.plan == self._plan.plan:
                self._note((*path, "plan"), "a plan cannot open itself")
            for place, fact in enumerate(opening.carry):
                self._check_fact(fact, (*path, "carry", place), set())
            self._applies(path, opening.levels, opening.when, self._everything)

    def _check_gates(self) -> None:
        plan = self._plan
        for index, gate in enumerate(plan.activation):
            path: KeyPath = ("activation", index)
            self._reached(gate.roles, (*path, "roles"))
            self._attempt(resolve_wait, gate.within, (*path, "within"))
            if gate.on_silence == "next-tier" and not plan.tiers and self._lost.whole("tiers"):
                self._note((*path, "on_silence"), "the plan has no tiers to go up")
            self._applies(path, gate.levels, gate.when, None, gate.roles, gate.within, assumed=gate.assumed)
        for index, approval in enumerate(plan.approvals):
            path = ("approvals", index)
            for place, step in enumerate(approval.by):
                self._reached(step, (*path, "by", place))
            if approval.of is not None:
                self._milestone(approval.of, (*path, "of"))
            if approval.within is not None:
                self._check_limit(approval.within, (*path, "within"))
            resting = (*approval.by, approval.within)
            self._applies(path, approval.levels, approval.when, None, *resting, assumed=approval.assumed)
        for index, recusal in enumerate(plan.recusal):
            path = ("recusal", index)
            self._check_fact(recusal.who, (*path, "who"), _NAMING)
            self._attempt(resolve_roles, recusal.instead, (*path, "instead"))
            self._applies(path, recusal.levels, recusal.when)

    def _check_extension(self, spec: Extension, path: KeyPath) -> None:
        self._attempt(resolve_roles, spec.request_by, (*path, "request_by"))
        self._attempt(resolve_roles, spec.approve_by, (*path, "approve_by"))
        longest = self._check_limit(spec.to, (*path, "to"))
        grant = None if spec.by is None else self._check_limit(spec.by, (*path, "by"))
        if grant and longest and grant.base is longest.base and grant.amount > longest.amount:
            self._note((*path, "by"), "what is granted is longer than the whole limit may be under `to`")

    def _check_people(self) -> None:
        plan = self._plan
        for index, inform in enumerate(plan.inform):
            path: KeyPath = ("inform", index)
            self._reached(inform.roles, (*path, "roles"))
            self._milestone(inform.on, (*path, "on"))
            self._applies(path, inform.levels, inform.when, None, inform.roles, assumed=inform.assumed)
        for index, bypass in enumerate(plan.bypass):
            path = ("bypass", index)
            self._attempt(resolve_roles, bypass.roles, (*path, "roles"))
            self._applies(path, bypass.levels, bypass.when)
        if plan.owner is not None:
            self._attempt(resolve_roles, plan.owner.roles, ("owner", "roles"))
            self._milestone(plan.owner.until, ("owner", "until"))
            if plan.owner.who == "role":
                self._reached(plan.owner.roles, ("owner", "roles"))
        confidentiality = plan.confidentiality
        if confidentiality is not None:
            self._attempt(resolve_roles, confidentiality.visible_to, ("confidential", "visible_to"))

    def _check_work(self) -> None:
        plan = self._plan
        for index, entry in enumerate(plan.record):
            path: KeyPath = ("record", index)
            if entry.fact is not None:
                self._check_fact(entry.fact, (*path, "fact"), set())
            self._milestone(entry.before, (*path, "before"))
            if entry.may_stay_blank_until is not None:
                self._milestone(entry.may_stay_blank_until, (*path, "may_stay_blank_until"))
            self._applies(path, entry.levels, entry.when)
        for index, item in enumerate(plan.checklist):
            path = ("checklist", index)
            self._attempt(resolve_roles, item.by, (*path, "by"))
            self._milestone(item.before, (*path, "before"))
            self._applies(path, item.levels, item.when, None, item.by, assumed=item.assumed)
        for index, notice in enumerate(plan.notices):
            path = ("notices", index)
            self._milestone(notice.on, (*path, "on"), MOMENTS)
            if notice.within is not None:
                self._check_limit(notice.within, (*path, "within"))
            self._applies(path, notice.levels, notice.when, None, notice.within, assumed=notice.assumed)

    def _check_duties(self) -> None:
        for index, duty in enumerate(self._plan.duties):
            path: KeyPath = ("duties", index)
            every = self._attempt(resolve_every, duty.every, (*path, "every"))
            self._reached(duty.roles, (*path, "roles"))
            if duty.within is not None:
                self._check_limit(duty.within, (*path, "within"))
            for key, milestone in (("from", duty.start), ("until", duty.until)):
                if milestone is not None:
                    self._milestone(milestone, (*path, key))
            if every is not None:
                self._check_days(every, duty.on, path)
            if every == "working-day" or duty.if_day_off != "keep":
                self._need_calendar(path)
            self._applies(path, duty.levels, duty.when, None, duty.every, duty.roles, duty.within, assumed=duty.assumed)
        for index, drill in enumerate(self._plan.drills):
            path = ("drills", index)
            if drill.every is not None:
                self._attempt(resolve_every, drill.every, (*path, "every"))
            self._attempt(resolve_roles, drill.roles, (*path, "roles"))
            self._applies(path, (), None, None, drill.every, drill.roles, assumed=drill.assumed)

    def _check_days(self, every: str, on: Sequence[str], path: KeyPath) -> None:
        fits = _DAYS[every]
        for place, day in enumerate(on):
            if not any(fit(day) for fit in fits):
                self._note((*path, "on", place), f"'{day}' says nothing about a duty of every {every}")
        if every == "once" and not on and self._lost.whole("duties"):
            self._note((*path, "every"), "something done once needs its date under on")

    def _check_consequences(self) -> None:
        approvals = {approval.id for approval in self._plan.approvals}
        for index, rule in enumerate(self._plan.consequences):
            path: KeyPath = ("consequences", index)
            read: set[str] = set()
            for key, text in (("amount", rule.amount), ("up_to", rule.up_to)):
                if text is not None:
                    read |= self._amount(text, (*path, key))
            if rule.of is not None:
                self._check_fact(rule.of, (*path, "of"), _NAMING)
            needed = rule.needs is None or rule.needs in approvals or self._lost.may_name(rule.needs, "approvals")
            if not needed:
                self._note((*path, "needs"), f"there is no approval '{rule.needs}'")
            self._attempt(resolve_roles, rule.by, (*path, "by"))
            resting = (rule.by, *(ParameterRef(parameter=name) for name in read))
            self._applies(path, rule.levels, rule.when, self._everything, *resting, assumed=rule.assumed)

    def _amount(self, text: str, path: KeyPath) -> set[str]:
        try:
            typed = type_amount(text, self._everything)
        except ExpressionError as error:
            for problem in error.problems:
                if not self._was_declared(problem.message):
                    self._note(path, problem.message, problem.offset)
            return set()
        self._used_parameters |= typed.parameters
        self._read_besides |= set(typed.names)
        return set(typed.parameters)


def _weekday(day: str) -> bool:
    return day in {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}


def _number(day: str) -> bool:
    return day.isdecimal() or day == "end"


def _of_year(day: str) -> bool:
    return len(day) == len("11-01") and day[2] == "-"


def _date(day: str) -> bool:
    return len(day) == len("2026-11-01")


_DAYS: Final = {
    "once": (_date,),
    "day": (),
    "working-day": (),
    "week": (_weekday,),
    "month": (_number, _weekday),
    "quarter": (_number,),
    "half-year": (_number,),
    "year": (_of_year, _number),
}
