"""Virtual time: reports, commands and deadlines in their order, judged by the plan and escalated by the real rules."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Final
from uuid import UUID, uuid5

from services.classifier.domain.proposals import with_proposals
from services.classifier.domain.warnings import Verdict, facts_of, place_of, title_of, verdicts
from services.classifier.domain.windows import Group, reading_of
from services.drill.domain.asked import Asked, Known, asked, duties_due
from services.drill.domain.counting import Counts
from services.drill.domain.reported import ORG, Reported, as_known, first_view, later_view
from services.drill.domain.steps import FIRST, Step, steps
from services.drill.domain.timeline import Ended, Happened, Outcome, Replayed, Resolve, Told, Which
from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case, reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision, Timer
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import statuses
from services.escalator.domain.time_bases import Rules
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.values import Actor, ActorKind, CaseKind, FactValue, Language
from shared.plans import cases as scenario
from shared.plans.compiled import Evaluation, Scope
from shared.plans.windows import CaseView

# What falls due at the same instant is taken in this order.
_TIMER: Final = 0
_TIME_ALONE: Final = 1
_QUIET: Final = 2
_ROOM: Final = UUID("5e1f1e57-0000-5000-8000-000000000000")


def nobody_known(role: str, at: datetime) -> tuple[str, ...]:  # noqa: ARG001  # the shape of a resolver
    """The resolver without a roster."""
    return ()


@dataclass
class _Running:
    """A case in the escalator's hands."""

    on: Which
    case: Case
    timers: tuple[Timer, ...]


def simulate(
    rules: Rules, case: scenario.Case, *, resolve: Resolve = nobody_known, language: Language = "zh"
) -> Outcome:
    """Run the case's scenario from its start to the end of its time.

    Raises NeedsCalendarError when the plan counts in something that needs a calendar.
    """
    run = _Run(rules, case.start, resolve, language)
    end = case.start + case.length
    for step in steps(case):
        run.until(step.at, inclusive=False)
        run.apply(step)
    run.until(end, inclusive=True)
    return run.outcome(end)


def replay(rules: Rules, happenings: Iterable[Step], start: datetime, end: datetime) -> Replayed:
    """Run many cases, each named by its steps, from `start` to `end`. The steps come in the order of time.

    Raises NeedsCalendarError like `simulate`.
    """
    run = _Run(rules, start, nobody_known, "zh")
    for step in happenings:
        run.until(step.at, inclusive=False)
        run.apply(step)
    run.until(end, inclusive=True)
    return run.replayed(end)


class _Run:
    def __init__(self, rules: Rules, start: datetime, resolve: Resolve, language: Language) -> None:
        self._plan = plan = rules.plan
        self._rules = rules
        self._start = start
        self._resolve = resolve
        self._language = language
        self._counts = Counts(plan)
        self._raising = reading_of(plan).raising
        self._reported: dict[str, Reported] = {}
        self._running: dict[str, _Running] = {}
        self._warned: dict[tuple[object, ...], tuple[str, int, int]] = {}
        self._timeline: list[Told | Happened] = []
        self._refused: list[str] = []
        self._opened: dict[str, None] = {}
        self._quiet_since: dict[str, datetime] = {}
        end = plan.warning_end
        self._ends_after = end.ends_after if end is not None else None
        self._due: list[tuple[datetime, int, int, int, int, str, Timer | None]] = []
        self._turn = count()
        self._order: dict[str, int] = {}
        self._warning_ended: dict[str, datetime] = {}
        self._last_warning: dict[str, CaseClassifiedV1] = {}

    def until(self, end: datetime, *, inclusive: bool) -> None:
        """Let deadlines and the passing of time do what they do before `end`."""
        while True:
            due = self._next_due()
            if due is None or due[0] > end or (due[0] == end and not inclusive):
                return
            at, name, timer = due
            if name in self._quiet_since and timer is None:
                self._end_warning(name, at)
            elif timer is None:
                self._reported[name].reconsider_at = None
                self._judge(name, at)
            else:
                running = self._running[name]
                self._take(name, running.on, fire(self._rules, running.case, timer, at), at)

    def apply(self, step: Step) -> None:
        if step.report is not None:
            self._report(step.name, step.report, step.at)
        elif step.command is not None:
            self._command(step.name, step.command, step.at)

    def outcome(self, end: datetime) -> Outcome:
        warnings = [name for name, running in self._running.items() if running.on == "warning"]
        highest = max(warnings, key=lambda name: self._plan.rank(self._running[name].case.level), default=None)
        return Outcome(
            start=self._start,
            end=end,
            timeline=tuple(self._timeline),
            case=self._ended(FIRST, end),
            warning=self._ended(highest, end) if highest else None,
            refused=tuple(self._refused),
            asked=self._asked(end),
            warning_ended=self._warning_ended.get(highest or ""),
        )

    def replayed(self, end: datetime) -> Replayed:
        levels = {name: reported.level for name, reported in self._reported.items()}
        ended = {name: self._ended(name, end) for name in self._running}
        return Replayed(tuple(self._timeline), levels, {name: one for name, one in ended.items() if one is not None})

    def _asked(self, end: datetime) -> Asked:
        """What the plan asks for the first case; for a plan of duties only, the duties."""
        reported, running = self._reported.get(FIRST), self._running.get(FIRST)
        if reported is None:
            return Asked()
        view = as_known(reported)
        known = Known(
            level=running.case.level if running else reported.level,
            inputs=self._plan.inputs(view),
            facts=reported.facts,
            counts=self._counts.read_by(view),
            view=view,
            title=reported.title,
            narrative=reported.narrative,
            case=running.case if running else None,
        )
        found = asked(self._rules, known, opened=self._opened, proposed=reported.proposed)
        return replace(found, duties=duties_due(self._rules, known, self._start, end))

    def _end_warning(self, name: str, at: datetime) -> None:
        """A quiet time is over: the warning case is resolved, its level stays."""
        del self._quiet_since[name]
        self._warning_ended[name] = at
        running = self._running[name]
        key = next(key for key, (known, _, _) in self._warned.items() if known == name)
        _, rank, revision = self._warned[key]
        self._warned[key] = (name, rank, revision + 1)
        classified = self._last_warning[name].model_copy(
            update={"revision": revision + 1, "resolved": True, "classified_at": at}
        )
        self._take(name, running.on, reclassify(self._rules, running.case, classified, at), at)

    def _ended(self, name: str, end: datetime) -> Ended | None:
        running = self._running.get(name)
        return Ended(running.case, statuses(self._rules, running.case, end)) if running else None

    def _next_due(self) -> tuple[datetime, str, Timer | None] | None:
        """The earliest deadline of any case, or instant at which time alone changes a judgement."""
        while self._due:
            at, kind, _, _, _, name, timer = self._due[0]
            if self._still_due(at, kind, name, timer):
                return at, name, timer
            heappop(self._due)
        return None

    def _still_due(self, at: datetime, kind: int, name: str, timer: Timer | None) -> bool:
        if kind == _TIMER:
            return timer in self._running[name].timers
        if kind == _TIME_ALONE:
            return self._reported[name].reconsider_at == at
        quiet = self._quiet_since.get(name)
        return quiet is not None and self._ends_after is not None and quiet + self._ends_after == at

    def _expect(self, at: datetime, kind: int, name: str, timer: Timer | None = None, place: int = 0) -> None:
        order = self._order.setdefault(name, len(self._order))
        heappush(self._due, (at, kind, order, place, next(self._turn), name, timer))

    def _stay_quiet(self, name: str, at: datetime) -> None:
        self._quiet_since[name] = at
        if self._ends_after is not None:
            self._expect(at + self._ends_after, _QUIET, name)

    def _report(self, name: str, report: scenario.ReportSpec, at: datetime) -> None:
        reported = self._reported.get(name)
        if reported is None:
            reported = self._reported[name] = Reported(first_view(name, report, at))
        else:
            reported.view = later_view(reported.view, report)
        reported.title = report.title or reported.title
        reported.resolved = report.resolved
        if report.narrative:
            reported.texts.append(report.narrative)
        given = self._plan.type_facts(reported.view.facts)[0]
        reported.facts, evidence = with_proposals(self._plan, reported.title, reported.narrative, given)
        reported.proposed = {one.fact: reported.facts[one.fact] for one in evidence}
        groups = self._counts.take(as_known(reported))
        self._judge(name, at)
        for group in sorted(groups):
            self._warn(group, as_known(reported), at)

    def _judge(self, name: str, at: datetime) -> None:
        reported = self._reported[name]
        view = as_known(reported)
        counts = self._counts.read_by(view)
        inputs = self._plan.inputs(view)
        evaluation = self._plan.evaluate(inputs, counts, at, Scope.CASE)
        reported.reconsider_at = evaluation.reconsider_at
        if evaluation.reconsider_at is not None:
            self._expect(evaluation.reconsider_at, _TIME_ALONE, name)
        reported.level = evaluation.level
        facts = reported.facts
        if name == FIRST:
            for opening in self._plan.opens_for(evaluation.level, inputs, counts):
                self._opened.setdefault(opening.plan)
        said = (evaluation.level, evaluation.decided_by, tuple(sorted(map(repr, facts.items()))), reported.resolved)
        if said == reported.said:
            return
        reported.said = said
        reported.revision += 1
        classified = CaseClassifiedV1(
            number=name,
            kind=view.kind,
            plan=self._plan.ref,
            revision=reported.revision,
            level=evaluation.level,
            level_rank=evaluation.rank,
            criteria=evaluation.criteria,
            decided_by=evaluation.decided_by,
            title=reported.title,
            source=view.source or "case",
            channel=view.channel,
            topic=view.topic,
            place=view.place,
            language=self._language,
            facts=facts,
            occurred_at=view.occurred_at,
            received_at=view.received_at,
            classified_at=at,
            resolved=reported.resolved,
            drill=True,
        )
        self._classified(name, "case", classified, at)

    def _warn(self, key: tuple[tuple[str, str], ...], view: CaseView, at: datetime) -> None:
        """The warning cases of a group whose counts moved: each only rises within its span of time."""
        names = self._raising.get(tuple(name for name, _ in key))
        if not names:
            return
        values = self._counts.of_group(key, names, view)
        evaluation: Evaluation = self._plan.evaluate(self._plan.group_inputs(key), values, at, Scope.TOPIC)
        group = Group(ORG, self._plan.name, True, key)  # noqa: FBT003  # a drill's counts
        for verdict in verdicts(self._plan, evaluation, at):
            known = self._warned.get((key, verdict.span, verdict.bucket_start))
            name, rank, revision = known or (f"warning-{len(self._warned) + 1}", 0, 0)
            if verdict.rank <= rank:
                continue
            self._warned[key, verdict.span, verdict.bucket_start] = (name, verdict.rank, revision + 1)
            warning = self._last_warning[name] = self._warning(name, revision + 1, group, verdict, at)
            self._classified(name, "warning", warning, at)
            self._warning_ended.pop(name, None)
            self._stay_quiet(name, at)
        for known_key, (name, _, _) in self._warned.items():
            if known_key[0] == key and name in self._quiet_since:
                self._stay_quiet(name, at)

    def _warning(self, name: str, revision: int, group: Group, verdict: Verdict, at: datetime) -> CaseClassifiedV1:
        title = title_of(group, verdict)
        return CaseClassifiedV1(
            number=name,
            kind=CaseKind.WARNING,
            plan=self._plan.ref,
            revision=revision,
            level=verdict.level,
            level_rank=verdict.rank,
            criteria=verdict.criteria,
            decided_by=verdict.decided_by,
            title=title.zh,
            title_en=title.en,
            source="drill",
            topic=dict(group.key).get("topic"),
            place=place_of(group),
            language=self._language,
            facts=facts_of(self._plan, group, verdict),
            occurred_at=at,
            received_at=at,
            classified_at=at,
            drill=True,
        )

    def _classified(self, name: str, on: Which, classified: CaseClassifiedV1, at: datetime) -> None:
        running = self._running.get(name)
        if running is not None:
            self._take(name, on, reclassify(self._rules, running.case, classified, at), at)
            return
        decision = open_case(
            self._rules,
            org=ORG,
            case_id=uuid5(_ROOM, name),
            plan=self._plan.ref,
            classified=classified,
            now=at,
        )
        self._take(name, on, decision, at)

    def _command(self, name: str, happening: scenario.Happening, at: datetime) -> None:
        if happening.command is None:
            return
        target = name
        if happening.on == "warning":
            target = next((known for known, running in self._running.items() if running.on == "warning"), "")
        running = self._running.get(target)
        if running is None:
            self._refused.append(f"{happening.command} at {happening.at}: there is no {happening.on} case yet")
            return
        arguments: dict[str, FactValue | None] = {
            "milestone": happening.milestone,
            "level": happening.level,
            "clock": happening.clock,
            "by": happening.extend_by,
            "approval": happening.approval,
            "item": happening.item,
            "way": happening.item,
            "role": happening.by,
        }
        command = CommandIssuedV1(
            command=happening.command,
            actor=Actor(kind=ActorKind.PERSON, ref=happening.by or "somebody"),
            issued_at=at,
            reason=happening.reason,
            arguments={name: value for name, value in arguments.items() if value is not None},
        )
        self._take(target, running.on, apply_command(self._rules, running.case, command, at), at)

    def _take(self, name: str, on: Which, decision: Decision, at: datetime) -> None:
        self._running[name] = _Running(on, decision.case, decision.timers)
        for place, timer in enumerate(decision.timers):
            self._expect(timer.due_at, _TIMER, name, timer, place)
        for change in decision.changes:
            level, criterion = change.details.get("level"), change.details.get("criterion")
            self._timeline.append(
                Happened(
                    at,
                    on,
                    name,
                    change.kind,
                    change.because,
                    level if isinstance(level, str) else None,
                    criterion if isinstance(criterion, str) else None,
                )
            )
        for request in decision.requests:
            for role in request.roles:
                self._timeline.append(
                    Told(
                        at,
                        on,
                        name,
                        request.purpose,
                        role,
                        self._resolve(role, at),
                        request.channels,
                        request.subject.because,
                        request.subject.level,
                    )
                )
