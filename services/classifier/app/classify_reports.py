"""Classify what intake registered: a batch of reports in one transaction."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.classifier.app.judge_cases import Ports, Subject, judge_cases
from services.classifier.app.unite_cases import unite_cases
from services.classifier.domain.announcements import Cause
from services.classifier.domain.cases import CaseMismatchError, merge
from services.classifier.store.cases import OpenedElsewhereError, StoredCase, forget_events, lock_cases
from shared.contracts.envelope import Event
from shared.contracts.reports import CaseReport
from shared.db.engine import Database
from shared.db.tx import NotNewError, Tx
from shared.kafka.outcome import DONE, DUPLICATE, Dead, Outcome

_RACES: Final = 5


async def classify_reports(events: Sequence[Event[Any]], database: Database, ports: Ports) -> list[Outcome]:
    """Apply each event exactly once; one outcome an event, in their order.

    Several reports of one case in a batch make one new revision. Reports may come in any order and more than once: the
    case is the same. A dead event leaves no trace, so it can be replayed. Raises OpenedElsewhereError when other
    processes kept opening the same cases.
    """
    if all(event.data.sequence == 1 for event in events):
        with suppress(NotNewError):
            async with database.opening() as tx:
                return await _classify(tx, events, ports)
    for _ in range(_RACES - 1):
        try:
            return await _once(events, database, ports)
        except OpenedElsewhereError:
            continue
    return await _once(events, database, ports)


async def _once(events: Sequence[Event[Any]], database: Database, ports: Ports) -> list[Outcome]:
    async with database.transaction() as tx:
        return await _classify(tx, events, ports)


async def _classify(tx: Tx, events: Sequence[Event[Any]], ports: Ports) -> list[Outcome]:
    fresh = set(await tx.first_seen([event.id for event in events]))
    outcomes: list[Outcome] = [DUPLICATE] * len(events)
    first = {}
    for place, event in enumerate(events):
        if event.id in fresh:
            fresh.discard(event.id)
            first[place] = event
    stored = await lock_cases(tx, [event.case_id for event in first.values()])
    subjects: dict[UUID, Subject] = {}
    for place, event in first.items():
        try:
            known = subjects.get(event.case_id)
            subjects[event.case_id] = _with_report(known, stored.get(event.case_id), event)
            outcomes[place] = DONE
        except CaseMismatchError as error:
            outcomes[place] = Dead(str(error))
    united = await unite_cases(tx, subjects, ports)
    refused = await judge_cases(tx, list(united.values()), ports)
    if refused:
        for place, event in first.items():
            if event.case_id in refused and outcomes[place] is DONE:
                outcomes[place] = Dead(refused[event.case_id])
    await forget_events(tx, [event.id for place, event in first.items() if isinstance(outcomes[place], Dead)])
    return outcomes


def _with_report(known: Subject | None, stored: StoredCase | None, event: Event[CaseReport]) -> Subject:
    """The case with one more report. Raises CaseMismatchError when it belongs to another organisation or kind."""
    held = known or stored
    if held is not None and held.org != event.org:
        raise CaseMismatchError(f"case {held.state.number} belongs to another organisation")
    state = merge(held.state if held else None, event.data)
    cause = Cause(str(event.id), event.traceparent)
    if known is not None:
        return replace(known, state=state, cause=cause)
    return Subject(
        case_id=event.case_id,
        org=event.org,
        state=state,
        runs=stored.runs if stored else {},
        unrouted_since=stored.unrouted_since if stored else None,
        new=stored is None,
        route=True,
        cause=cause,
    )
