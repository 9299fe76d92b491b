"""The auditor on a database that was damaged: each kind of fault is found, named, counted, and put right if it may."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from services.escalator.api.audit import audit_router
from services.escalator.app.audit_timers import AuditTimers
from services.escalator.domain.watching import FaultKind
from services.escalator.store.faults import miscounted
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind
from shared.runtime.metrics import (
    CLOCKS_MISARMED,
    CLOCKS_OVERDUE,
    CLOCKS_UNARMED,
    FIRES_UNPUBLISHED,
    TIMERS_HEALED,
)
from shared.runtime.problems import install_problem_handlers
from tests.support.escalations import at
from tests.support.escalator import Escalator, classification, order

_ROWS = "SELECT case_id, subject, generation, threshold, due_at, wake_at FROM timers ORDER BY case_id, subject"


@pytest.fixture
def audit(escalator: Escalator) -> AuditTimers:
    return auditor(escalator)


def auditor(escalator: Escalator, **fields: int) -> AuditTimers:
    wake = escalator.armed.append
    return AuditTimers(escalator.database, escalator.plans, wake, grace=timedelta(seconds=10), **fields)


async def opened(escalator: Escalator, count: int = 3, level: str = "orange") -> list[UUID]:
    ids = sorted(uuid4() for _ in range(count))
    await escalator.take(*(classification(case_id, level) for case_id in ids))
    return ids


async def damage(escalator: Escalator, sql: str, **parameters: Any) -> None:
    async with escalator.database.transaction() as tx:
        assert await tx.execute(sql, **parameters) > 0


def healed(kind: FaultKind) -> float:
    return float(TIMERS_HEALED.labels(kind.value)._value.get())


async def test_a_sound_database_has_no_fault_before_and_after_everything_fired(
    escalator: Escalator, audit: AuditTimers
) -> None:
    ids = await opened(escalator)
    await escalator.take(order(ids[0], CommandKind.START, at()), order(ids[1], CommandKind.CLOSE, at()))
    for minutes in (0, 15, 31, 61, 60 * 49):
        escalator.clock.set(at(minutes=minutes))
        await escalator.sweep()
        with capture_logs() as said:
            found = await audit()
        assert found.clean
        assert [one for one in said if one["log_level"] == "error"] == []


@pytest.mark.parametrize("subject", ["clock:submit", "clock:finish", "ladder"])
async def test_a_timer_that_is_gone_is_armed_again_for_its_own_instant(
    escalator: Escalator, audit: AuditTimers, subject: str
) -> None:
    ids = await opened(escalator)
    before, had = await escalator.rows(_ROWS), healed(FaultKind.UNARMED)
    await damage(escalator, "DELETE FROM timers WHERE case_id = :id AND subject = :subject", id=ids[1], subject=subject)
    with capture_logs() as said:
        found = await audit()
    assert (found.unarmed, found.misarmed) == (1, 0)
    (fault,) = found.faults
    assert (fault.kind, fault.case_id, fault.subject, fault.healed) == (FaultKind.UNARMED, ids[1], subject, True)
    assert await escalator.rows(_ROWS) == before
    assert CLOCKS_UNARMED._value.get() == 1
    assert healed(FaultKind.UNARMED) == had + 1
    named = next(one for one in said if one["event"] == "timers.fault")
    assert (named["case_id"], named["subject"], named["healed"]) == (str(ids[1]), subject, True)
    assert escalator.armed[-1] == fault.since
    assert (await audit()).clean
    assert CLOCKS_UNARMED._value.get() == 0


async def test_a_whole_table_that_is_gone_comes_back_and_what_was_missed_fires_once(
    escalator: Escalator, audit: AuditTimers
) -> None:
    await opened(escalator)
    before = await escalator.rows(_ROWS)
    await damage(escalator, "DELETE FROM timers")
    escalator.clock.set(at(minutes=20))
    assert (await audit()).unarmed == len(before)
    await escalator.sweep()
    kinds = await escalator.kinds()
    assert kinds.count(ChangeKind.TIER_REPEATED) == 3
    assert (await audit()).clean


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE timers SET due_at = due_at + interval '1 year' WHERE case_id = :id AND subject = 'clock:finish'",
        "UPDATE timers SET generation = generation + 7 WHERE case_id = :id AND subject = 'clock:finish'",
        "UPDATE timers SET threshold = 'another' WHERE case_id = :id AND subject = 'clock:finish'",
    ],
)
async def test_a_timer_that_was_tampered_with_is_what_the_case_wants_again(
    escalator: Escalator, audit: AuditTimers, statement: str
) -> None:
    ids = await opened(escalator)
    before = await escalator.rows(_ROWS)
    await damage(escalator, statement, id=ids[2])
    found = await audit()
    assert (found.unarmed, found.misarmed) == (0, 1)
    assert CLOCKS_MISARMED._value.get() == 1
    assert [row["due_at"] for row in await escalator.rows(_ROWS)] == [row["due_at"] for row in before]
    assert (await audit()).clean


async def test_a_timer_nobody_waits_for_is_taken_away(escalator: Escalator, audit: AuditTimers) -> None:
    ids = await opened(escalator)
    before = await escalator.rows(_ROWS)
    await damage(
        escalator,
        "INSERT INTO timers SELECT case_id, plan, 'clock:unheard-of', generation, threshold, due_at, lane, ahead, "
        "wake_at FROM timers WHERE case_id = :id AND subject = 'clock:finish'",
        id=ids[0],
    )
    assert (await audit()).misarmed == 1
    assert await escalator.rows(_ROWS) == before


async def test_what_is_due_and_not_fired_is_told_and_the_sweep_is_woken(
    escalator: Escalator, audit: AuditTimers
) -> None:
    await opened(escalator)
    escalator.clock.set(at(minutes=15, seconds=11))
    found = await audit()
    assert (found.overdue, found.unarmed) == (3, 0)
    assert {(fault.kind, fault.subject) for fault in found.faults} == {(FaultKind.OVERDUE, "ladder")}
    assert CLOCKS_OVERDUE._value.get() == 3
    assert escalator.armed[-1] == at(minutes=15)
    await escalator.sweep()
    assert (await audit()).clean


async def test_a_firing_nobody_was_told_of_is_named_and_left_to_people(
    escalator: Escalator, audit: AuditTimers
) -> None:
    (case_id,) = await opened(escalator, 1)
    escalator.clock.set(at(minutes=15))
    await escalator.sweep()
    await damage(escalator, "DELETE FROM outbox WHERE event_id IN (SELECT event_id FROM fires)")
    found = await audit()
    assert found.unpublished == 1
    (fault,) = found.faults
    assert (fault.kind, fault.case_id, fault.subject, fault.healed) == (FaultKind.UNPUBLISHED, case_id, "ladder", False)
    assert FIRES_UNPUBLISHED._value.get() == 1
    assert (await audit()).unpublished == 1


async def test_looks_go_round_so_that_their_cost_does_not_grow(escalator: Escalator) -> None:
    ids = await opened(escalator, 5)
    audit = auditor(escalator, counted=2, in_depth=2)
    await damage(escalator, "DELETE FROM timers WHERE case_id = :id AND subject = 'ladder'", id=ids[4])
    assert [(await audit()).unarmed for _ in range(3)] == [0, 0, 1]
    await damage(escalator, "DELETE FROM timers WHERE case_id = :id AND subject = 'ladder'", id=ids[0])
    assert [(await audit()).unarmed for _ in range(2)].count(1) == 1


@pytest.mark.parametrize("subject", ["clock:finish", "ladder"])
async def test_one_look_counts_the_timers_of_every_case_and_compares_those_that_differ(
    escalator: Escalator, subject: str
) -> None:
    ids = await opened(escalator, 40)
    before = await escalator.rows(_ROWS)
    await damage(
        escalator, "DELETE FROM timers WHERE case_id = :id AND subject = :subject", id=ids[-1], subject=subject
    )
    await damage(
        escalator,
        "INSERT INTO timers SELECT case_id, plan, 'clock:unheard-of', generation, threshold, due_at, lane, ahead, "
        "wake_at FROM timers WHERE case_id = :id AND subject = 'clock:finish'",
        id=ids[-2],
    )
    found = await auditor(escalator, in_depth=1)()
    assert (found.unarmed, found.misarmed) == (1, 1)
    assert {fault.case_id for fault in found.faults} == set(ids[-2:])
    assert await escalator.rows(_ROWS) == before


async def test_as_many_timers_are_counted_as_cases_have_whatever_happened_to_them(escalator: Escalator) -> None:
    ids = await opened(escalator, 6)
    orders = [
        order(ids[0], CommandKind.START, at()),
        order(ids[1], CommandKind.CLOSE, at()),
        order(ids[2], CommandKind.ACKNOWLEDGE, at()),
        order(ids[3], CommandKind.RAISE_LEVEL, at(), arguments={"level": "red"}, reason="x"),
        order(ids[4], CommandKind.WITHDRAW, at(), reason="x"),
    ]
    await escalator.take(*orders)
    for hours in (0, 1, 12, 24, 36, 48, 72, 24 * 40):
        escalator.clock.set(at(hours=hours))
        await escalator.sweep()
        async with escalator.database.transaction() as tx:
            assert (await miscounted(tx, None, 1000, 1000)).keys == ()
        rows = await escalator.rows("SELECT sum(timers_armed) AS n, (SELECT count(*) FROM timers) AS m FROM cases")
        assert rows[0]["n"] == rows[0]["m"]


@pytest.fixture
async def client(escalator: Escalator, audit: AuditTimers) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    keys = KeyStore(escalator.database, b"pepper")
    app.include_router(audit_router(audit, reader(keys, escalator.clock, Scope.OPERATE)))
    install_problem_handlers(app)
    key = await keys.issue(org="org-a", scopes=[Scope.OPERATE], label="test")
    other = await keys.issue(org="org-b", scopes=[Scope.OPERATE], label="test")
    weak = await keys.issue(org="org-a", scopes=[Scope.READ], label="test")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://escalator") as made:
        made.headers.update({"x-right": key, "x-other": other, "x-weak": weak})
        yield made


async def test_the_last_look_can_be_asked_for_by_whoever_may_operate(
    escalator: Escalator, audit: AuditTimers, client: httpx.AsyncClient
) -> None:
    ids = await opened(escalator)
    await damage(escalator, "DELETE FROM timers WHERE case_id = :id", id=ids[0])
    await audit()

    async def ask(which: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {client.headers[which]}"}
        return await client.get("/v1/timers/audit", headers=headers)

    found = (await ask("x-right")).json()
    assert (found["unarmed"], {fault["case_id"] for fault in found["faults"]}) == (4, {str(ids[0])})
    assert (await ask("x-other")).json()["faults"] == []
    assert (await ask("x-weak")).status_code == 403
    assert (await client.get("/v1/timers/audit")).status_code == 401
