"""End the warning cases whose plan says that they are over: a quiet time has passed, or the counts have gone down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.classifier.app.judge_cases import Ports
from services.classifier.domain.announcements import SOURCE, warning_ended
from services.classifier.domain.baselines import averages
from services.classifier.domain.warnings import Open, counts_at, end_of, shape_of, values_of
from services.classifier.domain.windows import Count
from services.classifier.store.baselines import read_baselines
from services.classifier.store.warnings import claim_open_warnings, save_ended_warnings
from services.classifier.store.windows import contributing_cases, read_counts
from shared.contracts.envelope import Event
from shared.contracts.values import Bilingual
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.plans.compiled import CompiledPlan, Evaluation, Scope
from shared.runtime.logging import get_logger
from shared.runtime.metrics import WARNINGS_ENDED

_log = get_logger(__name__)
_BATCH: Final = 200
_LINKED: Final = 50


async def end_warnings(database: Database, ports: Ports) -> int:
    """Judge every open warning that may end, batch by batch; how many ended.

    Each ends once, however many replicas look: the group's row is held while it is judged. A warning that ended opens
    again only when its counts reach a higher level than it ever had.
    """
    ended, after = 0, None
    while True:
        async with database.transaction() as tx:
            batch = await claim_open_warnings(tx, after, _BATCH)
            ended += await _end(tx, batch, ports)
        if len(batch) < _BATCH:
            return ended
        after = batch[-1].warned.case_id


@dataclass(frozen=True, slots=True)
class _Look:
    """An open warning with the counts that tell whether it is over."""

    opened: Open
    plan: CompiledPlan
    names: Mapping[str, Count]


async def _end(tx: Tx, batch: Sequence[Open], ports: Ports) -> int:
    await ports.plans.load(tx, (opened.warned.sha256 for opened in batch))
    looks = [look for opened in batch if (look := _look(opened, ports, tx)) is not None]
    counts = await read_counts(tx, (count for look in looks for count in look.names.values()))
    usual = await read_baselines(tx, [(look.plan, look.names) for look in looks])
    over: list[tuple[_Look, Evaluation, Bilingual]] = []
    for look, baselines in zip(looks, usual, strict=True):
        values = values_of(look.names, counts) | averages(baselines)
        because = end_of(look.plan, look.opened, values, tx.now)
        if because is not None:
            inputs = look.plan.group_inputs(look.opened.warned.group.key)
            over.append((look, look.plan.evaluate(inputs, values, tx.now, Scope.TOPIC), because))
    if not over:
        return 0
    linked = await contributing_cases(tx, [_since_opening(look) for look, _, _ in over], _LINKED)
    for (look, evaluation, because), cases in zip(over, linked, strict=True):
        warned = replace(look.opened.warned, revision=look.opened.warned.revision + 1)
        data = warning_ended(
            plan=look.plan,
            opened=look.opened,
            warned=warned,
            evaluation=evaluation,
            because=because,
            linked=cases,
            now=tx.now,
        )
        tx.outbox.add(Event(ports.ids.new(), SOURCE, tx.now, warned.group.org, warned.case_id, data))
        _log.info("warning.ended", case_id=str(warned.case_id), number=warned.number, because=because.en)
    await save_ended_warnings(tx, [look.opened.warned for look, _, _ in over])
    tx.after_commit.append(lambda: _count([look.plan for look, _, _ in over]))
    return len(over)


def _look(opened: Open, ports: Ports, tx: Tx) -> _Look | None:
    plan = ports.plans.pinned(opened.warned.sha256)
    if plan is None:
        _log.error("warning.plan_unreadable", case_id=str(opened.warned.case_id), sha256=opened.warned.sha256)
        return None
    windows = ports.plans.reading(plan).raising.get(shape_of(opened.warned.group), ())
    return _Look(opened, plan, counts_at(plan, windows, opened.warned.group, tx.now))


def _since_opening(look: _Look) -> list[Count]:
    return [count._replace(start=look.opened.warned.bucket_start) for count in look.names.values()]


def _count(plans: Sequence[CompiledPlan]) -> None:
    for plan in plans:
        WARNINGS_ENDED.labels(plan.name).inc()
