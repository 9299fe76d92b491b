"""Judge cases under their plans: route, count, evaluate, publish what is new. The core of every use case here.

The number of statements depends on what a batch contains (windows or not), never on how many cases it has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.classifier.app.announce_cases import News, announce_cases
from services.classifier.app.raise_warnings import raise_warnings
from services.classifier.domain.announcements import Cause
from services.classifier.domain.baselines import Usual, averages
from services.classifier.domain.cases import CaseState
from services.classifier.domain.duplicates import Marked, marks_of
from services.classifier.domain.mergers import given_elsewhere, proposed_elsewhere, still_counts
from services.classifier.domain.proposals import passed_on, with_proposals
from services.classifier.domain.runs import Run, digest_of, judge, opened
from services.classifier.domain.warnings import Movements
from services.classifier.domain.windows import Count, Counted, Group, Moved, count_of_read, counted_of
from services.classifier.store.baselines import read_baselines
from services.classifier.store.cases import CaseRow, save_cases
from services.classifier.store.event_marks import match_marks
from services.classifier.store.plans import Plans
from services.classifier.store.reconsiderations import arm
from services.classifier.store.windows import add_members, lock_groups, read_counts, remove_members
from shared.contracts.classifications import ProposedFact
from shared.contracts.immutable import immutable
from shared.contracts.values import FactValue
from shared.db.tx import Tx
from shared.plans.compiled import CaseView, CompiledPlan, Scope, WindowRead
from shared.plans.inputs import inputs_of
from shared.plans.library import UnknownPlanError
from shared.plans.windows import GroupKey
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CASES_UNROUTED, FACTS_UNFIT

_log = get_logger(__name__)
_MANY: Final = 50


@dataclass(frozen=True, slots=True)
class Ports:
    """What the use cases need besides the database. `armed` hears the instant of every reconsideration committed."""

    plans: Plans
    ids: Ids
    armed: Callable[[datetime], None]


@immutable
class Subject:
    """A case to judge, locked by the caller. `route`: look whether plans apply that it does not run yet."""

    case_id: UUID
    org: str
    state: CaseState
    runs: Mapping[str, Run]
    unrouted_since: datetime | None
    new: bool
    route: bool
    cause: Cause


@dataclass(slots=True)
class _Job:
    subject: Subject
    plan: CompiledPlan
    run: Run
    view: CaseView
    facts: dict[str, FactValue]
    proposed: tuple[ProposedFact, ...]
    problems: tuple[str, ...]
    counted: frozenset[Counted]
    inputs: dict[str, FactValue | None]
    running: dict[str, Run]
    """The case under every plan it runs, shared by the jobs of the case."""
    reads: tuple[tuple[WindowRead, Count], ...] = ()


async def judge_cases(tx: Tx, subjects: Sequence[Subject], ports: Ports) -> dict[UUID, str]:
    """Save the cases, their windows and reconsiderations, and publish new revisions, all in this transaction.

    Returns the cases that cannot be judged with the reason; nothing of them was saved.
    """
    await ports.plans.load(tx, (run.sha256 for subject in subjects for run in subject.runs.values()))
    pending: list[_Job] = []
    running: list[tuple[Subject, dict[str, Run]]] = []
    refused: dict[UUID, str] = {}
    for subject in subjects:
        runs = dict(subject.runs)
        try:
            pending += _jobs(subject, runs, ports)
        except UnreadableSnapshotError as error:
            refused[subject.case_id] = str(error)
        else:
            running.append((subject, runs))
    decided: dict[str, CompiledPlan] = {}
    movements, causes = Movements.none(), dict[Group, tuple[CompiledPlan, Cause]]()
    due: dict[tuple[UUID, str], datetime | None] = {}
    news: list[News] = []
    # A round for what was routed, and one more for every plan that another one opened: each runs once a case.
    while pending:
        await _count(tx, pending, movements, causes, ports)
        counts = await read_counts(tx, (count for job in pending for _, count in job.reads))
        await _find_duplicates(tx, pending)
        usual = await read_baselines(
            tx, [(job.plan, {read.window_id: count for read, count in job.reads}) for job in pending]
        )
        further: list[_Job] = []
        for job, baselines in zip(pending, usual, strict=True):
            values = {read.window_id: counts[count] for read, count in job.reads} | averages(baselines)
            run = _evaluate(tx, job, values, baselines, news)
            if run.reconsider_at != job.run.reconsider_at:
                due[job.subject.case_id, run.plan] = run.reconsider_at
            job.running[run.plan] = run
            decided[run.sha256] = job.plan
            further += _openings(job, run, values, ports)
        pending = further
    save_cases(tx, [_row(tx, subject, runs) for subject, runs in running])
    arm(tx, due)
    if len(running) >= _MANY:
        await tx.start_writing()  # the server writes the cases while their news are put into words
    worded = await announce_cases(tx, news, ports.ids, ports.plans.needs_words)
    await raise_warnings(tx, movements, causes, ports.plans, ports.ids)
    await ports.plans.keep(tx, decided.values())
    tx.after_commit.append(lambda: _committed(due, ports))
    tx.after_commit.append(lambda: ports.plans.worded(worded, tx.now))
    return refused


class UnreadableSnapshotError(RuntimeError):
    """The plan a case was opened with is neither in the library nor readable among the stored ones."""


def _jobs(subject: Subject, running: dict[str, Run], ports: Ports) -> list[_Job]:
    plans: dict[str, tuple[CompiledPlan, Run]] = {}
    for name, run in subject.runs.items():
        plan = ports.plans.pinned(run.sha256)
        if plan is None:
            raise UnreadableSnapshotError(
                f"the snapshot {run.sha256[:12]} of plan '{name}', with which case {subject.state.number} was opened, "
                "cannot be read"
            )
        plans[name] = plan, run
    view = subject.state.view(subject.case_id, subject.org)
    routed, problems = _routed(subject, view, ports) if subject.route else ((), ())
    for plan in routed:
        plans.setdefault(plan.name, (plan, opened(plan)))
    return [
        _job(subject, plan, run, running, view=view, problems=problems, ports=ports) for plan, run in plans.values()
    ]


def _routed(subject: Subject, view: CaseView, ports: Ports) -> tuple[tuple[CompiledPlan, ...], tuple[str, ...]]:
    library, org, state = ports.plans.library, subject.org, subject.state
    named: list[CompiledPlan] = []
    problems: list[str] = []
    for name in state.requested:
        try:
            named += library.route(org, state.kind, view.topic, view.category, view.channel, (name,))
        except UnknownPlanError as error:
            problems.append(str(error))
    routed = named or library.route(org, state.kind, view.topic, view.category, view.channel)
    return tuple(routed), tuple(problems)


def _job(
    subject: Subject,
    plan: CompiledPlan,
    run: Run,
    running: dict[str, Run],
    *,
    view: CaseView,
    problems: tuple[str, ...],
    ports: Ports,
) -> _Job:
    elsewhere = given_elsewhere(run.absorbed, subject.state.facts)
    given, unfit = plan.type_facts({**elsewhere, **run.carried, **view.facts})
    if unfit:
        FACTS_UNFIT.labels(plan.name).inc(len(unfit))
        problems += tuple(problem.message for problem in unfit)
    facts, proposed = with_proposals(plan, subject.state.given("title"), subject.state.narrative, given)
    facts = {**proposed_elsewhere(run.absorbed, {*facts, *subject.state.facts}), **facts}
    if run.carried or run.absorbed or proposed:
        view = replace(view, facts={**view.facts, **facts})
    job = _Job(subject, plan, run, view, facts, proposed, problems, run.counted, inputs_of(view, facts), running)
    try:
        if plan.windows and subject.state.counts:
            job.counted = frozenset(
                counted_of(contribution)
                for contribution in plan.contributions(view, job.inputs)
                if still_counts(plan, contribution, run.merger)
            )
        job.reads = _reads(job, ports.plans.reading(plan).case_windows)
    except OverflowError:
        # An instant at the edge of the calendar has no day in the plan's time zone.
        job.problems += ("occurred_at or received_at lies outside the years that can be counted",)
    return job


def _reads(job: _Job, wanted: frozenset[str]) -> tuple[tuple[WindowRead, Count], ...]:
    if not wanted:
        return ()
    org, drill = job.subject.org, job.subject.state.drill
    return tuple(
        (read, count_of_read(job.plan, org, read, drill=drill))
        for read in job.plan.reads(job.view)
        if read.window_id in wanted
    )


async def _count(
    tx: Tx,
    jobs: Sequence[_Job],
    movements: Movements,
    causes: dict[Group, tuple[CompiledPlan, Cause]],
    ports: Ports,
) -> None:
    added: list[Moved] = []
    gone: list[Moved] = []
    groups: dict[tuple[str, str, bool, GroupKey], Group] = {}

    def group_of(job: _Job, counted: Counted) -> Group:
        key = job.subject.org, job.run.plan, job.subject.state.drill, counted.group_key
        return groups.get(key) or groups.setdefault(key, Group(*key))

    for job in jobs:
        if job.counted == job.run.counted:
            continue
        subject, plan = job.subject, job.plan
        reading = ports.plans.reading(plan)
        for counted in job.counted - job.run.counted:
            group = group_of(job, counted)
            added.append(Moved.of(group, counted, subject.case_id))
            movements.add(plan, reading, group, counted, job.view)
            causes[group] = plan, subject.cause
        gone += [
            Moved.of(group_of(job, counted), counted, subject.case_id) for counted in job.run.counted - job.counted
        ]
    await lock_groups(tx, groups.values())
    await remove_members(tx, gone)
    await add_members(tx, added)


async def _find_duplicates(tx: Tx, jobs: Sequence[_Job]) -> None:
    """Look for earlier cases that are the same event, for those jobs that have not found one yet."""
    wanted: list[tuple[_Job, Marked]] = []
    for job in jobs:
        state = job.subject.state
        # What a person took apart is not put together again by a rule.
        alone = state.given("split_from") is not None
        merged = job.run.merger is not None and job.run.merger.into is not None
        if job.plan.duplicates and job.run.duplicate_of is None and state.counts and not alone and not merged:
            marks = marks_of(job.plan, job.subject.case_id, job.view, job.facts, number=state.number, drill=state.drill)
            wanted += [(job, marked) for marked in marks]
    others = await match_marks(tx, [marked.mark for _, marked in wanted])
    for (job, marked), other in zip(wanted, others, strict=True):
        if other is not None and job.run.duplicate_of is None and str(other.case_id) not in job.run.absorbed:
            job.run = replace(job.run, duplicate_of=marked.duplicate_of(other))


def _openings(job: _Job, run: Run, values: Mapping[str, float], ports: Ports) -> list[_Job]:
    """Jobs for the plans that this one opens and the case does not run yet. They are noted as running at once."""
    if not job.plan.openings:
        return []
    found: list[_Job] = []
    for opening in job.plan.opens_for(run.level, job.inputs, values):
        plan = ports.plans.current(opening.plan)
        if opening.plan in job.running or plan is None:
            if plan is None:
                _log.error("plan.opening_unknown", plan=job.plan.name, opening=opening.id, opened=opening.plan)
            continue
        by, carried = passed_on(opening, job.plan, job.facts)
        begun = job.running[plan.name] = opened(plan, by, carried)
        view = job.subject.state.view(job.subject.case_id, job.subject.org)
        found.append(_job(job.subject, plan, begun, job.running, view=view, problems=(), ports=ports))
    return found


def _evaluate(tx: Tx, job: _Job, values: Mapping[str, float], usual: Mapping[str, Usual], news: list[News]) -> Run:
    """The run after the judgement, which is noted where it has to be told."""
    subject, plan = job.subject, job.plan
    evaluation = plan.evaluate(job.inputs, values, tx.now, Scope.CASE)
    digest = digest_of(subject.state, job.facts, job.problems, job.proposed, job.run.duplicate_of)
    judged = judge(job.run, evaluation, digest, job.counted)
    if judged.publish:
        news.append(
            News(
                case_id=subject.case_id,
                org=subject.org,
                cause=subject.cause,
                state=subject.state,
                plan=plan,
                run=judged.run,
                previous=job.run.level,
                evaluation=evaluation,
                facts=job.facts,
                proposed=job.proposed,
                place=job.view.place,
                problems=job.problems,
                reads=job.reads,
                usual=usual,
            )
        )
    return judged.run


def _row(tx: Tx, subject: Subject, runs: Mapping[str, Run]) -> CaseRow:
    unrouted_since = None if runs else subject.unrouted_since or tx.now
    if unrouted_since is not None and subject.unrouted_since is None:
        tx.after_commit.append(CASES_UNROUTED.labels(subject.state.kind).inc)
        _log.warning(
            "case.unrouted", case_id=str(subject.case_id), org=subject.org, category=subject.state.given("category")
        )
    return CaseRow(subject.case_id, subject.org, subject.state, runs, unrouted_since, subject.new)


def _committed(due: Mapping[tuple[UUID, str], datetime | None], ports: Ports) -> None:
    earliest = min((at for at in due.values() if at is not None), default=None)
    if earliest is not None:
        ports.armed(earliest)
