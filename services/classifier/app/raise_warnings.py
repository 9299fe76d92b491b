"""Open or raise the warning cases of groups whose counts moved. Runs inside the transaction that moved them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.classifier.app.count_cases import count_cases
from services.classifier.domain.announcements import SOURCE, Cause, warning_classified
from services.classifier.domain.baselines import averages
from services.classifier.domain.warnings import (
    Movements,
    Verdict,
    Warned,
    bucket_of,
    counts_at,
    distinct_moments,
    highest,
    later_spans,
    shape_of,
    spans_of,
    values_of,
    verdicts,
)
from services.classifier.domain.windows import Count, Group
from services.classifier.store.baselines import read_baselines
from services.classifier.store.plans import Plans
from services.classifier.store.warnings import WarningKey, load_warnings, save_warnings, take_numbers
from services.classifier.store.windows import buckets_within, contributing_cases, read_counts
from shared.contracts.envelope import Event
from shared.db.tx import Tx
from shared.plans.compiled import CompiledPlan, Scope
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import WARNINGS_RAISED
from shared.runtime.tracing import next_span

_log = get_logger(__name__)
_LINKED: Final = 50


@dataclass(frozen=True, slots=True)
class _Rise:
    """A warning as it will be, and as it was (None: it opens)."""

    plan: CompiledPlan
    verdict: Verdict
    group: Group
    before: Warned | None


async def raise_warnings(
    tx: Tx,
    movements: Movements,
    causes: Mapping[Group, tuple[CompiledPlan, Cause]],
    plans: Plans,
    ids: Ids,
) -> None:
    """Judge every group that moved and publish each warning that opens or rises.

    A warning that exists is judged by the plan it opened with; a new one by today's. The caller holds the groups, so
    of several replicas exactly one opens it. A level that was reached never falls.
    """
    instants = await _instants(tx, movements, causes, plans)
    if not instants:
        return
    keys = {
        (group, span, bucket_of(plan, span, at))
        for group, (plan, windows, several) in instants.items()
        for at in several
        for span in spans_of(plan, windows)
    }
    before = await load_warnings(tx, keys)
    await plans.load(tx, (warned.sha256 for warned in before.values()))
    rises = await _rises(tx, instants, before, plans)
    if rises:
        await _publish(tx, rises, causes, plans, ids)


_Instants = dict[Group, tuple[CompiledPlan, tuple[str, ...], list[datetime]]]


async def _instants(
    tx: Tx, movements: Movements, causes: Mapping[Group, tuple[CompiledPlan, Cause]], plans: Plans
) -> _Instants:
    """By group the instants to judge: where members moved, and where a late one changes a later sliding value."""
    by_group: dict[Group, list[datetime]] = defaultdict(list)
    for moment in movements.moments():
        by_group[moment.group].append(moment.at)
    found: _Instants = {}
    for group, several in by_group.items():
        plan = plans.current(group.plan) or causes[group][0]
        windows = plans.reading(plan).raising.get(shape_of(group), ())
        if windows:
            found[group] = plan, windows, distinct_moments(plan, windows, several)
    later = [
        (group, span)
        for group, (plan, windows, several) in found.items()
        for at in several
        for span in later_spans(plan, windows, group, at)
    ]
    if later:
        buckets = await buckets_within(tx, [span for _, span in later])
        for (group, _), starts in zip(later, buckets, strict=True):
            plan, windows, several = found[group]
            found[group] = plan, windows, distinct_moments(plan, windows, [*several, *starts])
    return found


async def _rises(tx: Tx, instants: _Instants, before: Mapping[WarningKey, Warned], plans: Plans) -> list[_Rise]:
    owners, judgings = _judgings(instants, before, plans)
    counts = await read_counts(tx, (count for judging in judgings for count in judging.names.values()))
    usual = await read_baselines(tx, [(judging.plan, judging.names) for judging in judgings])
    reached: dict[Group, list[Verdict]] = defaultdict(list)
    for judging, baselines in zip(judgings, usual, strict=True):
        plan, group = judging.plan, judging.group
        values = values_of(judging.names, counts) | averages(baselines)
        evaluation = plan.evaluate(plan.group_inputs(group.key), values, tx.now, Scope.TOPIC)
        reached[group] += [
            verdict
            for verdict in verdicts(plan, evaluation, judging.at)
            if owners.get((group.id, verdict.span, verdict.bucket_start)) is plan
        ]
    rises: list[_Rise] = []
    for group, found in reached.items():
        for (span, start), verdict in highest(found).items():
            warned = before.get((group.id, span, start))
            if warned is None or verdict.rank > warned.rank:
                rises.append(_Rise(owners[group.id, span, start], verdict, group, warned))
    return rises


@dataclass(frozen=True, slots=True)
class _Judging:
    """One evaluation to make: a group at an instant under one plan, with the counts it reads."""

    group: Group
    at: datetime
    plan: CompiledPlan
    names: Mapping[str, Count]


def _judgings(
    instants: _Instants, before: Mapping[WarningKey, Warned], plans: Plans
) -> tuple[dict[WarningKey, CompiledPlan], list[_Judging]]:
    """What to evaluate, and by which plan each warning is judged."""
    owners: dict[WarningKey, CompiledPlan] = {}
    found: list[_Judging] = []
    for group, (plan, windows, several) in instants.items():
        for at in several:
            judges: dict[str, CompiledPlan] = {}
            for span in spans_of(plan, windows):
                key = group.id, span, bucket_of(plan, span, at)
                warned = before.get(key)
                owner = (plans.pinned(warned.sha256) if warned else None) or plan
                owners[key] = judges[owner.ref.sha256] = owner
            for judge in judges.values():
                read = plans.reading(judge).raising.get(shape_of(group), ())
                if read:
                    found.append(_Judging(group, at, judge, counts_at(judge, read, group, at)))
    return owners, found


async def _publish(
    tx: Tx,
    rises: list[_Rise],
    causes: Mapping[Group, tuple[CompiledPlan, Cause]],
    plans: Plans,
    ids: Ids,
) -> None:
    months = {rise.plan.name: tx.now.astimezone(ZoneInfo(rise.plan.plan.timezone)).strftime("%Y-%m") for rise in rises}
    opening = Counter((rise.group.org, months[rise.plan.name]) for rise in rises if rise.before is None)
    numbers = await take_numbers(tx, opening)
    linked = await contributing_cases(tx, [_counted_by(rise) for rise in rises], _LINKED)
    counted = await count_cases(tx, [(rise.group, rise.verdict) for rise in rises])
    raised: list[Warned] = []
    for rise, cases, in_windows in zip(rises, linked, counted, strict=True):
        verdict, group, before = rise.verdict, rise.group, rise.before
        if before is None:
            month = group.org, months[rise.plan.name]
            number = f"{month[1]}-W{numbers[month]:05d}"
            numbers[month] += 1
            warned = Warned(
                ids.new(),
                group,
                verdict.span,
                verdict.bucket_start,
                number,
                rise.plan.ref.sha256,
                verdict.level,
                verdict.rank,
                1,
                rise.plan.warning_end is not None,
            )
        else:
            warned = replace(before, level=verdict.level, rank=verdict.rank, revision=before.revision + 1)
        raised.append(warned)
        cause = causes[group][1]
        tx.outbox.add(
            Event(
                id=ids.new(),
                source=SOURCE,
                time=tx.now,
                org=group.org,
                case_id=warned.case_id,
                data=warning_classified(
                    plan=rise.plan,
                    warned=warned,
                    previous=before.level if before else None,
                    verdict=verdict,
                    linked=cases,
                    counted=in_windows,
                    now=tx.now,
                ),
                causation=cause.event_id,
                traceparent=next_span(cause.traceparent),
            )
        )
    await plans.keep(tx, (rise.plan for rise in rises))
    await save_warnings(tx, raised)
    tx.after_commit.append(lambda: _committed(raised))


def _counted_by(rise: _Rise) -> list[Count]:
    names = tuple(name for name in rise.plan.windows if name in rise.verdict.held_names)
    return list(counts_at(rise.plan, names, rise.group, rise.verdict.at).values())


def _committed(raised: list[Warned]) -> None:
    for warned in raised:
        WARNINGS_RAISED.labels(warned.group.plan, warned.level).inc()
        _log.info(
            "warning.raised",
            case_id=str(warned.case_id),
            number=warned.number,
            plan=warned.group.plan,
            level=warned.level,
            revision=warned.revision,
        )
