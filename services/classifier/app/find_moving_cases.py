"""Find the cases that commands want under the version of their plan in force."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.classifier.app.judge_cases import Ports, Subject
from services.classifier.domain.announcements import Cause
from services.classifier.domain.moves import Wanted, is_there, moved
from services.classifier.domain.runs import Run
from services.classifier.store.cases import StoredCase, lock_cases
from shared.contracts.envelope import Event
from shared.db.tx import Tx
from shared.kafka.outcome import DONE, Outcome, Skip


async def find_moving_cases(
    tx: Tx, events: Sequence[Event[Any]], wanted: Mapping[UUID, Wanted], ports: Ports
) -> tuple[dict[UUID, Subject], dict[UUID, Outcome]]:
    """The cases to judge anew, locked, by id; and what becomes of each event, by its id."""
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
    before = ports.plans.pinned(run.sha256)
    if before is None:
        # Nobody knows which version it was: judged as it stands, the case is refused with that reason.
        return run
    view = case.state.view(case.case_id, case.org)
    return moved(replace(run, refused=None), before.ref, wanted, ports.plans.library, (case.state, view))


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
