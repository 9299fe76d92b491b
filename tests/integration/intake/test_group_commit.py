"""Group commit on the real register: crowds, poison, two processes, a dead database, a crash before the commit."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.intake.app.check_facts import CheckFacts
from services.intake.app.group_commit import GroupCommit, RegisterAwayError, RegisterBusyError
from services.intake.app.register_reports import RegisterReports
from services.intake.domain.bodies import Route
from services.intake.domain.reports import Outcome, Registered, Report, prepare
from services.intake.store.persons import ensure_persons
from services.intake.store.register import RegisterRaceError
from services.intake.store.vault import Vault
from shared.db.engine import Database as AppDatabase
from shared.db.provision import provision_service
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port, is_running
from shared.runtime.ids import TimeOrderedIds
from tests.support.messaging import eventually
from tests.support.postgres import Database
from tests.support.register import Register, complaint, migrate_intake, open_register

_KEY = b"key of references"
_AT_ONCE = 0.0


def _report(reference: str, **changes: Any) -> Report:
    return prepare(Route.COMPLAINT, complaint(reference, **changes), org="demo", key=_KEY)


@pytest.fixture
async def register_reports(intake_database: Database) -> AsyncIterator[RegisterReports]:
    database = AppDatabase.connect(intake_database.url("intake"), application="tests", pool_size=4)
    yield RegisterReports(
        database, Vault(b"k" * 32), TimeOrderedIds(), CheckFacts(), zones={}, default_zone=ZoneInfo("Asia/Shanghai")
    )
    await database.close()


async def test_a_crowd_shares_few_transactions_and_each_gets_its_own_answer(register: Register) -> None:
    await register.post("/v1/complaints", complaint("warm"))
    answers = await asyncio.gather(*(register.post("/v1/complaints", complaint(f"T-{number}")) for number in range(60)))
    assert [answer.status_code for answer in answers] == [201] * 60
    rows = await register.rows("SELECT reference, number, case_id FROM cases WHERE reference <> 'warm'")
    stored = {row["reference"]: (row["number"], str(row["case_id"])) for row in rows}
    for number, answer in enumerate(answers):
        assert stored[f"T-{number}"] == (answer.json()["number"], answer.json()["case_id"])
    assert max(number for number, _ in stored.values()).endswith("-000061")
    transactions = await register.rows("SELECT count(DISTINCT xmin::text) AS n FROM cases")
    assert transactions[0]["n"] <= 10


async def test_a_poison_item_fails_alone(register_reports: RegisterReports) -> None:
    class _PoisonError(Exception):
        pass

    async def commit(reports: Sequence[Report]) -> list[Outcome]:
        outcomes = await register_reports(reports)
        if any(report.body.reference == "poison" for report in reports):
            raise _PoisonError
        return outcomes

    group: GroupCommit[Report, Outcome] = GroupCommit(commit, interval=_AT_ONCE)
    reports = [_report("poison" if number == 5 else f"T-{number}") for number in range(12)]
    results = await group.submit_all(reports)
    assert isinstance(results.pop(5), _PoisonError)
    assert all(isinstance(result, Registered) for result in results)


async def test_an_item_the_database_refuses_fails_alone(register_reports: RegisterReports) -> None:
    group: GroupCommit[Report, Outcome] = GroupCommit(register_reports, interval=_AT_ONCE)
    poisoned = _report("T-9")
    object.__setattr__(poisoned.body, "source", "nul \x00 inside")
    results = await group.submit_all([_report("T-1"), poisoned, _report("T-2")])
    assert isinstance(results[0], Registered)
    assert isinstance(results[1], Exception)
    assert isinstance(results[2], Registered)


async def test_more_than_may_wait_is_turned_away_untouched() -> None:
    entered = asyncio.Event()
    release = asyncio.Event()

    async def commit(items: Sequence[int]) -> list[int]:
        entered.set()
        await release.wait()
        return list(items)

    group: GroupCommit[int, int] = GroupCommit(commit, interval=_AT_ONCE, largest_group=1, most_waiting=2)
    first = asyncio.create_task(group.submit(1))
    await entered.wait()
    waiting = [asyncio.create_task(group.submit(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(RegisterBusyError):
        await group.submit(4)
    release.set()
    assert await asyncio.gather(first, *waiting) == [1, 2, 3]


async def test_two_processes_keep_one_case_in_sequence(intake_database: Database) -> None:
    async with (
        open_register(intake_database.url("intake")) as one,
        open_register(intake_database.url("intake")) as two,
    ):
        posts = [
            door.post("/v1/complaints", complaint(id=f"e-{number}", facts={"step": number}))
            for number in range(20)
            for door in ((one, two)[number % 2],)
        ]
        # The same event through both doors at once as well.
        posts += [door.post("/v1/complaints", complaint("T-2", id="same")) for door in (one, two)]
        answers = await asyncio.gather(*posts)
        assert all(answer.status_code in {200, 201} for answer in answers), [answer.text for answer in answers]
        assert sorted(answer.json()["sequence"] for answer in answers[:20]) == list(range(1, 21))
        assert len({answer.json()["case_id"] for answer in answers[:20]}) == 1
        assert sorted(answer.json()["duplicate"] for answer in answers[20:]) == [False, True]
        rows = await one.rows("SELECT number FROM cases ORDER BY number")
        assert [row["number"][-6:] for row in rows] == ["000001", "000002"]


async def test_a_person_whom_another_process_adds_at_the_same_time_is_decided_about_again(
    intake_database: Database,
) -> None:
    database = AppDatabase.connect(intake_database.url("intake"), application="tests")
    vault, ids, key = Vault(b"k" * 32), TimeOrderedIds(), ("demo", "somebody")

    async def ensured() -> UUID:
        async with database.transaction() as tx:
            return (await ensure_persons(tx, vault, {key: ids.new()}))[key].person_id

    async def waits() -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        async with database.transaction() as tx:
            return bool(await tx.fetch(waiting))

    try:
        async with database.transaction() as tx:
            first = (await ensure_persons(tx, vault, {key: ids.new()}))[key].person_id
            other = asyncio.create_task(ensured())
            await eventually(waits, what="the other waits")
        with pytest.raises(RegisterRaceError):
            await other
        assert await ensured() == first
    finally:
        await database.close()


async def test_nobody_is_told_before_the_commit(register: Register) -> None:
    """What a 201 promises is visible to every other connection the moment it is given."""
    seen: list[bool] = []

    async def post(number: int) -> None:
        answer = await register.post("/v1/complaints", complaint(f"T-{number}"))
        rows = await register.rows("SELECT 1 FROM cases WHERE number = $1", answer.json()["number"])
        outbox = await register.rows("SELECT 1 FROM outbox WHERE key = $1", answer.json()["case_id"].encode())
        seen.append(len(rows) == 1 and len(outbox) == 1)

    await asyncio.gather(*(post(number) for number in range(20)))
    assert seen == [True] * 20


async def test_a_crash_in_the_commit_acknowledges_nothing(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_: object) -> None:
        raise ConnectionResetError("the process died here")

    # The key is looked up beforehand, so that only the register's own commit can fail.
    assert (await register.client.get("/v1/quarantine")).status_code == 200
    with monkeypatch.context() as patched:
        patched.setattr("shared.db.engine._commit", crash)
        answer = await register.post("/v1/complaints", complaint("T-1", id="e-1"))
        assert answer.status_code == 503
    assert await register.rows("SELECT 1 FROM cases") == []
    again = await register.post("/v1/complaints", complaint("T-1", id="e-1"))
    assert again.status_code == 201
    assert again.json()["number"].endswith("-000001")


async def test_dead_database_is_a_503_and_the_register_recovers() -> None:
    directory = Path(tempfile.mkdtemp(prefix="fenghuo-test-intake-"))
    server = EmbeddedPostgres(directory, free_port())
    try:
        server.start()
        url = await provision_service(server.url(), "intake", "only-for-tests", database="fenghuo")
        await migrate_intake(_Given(url))
        async with open_register(url) as register:
            assert (await register.post("/v1/complaints", complaint("before", id="e-1"))).status_code == 201
            await _kill_with_its_sessions(server)
            answers: list[httpx.Response] = await asyncio.gather(
                *(register.post("/v1/complaints", complaint(f"during-{number}")) for number in range(5))
            )
            for answer in answers:
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "2"
                assert answer.headers["content-type"] == "application/problem+json"
            server.start()
            after = await register.post("/v1/complaints", complaint("after"))
            assert after.status_code == 201
            assert after.json()["number"].endswith("-000002")
            again = await register.post("/v1/complaints", complaint("before", id="e-1"))
            assert again.json()["duplicate"] is True
            assert len(await register.rows("SELECT 1 FROM cases WHERE reference LIKE 'during-%'")) == 0
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


async def _kill_with_its_sessions(server: EmbeddedPostgres) -> None:
    """A session that outlives its postmaster may still commit: it is waited for, so that what follows is certain."""
    assert server._process is not None
    pid = server._process.pid
    sessions = _children_of(pid)
    server.kill()
    deadline = time.monotonic() + 10
    while any(is_running(session) for session in sessions):
        assert time.monotonic() < deadline, "sessions of a killed server did not end"
        await asyncio.sleep(0.01)


class _Given(Database):
    """A database whose address is known already."""

    def __init__(self, url: str) -> None:
        super().__init__("fenghuo", url)

    def url(self, service: str) -> str:
        assert service == "intake"
        return self.admin_url


async def test_transient_trouble_is_tried_once_more_and_then_told() -> None:
    tries = 0

    async def commit(items: Sequence[int]) -> list[int]:
        nonlocal tries
        tries += 1
        if tries % 3:
            raise ConnectionResetError
        return list(items)

    group: GroupCommit[int, int] = GroupCommit(commit, interval=_AT_ONCE)
    with pytest.raises(RegisterAwayError):
        await group.submit(1)
    assert await group.submit(2) == 2
    assert tries == 3


async def test_what_comes_within_the_interval_of_a_group_is_the_next_group() -> None:
    groups: list[list[int]] = []

    async def commit(items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        return list(items)

    group: GroupCommit[int, int] = GroupCommit(commit, interval=0.5)
    assert await group.submit(1) == 1
    later = [asyncio.create_task(group.submit(number)) for number in (2, 3)]
    await asyncio.sleep(0.01)
    later.append(asyncio.create_task(group.submit(4)))
    assert await asyncio.gather(*later) == [2, 3, 4]
    assert groups == [[1], [2, 3, 4]]
