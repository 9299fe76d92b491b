"""Measures the timer table on a PostgreSQL of its own, written through to disk: `python -m tests.bench.timers`.

`--armed` sets how many timers wait in the table (5 M takes some minutes to fill), `--storm` how many fall on one
instant. Beside it stands what one APScheduler job for each timer gives.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from rich.console import Console
from rich.table import Table

from shared.db.migrate import migrate
from shared.runtime.clock import SystemClock
from shared.runtime.collector import freeze_after_start
from tests.bench.audits import audits
from tests.bench.machine import describe
from tests.bench.server import SETTINGS, Server, running
from tests.bench.storms import empty_polls, fill, lateness, retarget, storm
from tests.support.escalator import create_escalator

ROOT = Path(__file__).resolve().parents[2]


async def _apscheduler(count: int) -> dict[str, float]:
    """One job for each timer in its memory store, all due at one instant; the job itself does nothing."""
    scheduler = AsyncIOScheduler(
        jobstores={"default": MemoryJobStore()}, executors={"default": AsyncIOExecutor()}, timezone=UTC
    )
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


async def measure(armed: list[int], timers: int) -> dict[str, Any]:
    """Everything, on a fresh server; the results by name."""
    async with running("escalator") as server:
        await asyncio.to_thread(migrate, "escalator", server.url)
        return await _measure(server, armed, timers)


async def _measure(server: Server, armed: list[int], timers: int) -> dict[str, Any]:
    freeze_after_start()
    escalator = create_escalator(server.url, clock=SystemClock())
    results: dict[str, Any] = {"server": {"fsync": "on", **SETTINGS}, "empty_poll": {}, "storms": []}
    filled = 0
    for count in sorted(armed):
        await fill(escalator, filled, count)
        filled = count
        results["empty_poll"][count] = await empty_polls(escalator)
        found = await storm(escalator, server, "recorded", timers)
        results["storms"].append({"armed": count, **asdict(found)})
        if "audit" not in results:
            results["audit"] = await audits(escalator, server)
    for kind, count in (("warned", timers), ("paged", timers // 10)):
        results["storms"].append({"armed": filled, **asdict(await storm(escalator, server, kind, count))})
    results["lateness_ms_at_1000_due_per_second"] = await lateness(escalator, server, 1000, 15)
    results["retarget"] = [await retarget(escalator, server, 4000, processes) for processes in (1, 2)]
    results["apscheduler_memory"] = await _apscheduler(10_000)
    await escalator.database.close()
    return results


def show(results: dict[str, Any], out: Console) -> None:
    """The results as tables."""
    polls = Table(
        "armed", "poll p50", "poll p99", "SELECT 1 p50", "SELECT 1 p99", "in the server p50", "in the server p99",
        title="A poll that finds nothing due (milliseconds)",
    )  # fmt: skip
    for count, found in results["empty_poll"].items():
        parts = (found["poll_ms"], found["select_1_ms"], found["in_the_server_ms"])
        polls.add_row(f"{int(count):,}", *(f"{part[name]:.3f}" for part in parts for name in ("p50", "p99")))
    storms = Table(
        "armed beside", "timers", "what follows", "outbox rows", "seconds", "per second", "Python us", "PostgreSQL us",
        "log bytes",
        title="All due at one instant, two replicas; processor and log for each timer",
    )  # fmt: skip
    for one in results["storms"]:
        storms.add_row(
            f"{one['armed']:,}", f"{one['timers']:,}", one["kind"], f"{one['records']:,}", f"{one['seconds']:.2f}",
            f"{one['per_second']:,}", f"{one['python_us']}", f"{one['postgres_us']}", f"{one['log_bytes']:,}",
        )  # fmt: skip
    out.print(polls)
    out.print(storms)
    out.print("recorded: a clock ran out and is told of; warned: people are told too; paged: a ladder, judged in full")
    for name in ("lateness_ms_at_1000_due_per_second", "audit", "apscheduler_memory"):
        out.print(f"{name.replace('_', ' ')}: " + ", ".join(f"{key} {value}" for key, value in results[name].items()))
    for one in results["retarget"]:
        out.print("retarget: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in one.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--armed", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--storm", type=int, default=100_000)
    given = parser.parse_args()
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
