"""Virtual time: reports, commands and deadlines in their order, judged by the plan and escalated by the real rules."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from services.classifier.domain.warnings import Verdict, facts_of, place_of, title_of, verdicts
from services.classifier.domain.windows import Group, reading_of
from services.drill.domain.counting import Counts
from services.drill.domain.timeline import Ended, Happened, Outcome, Resolve, Told, Which
from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case, reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision, Timer
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import statuses
from services.escalator.domain.time_bases import Rules
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.values import Actor, ActorKind, CaseKind, Language
from shared.plans import cases as scenario
from shared.plans.compiled import Evaluation, Scope
from shared.plans.windows import CaseView

_ORG: Final = "drill"
_ROOM: Final = UUID("5e1f1e57-0000-5000-8000-000000000000")


def nobody_known(role: str, at: datetime) -> tuple[str, ...]:  # noqa: ARG001  # the shape of a resolver
    """The resolver without a roster."""
    return ()


@dataclass
class _Reported:
    """A case as it was reported so far, and what was last said about it."""

    view: CaseView
    title: str | None = None
    resolved: bool = False
    revision: int = 0
    said: tuple[object, ...] = ()
    reconsider_at: datetime | None = None


@dataclass
class _Running:
    """A case in the escalator's hands."""

    on: Which
    case: Case
    timers: tuple[Timer, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """Something the scenario makes happen. `name` is the case it is about."""

    at: datetime
    name: str
    report: scenario.ReportSpec | None = None
    command: scenario.Happening | None = None


def simulate(
    rules: Rules, case: scenario.Case, *, resolve: Resolve = nobody_known, language: Language = "zh"
) -> Outcome:
    """Run the case's scenario from its start to the end of its time.

    Raises NeedsCalendarError when the plan counts in something that needs a calendar.
    """
    run = _Run(rules, case.start, resolve, language)
    end = case.start + case.length
    for step in _steps(case):
        run.until(step.at, inclusive=False)
        run.apply(step)
    run.until(end, inclusive=True)
    return run.outcome(end)


def _steps(case: scenario.Case) -> Iterator[_Step]:
    """In the order of time; what is written first comes first among equals."""
    found: list[_Step] = []
    if case.burst is None:
        found.append(_Step(case.start, "case-1", report=case.report))
    else:
        found.extend(_burst("case", case.start, case.report, case.burst))
    for index, happening in enumerate(case.then):
        at = case.start + happening.after
        if happening.burst is not None:
            found.extend(_burst(f"further-{index}", at, happening.report or case.report, happening.burst))
        else:
            name = "case-1"
            command = happening if happening.command is not None else None
            found.append(_Step(at, name, report=happening.report, command=command))
    return iter(sorted(found, key=lambda step: step.at))


def _burst(name: str, at: datetime, report: scenario.ReportSpec, burst: scenario.Burst) -> Iterator[_Step]:
    for number, (after, one) in enumerate(scenario.burst_reports(report, burst), start=1):
        yield _Step(at + after, f"{name}-{number}", report=one)


class _Run:
    def __init__(self, rules: Rules, start: datetime, resolve: Resolve, language: Language) -> None:
        self._plan = plan = rules.plan
        self._rules = rules
        self._start = start
        self._resolve = resolve
        self._language = language
        self._counts = Counts(plan)
        self._raising = reading_of(plan).raising
        self._reported: dict[str, _Reported] = {}
        self._running: dict[str, _Running] = {}
        self._warned: dict[tuple[object, ...], tuple[str, int, int]] = {}
        self._timeline: list[Told | Happened] = []
        self._refused: list[str] = []

    def until(self, end: datetime, *, inclusive: bool) -> None:
        """Let deadlines and the passing of time do what they do before `end`."""
        while True:
            due = self._next_due()
            if due is None or due[0] > end or (due[0] == end and not inclusive):
                return
            at, name, timer = due
            if timer is None:
                self._reported[name].reconsider_at = None
                self._judge(name, at)
            else:
                running = self._running[name]
                self._take(name, running.on, fire(self._rules, running.case, timer, at), at)

    def apply(self, step: _Step) -> None:
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
            case=self._ended("case-1", end),
            warning=self._ended(highest, end) if highest else None,
            refused=tuple(self._refused),
        )

    def _ended(self, name: str, end: datetime) -> Ended | None:
        running = self._running.get(name)
        return Ended(running.case, statuses(self._rules, running.case, end)) if running else None

    def _next_due(self) -> tuple[datetime, str, Timer | None] | None:
        """The earliest deadline of any case, or instant at which time alone changes a judgement."""
        found: list[tuple[datetime, str, Timer | None]] = [
            (timer.due_at, name, timer) for name, running in self._running.items() for timer in running.timers
        ]
        found.extend(
            (reported.reconsider_at, name, None)
            for name, reported in self._reported.items()
            if reported.reconsider_at is not None
        )
        return min(found, key=lambda one: one[0], default=None)

    def _report(self, name: str, report: scenario.ReportSpec, at: datetime) -> None:
        reported = self._reported.get(name)
        if reported is None:
            reported = self._reported[name] = _Reported(_first_view(name, report, at))
        else:
            reported.view = _later_view(reported.view, report)
        reported.title = report.title or reported.title
        reported.resolved = report.resolved
        groups = self._counts.take(reported.view)
        self._judge(name, at)
        for group in sorted(groups):
            self._warn(group, reported.view, at)

    def _judge(self, name: str, at: datetime) -> None:
        reported = self._reported[name]
        view = reported.view
        evaluation = self._plan.evaluate(self._plan.inputs(view), self._counts.read_by(view), at, Scope.CASE)
        reported.reconsider_at = evaluation.reconsider_at
        facts = self._plan.type_facts(view.facts)[0]
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
        group = Group(_ORG, self._plan.name, True, key)  # noqa: FBT003  # a drill's counts
        for verdict in verdicts(self._plan, evaluation, at):
            known = self._warned.get((key, verdict.span, verdict.bucket_start))
            name, rank, revision = known or (f"warning-{len(self._warned) + 1}", 0, 0)
            if verdict.rank <= rank:
                continue
            self._warned[key, verdict.span, verdict.bucket_start] = (name, verdict.rank, revision + 1)
            self._classified(name, "warning", self._warning(name, revision + 1, group, verdict, at), at)

    def _warning(self, name: str, revision: int, group: Group, verdict: Verdict, at: datetime) -> CaseClassifiedV1:
        return CaseClassifiedV1(
            number=name,
            kind=CaseKind.WARNING,
            plan=self._plan.ref,
            revision=revision,
            level=verdict.level,
            level_rank=verdict.rank,
            criteria=verdict.criteria,
            decided_by=verdict.decided_by,
            title=title_of(group, verdict),
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
            org=_ORG,
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
        arguments = {"milestone": happening.milestone, "level": happening.level}
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


def _first_view(name: str, report: scenario.ReportSpec, at: datetime) -> CaseView:
    return CaseView(
        case_id=name,
        kind=report.kind,
        org=_ORG,
        topic=report.topic,
        category=report.category,
        channel=report.channel,
        complainant_ref=report.complainant,
        place=report.place.as_contract(),
        occurred_at=report.occurred_at(at),
        received_at=at,
        facts=dict(report.facts),
        source=report.source,
    )


def _later_view(view: CaseView, report: scenario.ReportSpec) -> CaseView:
    """The case after another report: what it gives replaces what was known, what it leaves out stays."""
    given = report.model_fields_set
    place = view.place
    if "place" in given:
        place = place.model_copy(update={k: v for k, v in report.place.model_dump().items() if v is not None})
    return replace(
        view,
        topic=report.topic if "topic" in given else view.topic,
        category=report.category if "category" in given else view.category,
        channel=report.channel if "channel" in given else view.channel,
        complainant_ref=report.complainant if "complainant" in given else view.complainant_ref,
        place=place,
        facts={**view.facts, **report.facts},
    )
