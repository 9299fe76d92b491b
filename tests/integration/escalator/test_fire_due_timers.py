"""Time on a real database: fired once, never missed, whatever dies or happens at the same moment."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from services.escalator.domain.decision import Fire
from services.escalator.jobs.sweep import Sweeper
from services.escalator.store.history import FireRow, record_fires
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from shared.kafka.outcome import DONE
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, parse_plan
from shared.runtime.clock import SystemClock
from tests.support.clock import ManualClock
from tests.support.escalations import PLAN_TEXT, at
from tests.support.escalator import Escalator, classification, create_escalator, order

ROOT = Path(__file__).resolve().parents[3]


async def open_cases(escalator: Escalator, count: int, level: str = "yellow") -> None:
    outcomes = await escalator.take(*(classification(uuid4(), level) for _ in range(count)))
    assert outcomes == [DONE] * count


async def test_two_sweepers_fire_every_timer_once_and_miss_none(escalator: Escalator, escalator_url: str) -> None:
    await open_cases(escalator, 120)
    clock = ManualClock(at(minutes=15))
    replicas = [create_escalator(escalator_url, clock=clock, batch=7) for _ in range(2)]
    # Connected first: one of them would be through before the other has entered.
    assert [await replica.database.probe() for replica in replicas] == [None, None]

    async def work(replica: Escalator) -> int:
        fired = 0
        while True:
            swept = await replica.fire()
            fired += swept.fired
            if not swept.claimed:
                if swept.next_due is None or swept.next_due > clock.now():
                    return fired
                await asyncio.sleep(0.005)

    counts = await asyncio.gather(*(work(replica) for replica in replicas))
    assert sum(counts) == 120
    assert min(counts) > 0
    pages = [request for request in await escalator.requests() if request.purpose is Purpose.PAGE]
    assert len(pages) == 240
    assert len({request.request_id for request in pages}) == 240
    for replica in replicas:
        await replica.database.close()


async def test_killed_between_claim_and_commit_loses_nothing_and_fires_once(
    escalator: Escalator, escalator_url: str
) -> None:
    await open_cases(escalator, 5)
    script = f"""
import asyncio, os, signal
from tests.support.clock import ManualClock
from tests.support.escalations import at
from tests.support.escalator import create_escalator

class DeadlyIds:
    def new(self):
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(create_escalator({escalator_url!r}, clock=ManualClock(at(minutes=15)), ids=DeadlyIds()).fire())
"""
    victim = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], cwd=ROOT, env=os.environ, timeout=60, check=False
    )
    assert victim.returncode == -signal.SIGKILL
    assert await escalator.rows("SELECT 1 FROM fires") == []
    escalator.clock.set(at(minutes=15))
    assert sum(swept.fired for swept in await escalator.sweep()) == 5
    assert (await escalator.kinds()).count(ChangeKind.TIER_REPEATED) == 5


async def test_acknowledged_case_is_not_paged_by_a_timer_armed_before(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id))
    (stale,) = await escalator.rows("SELECT * FROM timers WHERE subject = 'ladder'")
    escalator.clock.set(at(minutes=1))
    await escalator.take(order(case_id, CommandKind.ACKNOWLEDGE, at(minutes=1)))
    # A timer of the time before the acknowledgement comes back, as from an old backup.
    async with escalator.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO timers (case_id, plan, subject, generation, threshold, due_at, lane, wake_at) "
            "VALUES (:case_id, :plan, :subject, :generation, :threshold, :due_at, :lane, :wake_at)",
            **stale,
        )
    before = len(await escalator.published())
    escalator.clock.set(at(minutes=20))
    (swept,) = await escalator.sweep()
    assert (swept.claimed, swept.fired) == (1, 0)
    assert len(await escalator.published()) == before
    assert await escalator.rows("SELECT 1 FROM timers WHERE subject = 'ladder'") == []


async def test_timer_someone_fired_before_moves_the_case_but_tells_nobody_twice(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id))
    async with escalator.database.transaction() as tx:
        fired = Fire("ladder", 1, "liaison:0", at(minutes=15))
        await record_fires(tx, [FireRow((case_id, "ladder-test"), fired, uuid4())])
    before = len(await escalator.published())
    escalator.clock.set(at(minutes=15))
    (swept,) = await escalator.sweep()
    assert swept.fired == 0
    assert len(await escalator.published()) == before
    (row,) = await escalator.rows("SELECT threshold FROM timers WHERE subject = 'ladder'")
    assert row["threshold"] == "liaison:1"


async def test_restart_with_overdue_timers_fires_only_the_highest_threshold(
    escalator: Escalator, escalator_url: str
) -> None:
    await open_cases(escalator, 1)
    restarted = create_escalator(escalator_url, clock=ManualClock(at(hours=3)))
    await restarted.sweep()
    kinds = await escalator.kinds()
    assert kinds.count(ChangeKind.CLOCK_BREACHED) == 1
    assert ChangeKind.CLOCK_WARNED not in kinds
    fires = await escalator.rows("SELECT threshold, superseded FROM fires WHERE subject = 'clock:respond' ORDER BY 1")
    assert [(row["threshold"], row["superseded"]) for row in fires] == [
        ("-10m", True),
        ("50%", True),
        ("breach", False),
    ]
    assert (await escalator.escalations())[-1].clocks[0].state is ClockState.BREACHED
    await restarted.database.close()


async def test_a_case_that_somebody_holds_is_left_alone_and_fired_afterwards(
    escalator: Escalator, escalator_url: str
) -> None:
    await open_cases(escalator, 2)
    (held, _) = await escalator.rows("SELECT case_id FROM cases ORDER BY case_id")
    escalator.clock.set(at(minutes=15))
    other = create_escalator(escalator_url)
    async with other.database.transaction() as tx:
        await tx.fetch("SELECT 1 FROM cases WHERE case_id = :id FOR UPDATE", id=held["case_id"])
        swept = await escalator.fire()
        assert (swept.claimed, swept.fired, swept.next_due) == (1, 1, at(minutes=15))
        assert (await escalator.fire()).claimed == 0
    assert (await escalator.fire()).fired == 1
    await other.database.close()


async def test_a_one_second_clock_fires_within_a_moment(escalator_url: str) -> None:
    text = PLAN_TEXT.replace('limit: 1h\n    warn: ["50%", "-10m"]', "limit: 1s")
    plan = CompiledPlan.of(parse_plan(text, "plan.yaml"))
    clock = SystemClock()
    holder: list[Sweeper] = []
    replica = create_escalator(
        escalator_url,
        clock=clock,
        library=PlanLibrary([plan]),
        wake=lambda due: holder[0].wake(due),  # noqa: PLW0108  # the holder is filled below
    )
    sweeper = Sweeper(replica.fire, clock, longest_sleep=timedelta(seconds=30))
    holder.append(sweeper)
    stop = asyncio.Event()
    loop = asyncio.create_task(sweeper.run(stop))
    await asyncio.sleep(0.3)
    now = datetime.now(UTC)
    await replica.take(classification(uuid4(), plan=plan.ref, when=now, occurred_at=now, received_at=now))
    deadline = time.monotonic() + 5
    rows: list[dict[str, datetime]] = []
    while not rows and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
        rows = await replica.rows("SELECT due_at, fired_at FROM fires")
    stop.set()
    await asyncio.wait_for(loop, 5)
    assert rows
    assert rows[0]["due_at"] == now + timedelta(seconds=1)
    assert timedelta() <= rows[0]["fired_at"] - rows[0]["due_at"] < timedelta(milliseconds=150)
    await replica.database.close()
