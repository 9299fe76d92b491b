"""Measures the timer table on a PostgreSQL of its own, written through to disk: `python -m tests.bench.timers`.

`--armed` sets how many timers wait in the table (5 M takes some minutes to fill), `--storm` how many fall on one
instant. Beside it stands what one APScheduler job for each timer gives.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from rich.console import Console
from rich.table import Table

from services.escalator.jobs.sweep import Sweeper
from services.escalator.store.timers import first_in_lanes
from shared.contracts.commands import CommandKind
from shared.db.migrate import migrate
from shared.db.provision import provision_service, service_url
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.runtime.clock import SystemClock
from shared.runtime.collector import freeze_after_start
from shared.runtime.metrics import CLOCK_LATENESS
from tests.bench.machine import describe
from tests.support.escalator import IDS, Escalator, classification, create_escalator, order

ROOT = Path(__file__).resolve().parents[2]
_PASSWORD = "only-for-benches"
_FAR = timedelta(days=300)
_TEMPLATES = 200


@dataclass(frozen=True)
class Storm:
    """Timers all due at one instant, fired by two processes. `seconds`: from that instant to the last commit."""

    kind: str
    timers: int
    records: int
    seconds: float
    per_second: float


def _percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


async def _fill(escalator: Escalator, armed: int) -> float:
    """Timers that nobody will fire today, a hundred thousand at a time."""
    began = time.monotonic()
    for first in range(0, armed, 100_000):
        async with escalator.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO timers (case_id, plan, subject, generation, threshold, due_at, lane, ahead, wake_at) "
                "SELECT gen_random_uuid(), 'filler', 'clock:filler', 1, 'breach', at, n % 32, '', at "
                "FROM (SELECT n, CAST(:far AS timestamptz) + n * interval '1 second' AS at "
                "FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS s (n)) AS f",
                far=datetime.now(UTC) + _FAR,
                first=first,
                last=min(first + 100_000, armed) - 1,
            )
    await escalator.rows("SELECT 1")
    return time.monotonic() - began


async def _poll(escalator: Escalator, times: int = 3000) -> list[float]:
    """Milliseconds of the one statement of a poll that finds nothing due."""
    found = []
    async with escalator.database.transaction() as tx:
        for _ in range(times):
            began = time.perf_counter()
            await first_in_lanes(tx, datetime.now(UTC) - timedelta(minutes=2))
            found.append((time.perf_counter() - began) * 1000)
    return found


async def _clear(escalator: Escalator) -> None:
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE plan <> 'filler'")
        await tx.execute("TRUNCATE cases, fires, outbox, changes, clock_entries")


async def _cases(escalator: Escalator, count: int, level: str) -> None:
    """`count` open cases with cards: some opened by the product itself, and copies of them."""
    await _clear(escalator)
    now = datetime.now(UTC)
    opened = [
        classification(IDS.new(), level, when=now, occurred_at=now, received_at=now)
        for _ in range(min(_TEMPLATES, count))
    ]
    await escalator.take(*opened)
    names = (
        "plan, org, number, plan_sha256, state, level, revision, is_open, clocks_running, opened_at, changed_at, "
        "traceparent, card_head"
    )
    async with escalator.database.transaction() as tx:
        await tx.execute(
            f"INSERT INTO cases (case_id, {names}, body, card) SELECT n.id, {names}, "  # noqa: S608  # constant names
            "CAST(replace(CAST(c.body AS text), CAST(c.case_id AS text), CAST(n.id AS text)) AS json), c.card "
            "FROM cases c CROSS JOIN LATERAL (SELECT uuidv7() AS id FROM generate_series(2, CAST(:copies AS int)) "
            "WHERE c.case_id IS NOT NULL) n",
            copies=max(1, count // len(opened)),
        )
        await tx.execute("DELETE FROM timers WHERE plan <> 'filler'")
        await tx.execute("TRUNCATE outbox")


async def _arm(escalator: Escalator, subject: str, threshold: str, due: datetime, *, ahead: bool, step_us: int) -> None:
    """One timer for each case: all at `due`, or `step_us` microseconds apart."""
    async with escalator.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO timers (case_id, plan, subject, generation, threshold, due_at, lane, ahead, wake_at) "
            "SELECT case_id, plan, CAST(:subject AS text), 1, CAST(:threshold AS text), due, "
            "16 + abs(hashtext(org)) % 16, "
            "CASE WHEN :subject = 'ladder' THEN NULL WHEN :ahead THEN "
            "'breach ' || CAST(extract(epoch FROM due) * 1000000 + 3600000000 AS bigint) ELSE '' END, due "
            "FROM (SELECT case_id, plan, org, CAST(:due AS timestamptz) + (row_number() OVER ()) "
            "* CAST(:step AS int) * interval '1 microsecond' AS due FROM cases) c",
            subject=subject,
            threshold=threshold,
            due=due,
            ahead=ahead,
            step=step_us,
        )
        await tx.execute("ANALYZE timers")
        await tx.execute("ANALYZE cases")


async def replica(url: str, seconds: float) -> None:
    """One process of two: sweeps for so long, or until three seconds after the last timer, and prints what it did."""
    lateness: list[float] = []
    setattr(CLOCK_LATENESS, "observe", lateness.append)  # noqa: B010  # every value, not a histogram of them
    holder: list[Sweeper] = []
    clock = SystemClock()
    escalator = create_escalator(url, clock=clock, wake=lambda due: holder[0].wake(due))  # noqa: PLW0108  # filled below
    fired, last = 0, 0.0

    async def fire() -> Any:
        nonlocal fired, last
        swept = await escalator.fire()
        if swept.fired:
            fired, last = fired + swept.fired, time.time()
        return swept

    sweeper = Sweeper(fire, clock)
    holder.append(sweeper)
    stop = asyncio.Event()
    freeze_after_start()
    running = asyncio.create_task(sweeper.run(stop))
    await escalator.fire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until = time.time() + seconds
    while time.time() < until and not (last and time.time() - last > 3):  # noqa: ASYNC110  # nothing tells of silence
        await asyncio.sleep(0.05)
    stop.set()
    await running
    await escalator.database.close()
    sys.stdout.write(json.dumps({"fired": fired, "last": last, "lateness": lateness}) + "\n")


class Replicas:
    """Two processes that sweep, started before anything is armed so that their start is not measured."""

    def __init__(self, url: str, seconds: float) -> None:
        self._command = (sys.executable, "-m", "tests.bench.timers", "--replica", url, "--seconds", str(seconds))
        self._started: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        """Returns when both have said that they sweep."""
        self._started = [
            await asyncio.create_subprocess_exec(
                *self._command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, env=os.environ, limit=1 << 26
            )
            for _ in range(2)
        ]
        for one in self._started:
            assert one.stdout is not None
            await one.stdout.readline()

    async def results(self) -> list[dict[str, Any]]:
        """What each did, when both have ended."""
        outputs = [await one.communicate() for one in self._started]
        return [json.loads(out) for out, _ in outputs]


async def _storm(escalator: Escalator, kind: str, count: int) -> Storm:
    subject, threshold, ahead = {
        "recorded": ("clock:finish", "breach", False),
        "warned": ("clock:respond", "50%", True),
        "paged": ("ladder", "liaison:0", False),
    }[kind]
    await _cases(escalator, count, "yellow")
    replicas = Replicas(escalator.url, 240)
    await replicas.start()
    due = datetime.now(UTC) + timedelta(seconds=5 + count / 10_000)
    if kind == "paged":
        await _arm(escalator, subject, threshold, datetime.now(UTC) + timedelta(minutes=15), ahead=ahead, step_us=0)
        # A ladder fires at the instant its case holds; the copies hold that of the cases they were copied from.
        async with escalator.database.transaction() as tx:
            text = due.isoformat()
            await tx.execute(
                'UPDATE cases SET body = CAST(regexp_replace(CAST(body AS text), \'"next_at":"[^"]+"\', '
                "'\"next_at\":\"' || CAST(:text AS text) || '\"') AS json)",
                text=text,
            )
            await tx.execute("UPDATE timers SET due_at = :due, wake_at = :due WHERE plan <> 'filler'", due=due)
    else:
        await _arm(escalator, subject, threshold, due, ahead=ahead, step_us=0)
    if datetime.now(UTC) > due:
        raise RuntimeError("arming took longer than it may on this machine")
    found = await replicas.results()
    (fires,) = await escalator.rows("SELECT count(*) AS n FROM fires")
    (records,) = await escalator.rows("SELECT count(*) AS n FROM outbox")
    fired = sum(one["fired"] for one in found)
    if not fired == fires["n"] == (await escalator.rows("SELECT count(*) AS n FROM cases"))[0]["n"]:
        raise RuntimeError(f"{kind}: {fired} fired, {fires['n']} recorded")
    seconds = max(one["last"] for one in found) - due.timestamp()
    return Storm(kind, fired, records["n"], round(seconds, 2), round(fired / seconds))


async def _lateness(escalator: Escalator, rate: int, seconds: int) -> dict[str, float]:
    await _cases(escalator, rate * seconds, "yellow")
    replicas = Replicas(escalator.url, 240)
    await replicas.start()
    due = datetime.now(UTC) + timedelta(seconds=5)
    await _arm(escalator, "clock:finish", "breach", due, ahead=False, step_us=1_000_000 // rate)
    found = await replicas.results()
    late = [value * 1000 for one in found for value in one["lateness"]]
    return {
        "fired": len(late),
        "p50_ms": round(statistics.median(late), 1),
        "p99_ms": round(_percentile(late, 0.99), 1),
        "highest_ms": round(max(late), 1),
    }


async def _retarget(escalator: Escalator, cases: int) -> dict[str, float]:
    """A rise from orange to red: every clock of the case is weighed anew, two of them start to count anew."""
    await _clear(escalator)
    now = datetime.now(UTC)
    ids = [IDS.new() for _ in range(cases)]
    fields: dict[str, Any] = {"when": now, "occurred_at": now, "received_at": now}
    for first in range(0, cases, 500):
        await escalator.take(*(classification(one, "orange", **fields) for one in ids[first : first + 500]))
    clocks = (await escalator.rows("SELECT sum(clocks_running) AS n FROM cases"))[0]["n"]
    raised = [
        order(one, CommandKind.RAISE_LEVEL, datetime.now(UTC), arguments={"level": "red"}, reason="bench")
        for one in ids
    ]
    began = time.monotonic()
    for first in range(0, cases, 500):
        await escalator.take(*raised[first : first + 500])
    seconds = time.monotonic() - began
    return {"cases_per_second": round(cases / seconds), "clocks_per_second": round(clocks / seconds)}


async def _apscheduler(url: str, count: int, *, memory: bool) -> dict[str, float]:
    """One job for each timer, all due at one instant; the job itself does nothing."""
    store = MemoryJobStore() if memory else SQLAlchemyJobStore(url.replace("postgresql://", "postgresql+psycopg://"))
    scheduler = AsyncIOScheduler(jobstores={"default": store}, executors={"default": AsyncIOExecutor()}, timezone=UTC)
    done = 0

    async def job() -> None:
        nonlocal done
        done += 1

    scheduler.start()
    due = datetime.now(UTC) + timedelta(seconds=count / 2_000 + 2)
    began = time.monotonic()
    for number in range(count):
        scheduler.add_job(job, "date", run_date=due, id=str(number), misfire_grace_time=None)
        if number % 500 == 0:
            await asyncio.sleep(0)
    added = count / (time.monotonic() - began)
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    fired_from = time.monotonic()
    while done < count and time.monotonic() - fired_from < 120:  # noqa: ASYNC110  # the jobs are another's
        await asyncio.sleep(0.01)
    seconds = time.monotonic() - fired_from
    scheduler.shutdown(wait=False)
    return {"added_per_second": round(added), "fired_per_second": round(done / max(seconds, 1e-9))}


async def measure(armed: list[int], storm: int) -> dict[str, Any]:
    """Everything, on a fresh cluster; the results by name."""
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-timers-") as home:
        await asyncio.to_thread(Path(home).chmod, 0o755)  # the server may run as another user
        server = EmbeddedPostgres(Path(home) / "pg", free_port(), settings={"max_wal_size": "4GB"})
        await asyncio.to_thread(server.start)
        try:
            await provision_service(server.url(), "escalator", _PASSWORD, database="bench")
            url = service_url(server.url(), "escalator", _PASSWORD, "bench")
            await asyncio.to_thread(migrate, "escalator", url)
            return await _measure(create_escalator(url, clock=SystemClock()), armed, storm)
        finally:
            await asyncio.to_thread(server.stop)


async def _measure(escalator: Escalator, armed: list[int], storm: int) -> dict[str, Any]:
    freeze_after_start()
    results: dict[str, Any] = {"empty_poll_ms": {}, "storms": []}
    filled = 0
    for count in sorted(armed):
        await _fill(escalator, count - filled)
        filled = count
        async with escalator.database.transaction() as tx:
            await tx.execute("ANALYZE timers")
        polls = await _poll(escalator)
        results["empty_poll_ms"][count] = {
            "p50": round(statistics.median(polls), 3),
            "p99": round(_percentile(polls, 0.99), 3),
        }
    for kind, count in (("recorded", storm), ("warned", storm), ("paged", storm // 10)):
        results["storms"].append(asdict(await _storm(escalator, kind, count)))
    results["lateness_at_1000_due_per_second"] = await _lateness(escalator, 1000, 15)
    results["retarget"] = await _retarget(escalator, 2000)
    results["apscheduler_memory"] = await _apscheduler(escalator.url, 10_000, memory=True)
    await escalator.database.close()
    return results


def show(results: dict[str, Any], out: Console) -> None:
    """The results as tables."""
    polls = Table("armed", "p50 ms", "p99 ms", title="A poll that finds nothing due")
    for count, found in results["empty_poll_ms"].items():
        polls.add_row(f"{int(count):,}", f"{found['p50']:.3f}", f"{found['p99']:.3f}")
    storms = Table(
        "timers", "what follows", "outbox rows", "seconds", "per second", title="All due at one instant, two replicas"
    )
    for one in results["storms"]:
        storms.add_row(
            f"{one['timers']:,}", one["kind"], f"{one['records']:,}", f"{one['seconds']:.2f}", f"{one['per_second']:,}"
        )
    out.print(polls)
    out.print(storms)
    for name in ("lateness_at_1000_due_per_second", "retarget", "apscheduler_memory"):
        out.print(f"{name.replace('_', ' ')}: " + ", ".join(f"{key} {value}" for key, value in results[name].items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--armed", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--storm", type=int, default=100_000)
    parser.add_argument("--replica", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.replica:
        asyncio.run(replica(given.replica, given.seconds))
        return
    out = Console()
    machine = describe()
    results = {"machine": machine, **asyncio.run(measure(given.armed, given.storm))}
    show(results, out)
    out.print(", ".join(f"{name}: {value}" for name, value in machine.items()))
    folder = ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{datetime.now().astimezone():%Y-%m-%d}-timers.json"
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    out.print(f"written to {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
