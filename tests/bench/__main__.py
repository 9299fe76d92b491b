"""Starts a line of its own, measures it, prints a table and writes it to bench/results/."""

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import latency, throughput
from tests.bench.machine import describe
from tests.support.line import ROOT, Line

RATES = (10, 100)
SECONDS = 20.0
EVENTS = 10_000


async def main() -> int:
    out = Console()
    machine = describe()
    deploy = Path(__file__).parent / "deploy"
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-") as home:
        line = Line(
            Path(home),
            {"FENGHUO_DEPLOY_DIR": str(deploy), "FENGHUO_LOG_LEVEL": "WARNING", "FENGHUO_THROTTLE_MESSAGES": "0"},
        )
        try:
            line.start()
            await latency.measure(line, 20, 3.0, "warm")
            latencies = [await latency.measure(line, rate, SECONDS, "run") for rate in RATES]
            through = await throughput.measure(line, EVENTS, "through")
        finally:
            line.stop()
    table = Table(title="POST to message at the sink (milliseconds)")
    for column in ("complaints/s", "posted", "arrived", "p50", "p99", "highest", "answer p50", "answer p99"):
        table.add_column(column, justify="right")
    for found in latencies:
        table.add_row(
            str(found.rate),
            str(found.posted),
            str(found.arrived),
            *(f"{value:.1f}" for value in (found.p50, found.p99, found.highest, found.answer_p50, found.answer_p99)),
        )
    out.print(table)
    out.print("One machine does everything here: the posts, five services, PostgreSQL, the broker and the sink.")
    out.print(
        f"{through.events} events in batches: accepted {through.accepted_per_second:.0f}/s, "
        f"through classifier and escalator {through.through_per_second:.0f}/s"
    )
    out.print(", ".join(f"{name}: {value}" for name, value in machine.items()))
    results = ROOT / "bench" / "results"
    results.mkdir(parents=True, exist_ok=True)
    file = results / f"{datetime.now().astimezone():%Y-%m-%d}-line.json"
    file.write_text(
        json.dumps(
            {"machine": machine, "latency_ms": [asdict(found) for found in latencies], "throughput": asdict(through)},
            indent=2,
        )
        + "\n",
        encoding="utf-8",
    )
    out.print(f"written to {file.relative_to(ROOT)}")
    return 0 if all(found.arrived == found.posted for found in latencies) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
