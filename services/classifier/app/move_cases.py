"""Judge cases by the version of their plan that is in force, where a named person wants them under it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.classifier.app.judge_cases import Ports, Subject, judge_cases
from services.classifier.domain.announcements import Cause
from services.classifier.domain.moves import Wanted, is_there, moved, wanted_of
from services.classifier.domain.runs import Run
from services.classifier.store.cases import StoredCase, forget_events, lock_cases
from shared.contracts.envelope import Event
from shared.contracts.values import PlanRef
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.kafka.outcome import DONE, DUPLICATE, Dead, Outcome, Skip

_NOT_OURS = Skip("no move to another version of a plan")
LookAgain = Callable[[], Awaitable[None]]


async def move_cases(
    events: Sequence[Event[Any]], database: Database, ports: Ports, look_again: LookAgain
) -> list[Outcome]:
    """Apply each command once; one outcome an event, in their order. Commands that move no case are passed over.

    A case that is under the version wanted stays as it is. What cannot be is published as refused, with the reason.
    `look_again` reads the plans on disk if they changed: the version wanted may have been published a moment ago.
    """
    wanted = {event.id: found for event in events if (found := wanted_of(event.data, event.id)) is not None}
    if not wanted:
        return [_NOT_OURS] * len(events)
    if any(_is_unknown(one, ports) for one in wanted.values()):
        await look_again()
    async with database.transaction() as tx:
        fresh = set(await tx.first_seen(list(wanted)))
        ours = [event for event in events if event.id in fresh]
        subjects, outcomes = await _subjects(tx, ours, wanted, ports)
        refused = await judge_cases(tx, list(subjects.values()), ports)
        for event in ours:
            if event.case_id in refused:
                outcomes[event.id] = Dead(refused[event.case_id])
        await forget_events(tx, [event_id for event_id, outcome in outcomes.items() if isinstance(outcome, Dead)])
    return [outcomes.get(event.id, DUPLICATE if event.id in wanted else _NOT_OURS) for event in events]


async def _subjects(
    tx: Tx, events: Sequence[Event[Any]], wanted: Mapping[UUID, Wanted], ports: Ports
) -> tuple[dict[UUID, Subject], dict[UUID, Outcome]]:
    stored = await lock_cases(tx, [event.case_id for event in events])
    await ports.plans.load(tx, (run.sha256 for case in stored.values() for run in case.runs.values()))
    subjects: dict[UUID, Subject] = {}
    outcomes: dict[UUID, Outcome] = {}
    for event in events:
        one, case = wanted[event.id], stored.get(event.case_id)
        known = subjects.get(event.case_id)
        runs = known.runs if known is not None else case.runs if case is not None else {}
        run = runs.get(one.plan)
        if case is None or case.org != event.org or run is None:
            outcomes[event.id] = Skip(f"case {event.case_id} does not run under plan '{one.plan}' here")
        elif is_there(run, one, ports.plans.library) and not one.again:
            outcomes[event.id] = Skip(f"case {case.state.number} is under version {one.version} already")
        else:
            after = {**runs, one.plan: _moved(case, run, one, ports)}
            subjects[event.case_id] = _subject(case, after, Cause(str(event.id), event.traceparent))
            outcomes[event.id] = DONE
    return subjects, outcomes


def _moved(case: StoredCase, run: Run, wanted: Wanted, ports: Ports) -> Run:
    pinned = ports.plans.pinned(run.sha256)
    before = pinned.ref if pinned is not None else PlanRef(name=run.plan, version=1, sha256=run.sha256)
    view = case.state.view(case.case_id, case.org)
    return moved(replace(run, refused=None), before, wanted, ports.plans.library, (case.state, view))


def _subject(case: StoredCase, runs: Mapping[str, Run], cause: Cause) -> Subject:
    return Subject(
        case_id=case.case_id,
        org=case.org,
        state=case.state,
        runs=runs,
        unrouted_since=case.unrouted_since,
        new=False,
        route=False,
        cause=cause,
    )


def _is_unknown(wanted: Wanted, ports: Ports) -> bool:
    plan = ports.plans.current(wanted.plan)
    return plan is None or plan.ref.version != wanted.version or wanted.sha256 not in {None, plan.ref.sha256}
