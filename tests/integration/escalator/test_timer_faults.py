"""Faults while time is being let pass: processes killed at every statement, held-back horizons, clocks that step."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from services.escalator.jobs.sweep import Sweeper
from services.escalator.store.timers import EVER, first_in_lanes
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.db.engine import DATABASE_ERRORS
from shared.db.migrate import migrate
from shared.db.provision import provision_service, service_url
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.kafka.outcome import DONE, DUPLICATE
from shared.runtime.clock import SteadyClock
from tests.support.clock import ManualClock
from tests.support.escalations import at
from tests.support.escalator import Escalator, classification, create_escalator

ROOT = Path(__file__).resolve().parents[3]

# Forks a process for each number of statements after which it kills itself, before that statement runs.
KILLER = """
import asyncio, os, signal, sys
from datetime import datetime
from tests.support.clock import ManualClock
from tests.support.escalator import create_escalator
import asyncpg

url, now, steps = sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])

def victim(step):
    done = 0
    def counted(original):
        async def call(self, *arguments, **named):
            nonlocal done
            done += 1
            if done > step:
                os.kill(os.getpid(), signal.SIGKILL)
            return await original(self, *arguments, **named)
        return call
    async def sweep():
        replica = create_escalator(url, clock=ManualClock(now), batch=6)
        await replica.rows("SELECT 1")
        for name in ("execute", "fetch", "fetchrow"):
            setattr(asyncpg.Connection, name, counted(getattr(asyncpg.Connection, name)))
        while True:
            await replica.fire()
    asyncio.run(sweep())

killed = 0
for step in range(1, steps + 1):
    child = os.fork()
    if child == 0:
        victim(step)
        os._exit(0)
    killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
print(killed)
"""


async def test_killed_at_every_statement_beside_a_second_replica_loses_and_doubles_nothing(
    escalator: Escalator, escalator_url: str
) -> None:
    count, steps = 150, 24
    assert await escalator.take(*(classification(uuid4(), "orange") for _ in range(count))) == [DONE] * count
    now = at(minutes=30)  # both a ladder and a warning of each case
    killer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLER, escalator_url, now.isoformat(), str(steps),
        cwd=ROOT, env=os.environ, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    survivor = create_escalator(escalator_url, clock=ManualClock(now), batch=2)
    ended = asyncio.create_task(killer.communicate())
    while not ended.done():
        await survivor.fire()
        await asyncio.sleep(0.05)
    assert (await ended)[0].split() == [str(steps).encode()]
    while (await survivor.fire()).claimed:
        pass
    fires = await escalator.rows("SELECT count(*) AS n, count(DISTINCT (case_id, subject)) AS subjects FROM fires")
    # One page of the ladder: after half an hour its repeat is skipped. One warning.
    assert (fires[0]["n"], fires[0]["subjects"]) == (2 * count, 2 * count)
    requests = [one for one in await escalator.requests() if one.purpose in {Purpose.PAGE, Purpose.WARN}]
    assert len(requests) == len({one.request_id for one in requests}) == 3 * count
    kinds = await escalator.kinds()
    assert kinds.count(ChangeKind.CLOCK_WARNED) == count
    told = await escalator.escalations()
    assert len(told) == 3 * count
    await survivor.database.close()


async def test_a_transaction_left_open_somewhere_does_not_make_polls_walk_what_was_fired(
    escalator: Escalator, escalator_url: str
) -> None:
    """Rows that were fired stay in the index while any old snapshot might see them."""
    other = create_escalator(escalator_url)
    async with other.database.transaction() as idle:
        await idle.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await idle.fetch("SELECT count(*) FROM timers")
        async with escalator.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO timers SELECT gen_random_uuid(), 'p', 'clock:x', 1, 'breach', :due, 16, '', :due "
                "FROM generate_series(1, 5000)",
                due=at(minutes=1),
            )
        async with escalator.database.transaction() as tx:
            await tx.execute("DELETE FROM timers")

        async def pages_read(floor: object) -> int:
            async with escalator.database.transaction() as tx:
                rows = await tx.fetch(
                    "EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) SELECT wake_at FROM timers "
                    "WHERE lane = 16 AND wake_at >= :floor ORDER BY wake_at LIMIT 1",
                    floor=floor,
                )
            line = next(row[0] for row in rows if "Buffers:" in row[0])
            return sum(int(part.partition("=")[2]) for part in line.split() if part.startswith(("hit=", "read=")))

        assert await pages_read(EVER) > 30
        escalator.clock.set(at(hours=1))
        await escalator.fire()
        async with escalator.database.transaction() as tx:
            assert await first_in_lanes(tx, escalator.fire.floor) == {}
        assert await pages_read(escalator.fire.floor) < 10
    await other.database.close()


async def test_a_clock_that_steps_back_fires_nothing_twice_and_drops_nothing(escalator: Escalator) -> None:
    await escalator.take(*(classification(uuid4(), "yellow") for _ in range(3)))
    escalator.clock.set(at(minutes=30))
    await escalator.sweep()
    fired = await escalator.rows("SELECT count(*) AS n FROM fires")
    escalator.clock.set(at(minutes=-60))
    assert await escalator.sweep() == []
    await escalator.take(classification(uuid4(), "yellow", when=at(minutes=-60)))
    assert await escalator.rows("SELECT count(*) AS n FROM fires") == fired
    escalator.clock.set(at(hours=2))
    await escalator.sweep()
    breaches = (await escalator.kinds()).count(ChangeKind.CLOCK_BREACHED)
    assert breaches == 4


async def test_a_clock_that_leaps_ahead_fires_once_and_serves_new_cases_when_it_is_back(escalator: Escalator) -> None:
    early = [uuid4() for _ in range(3)]
    await escalator.take(*(classification(one, "yellow") for one in early))
    escalator.clock.set(at(days=3))
    await escalator.sweep()
    leapt = await escalator.rows("SELECT count(*) AS n FROM fires WHERE NOT superseded AND threshold = 'breach'")
    assert leapt == [{"n": 6}]
    escalator.clock.set(at(minutes=1))
    late = uuid4()
    await escalator.take(classification(late, "yellow", when=at(minutes=1), received_at=at(minutes=1)))
    counted = "SELECT count(*) FILTER (WHERE case_id = :late) AS late, count(*) AS n FROM fires"
    (before,) = await escalator.rows(counted, late=late)
    escalator.fire.lower_floor(min(escalator.armed))  # as the service does when it arms something
    escalator.clock.set(at(minutes=32))
    await escalator.sweep()
    (after,) = await escalator.rows(counted, late=late)
    assert after["late"] == 2  # the page again, and the warning at half of its hour
    assert after["n"] - before["n"] == 2


async def test_a_database_that_is_killed_under_two_sweepers_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Written through to disk, killed while both are at work, started again: they go on by themselves."""
    await asyncio.to_thread(tmp_path.chmod, 0o755)  # the server may run as another user
    count, server = 200, EmbeddedPostgres(tmp_path / "pg", free_port())
    await asyncio.to_thread(server.start)
    await provision_service(server.url(), "escalator", "only-for-tests", database="killed")
    url = service_url(server.url(), "escalator", "only-for-tests", "killed")
    await asyncio.to_thread(migrate, "escalator", url)
    now = ManualClock(at())
    replicas = [create_escalator(url, clock=now, batch=3) for _ in range(2)]
    await replicas[0].take(*(classification(uuid4(), "orange") for _ in range(count)))
    now.set(at(minutes=30))
    stop = asyncio.Event()
    sweepers = [asyncio.create_task(Sweeper(one.fire, now).run(stop)) for one in replicas]

    async def fired(least: int) -> None:
        found = 0
        while found < least:
            await asyncio.sleep(0.02)
            with suppress(*DATABASE_ERRORS):
                found = (await replicas[0].rows("SELECT count(*) AS n FROM fires"))[0]["n"]

    try:
        await asyncio.wait_for(fired(count // 4), 60)
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while server.pid is not None:  # noqa: ASYNC110  # the system ends it
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.start)
        await asyncio.wait_for(fired(2 * count), 60)
        assert not any(task.done() for task in sweepers)
        requests = await replicas[0].requests()
        assert len(requests) == len({one.request_id for one in requests})
        kinds = await replicas[0].kinds()
        assert (kinds.count(ChangeKind.CLOCK_WARNED), len(kinds)) == (count, await _changes(replicas[0]))
    finally:
        stop.set()
        await asyncio.gather(*sweepers)
        for one in replicas:
            await one.database.close()
        await asyncio.to_thread(server.stop)


async def _changes(escalator: Escalator) -> int:
    rows = await escalator.rows("SELECT sum(revision) AS n FROM cases")
    published = await escalator.escalations()
    assert len(published) == rows[0]["n"]
    return sum(len(one.changes) for one in published)


def test_a_steady_clock_never_runs_backwards_and_catches_up_with_the_wall() -> None:
    wall, ticks = ManualClock(at()), [0.0]
    clock = SteadyClock(wall, lambda: ticks[0])
    assert clock.now() == at()
    wall.set(at(seconds=-60))
    ticks[0] = 10.0
    assert clock.now() == at(seconds=5)  # at half the pace until the wall has caught up
    wall.set(at(seconds=-50))
    assert clock.now() == at(seconds=5)
    wall.set(at(seconds=70))
    ticks[0] = 130.0
    assert clock.now() == at(seconds=70)
    wall.set(at(hours=1))
    assert clock.now() == at(hours=1)


def test_a_step_back_of_hours_is_believed() -> None:
    """A machine whose clock was far ahead must come back; standing still for a day would be worse."""
    wall = ManualClock(at(days=1))
    clock = SteadyClock(wall, lambda: 0.0)
    assert clock.now() == at(days=1)
    wall.set(at())
    assert clock.now() == at()
    wall.set(at() - timedelta(seconds=1))
    assert clock.now() == at()


async def test_duplicated_and_reordered_events_end_in_the_same_state(escalator: Escalator) -> None:
    case_id = uuid4()
    events = [
        classification(case_id, level, revision=number, when=at(minutes=number))
        for number, level in enumerate(("yellow", "red", "orange"), start=1)
    ]
    assert await escalator.take(events[0], events[2], events[1], events[2], events[1]) == [
        DONE, DONE, DONE, DUPLICATE, DUPLICATE,
    ]  # fmt: skip
    last = (await escalator.escalations())[-1]
    assert last.level == "red"
