"""How fast one core classifies under the largest pack: the decision alone, explained, and as its consumer does it.

`python -m tests.bench.classification`. The consumer's use case runs in batches of 500 on PostgreSQL with fsync on, with
inbox, state, windows and outbox, and one by one as on a quiet line. Reports are those of a busy day: 20 topics, 30
cities, as many facts as people give. Of the clock and the processor here the median batch is told, and beside it what
the whole run came to: on a shared machine the two are far apart, and the processor times say more than the clock.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from rich.console import Console
from rich.table import Table

from services.classifier.app.classify_reports import classify_reports
from services.classifier.app.judge_cases import Ports
from services.classifier.store.plans import Plans
from shared.contracts.values import FactValue
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.plans.compiled import CompiledPlan, Scope
from shared.plans.library import PlanLibrary
from shared.runtime.collector import freeze_after_start
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.logging import configure_logging
from tests.bench.machine import describe
from tests.bench.server import Server, running
from tests.support.classification import MONDAY, create_complaint
from tests.support.line import ROOT

_BATCH = 500
_SECONDS = 1.5


def _rate(step: Callable[[], object]) -> float:
    """Calls a second of processor time."""
    for _ in range(100):
        step()
    count, begun = 0, time.process_time()
    while time.process_time() - begun < _SECONDS:
        for _ in range(200):
            step()
        count += 200
    return count / (time.process_time() - begun)


def pure(plan: CompiledPlan) -> tuple[float, float, float]:
    """Decisions a second: alone, with every answer as it is published, with every criterion in the plan's words."""
    facts: dict[str, FactValue | None] = {"line": "network", "customers_affected": 21_000, "topic": "slow-data"}
    counts = dict.fromkeys(plan.windows, 7)
    return (
        _rate(lambda: plan.decide(facts, counts, MONDAY, Scope.CASE)),
        _rate(lambda: plan.evaluate(facts, counts, MONDAY, Scope.CASE).in_short()),
        _rate(lambda: plan.evaluate(facts, counts, MONDAY, Scope.CASE).criteria),
    )


@dataclass(frozen=True)
class Through:
    """What the use case took: events a second of the clock, and processor time an event here and in the server."""

    batch: int
    per_second: float
    whole_run_per_second: float
    here_us: float
    server_us: float


async def consumer(server: Server, library: PlanLibrary, plan: CompiledPlan, events: int, batch: int) -> Through:
    """Events through the consumer's use case, in batches of one size."""
    database = Database.connect(server.url, application="bench", pool_size=2)
    ports = Ports(Plans(library), TimeOrderedIds(), lambda _: None)
    reports = [
        create_complaint(
            at=MONDAY + timedelta(seconds=number),
            number=f"2026-03-{number:06d}",
            category="network",
            plans=(plan.name,),
            topic=f"topic-{number % 20}",
            city=f"city-{number % 30}",
            title="网速慢，投诉多次",
            complainant_ref=f"{number % 5000:032x}",
            facts={"line": "network", "customers_affected": number % 1500},
        )
        for number in range(_BATCH + events)
    ]
    await classify_reports(reports[:_BATCH], database, ports)
    freeze_after_start()
    before, passed, here = await server.spent(), list[float](), list[float]()
    for start in range(_BATCH, _BATCH + events, batch):
        begun, busy = time.perf_counter(), time.process_time()
        await classify_reports(reports[start : start + batch], database, ports)
        passed.append(time.perf_counter() - begun)
        here.append(time.process_time() - busy)
    spent = (await server.spent()) - before
    await database.close()
    return Through(
        batch, batch / median(passed), events / sum(passed), median(here) / batch * 1e6, spent.seconds / events * 1e6
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description="Classifications on one core")
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args()
    configure_logging("bench", "WARNING")
    library = PlanLibrary.load(ROOT / "deploy" / "plans")
    plan = max(library.plans, key=lambda one: len(one.plan.criteria) + len(one.windows))
    decided, answered, explained = pure(plan)
    async with running("classifier") as server:
        await asyncio.to_thread(migrate, "classifier", server.url)
        through = [
            await consumer(server, library, plan, events, batch)
            for events, batch in ((options.events, _BATCH), (options.events // 20, 1))
        ]
    table = Table(title=f"Classification on one core: {plan.name}, {len(plan.plan.criteria)} criteria")
    table.add_column("what")
    for column in ("a second", "whole run", "µs of processor", "µs in PostgreSQL"):
        table.add_column(column, justify="right")
    for name, rate in (
        ("decision", decided),
        ("decision with every answer", answered),
        ("decision with every criterion explained", explained),
    ):
        table.add_row(name, f"{rate:,.0f}", "", f"{1e6 / rate:,.1f}", "")
    for one in through:
        name = f"consumer with inbox, windows, state and outbox, batches of {one.batch}"
        table.add_row(
            name,
            f"{one.per_second:,.0f}",
            f"{one.whole_run_per_second:,.0f}",
            f"{one.here_us:,.0f}",
            f"{one.server_us:,.0f}",
        )
    out = Console()
    out.print(table)
    out.print(", ".join(f"{name}: {value}" for name, value in describe().items()))


if __name__ == "__main__":
    asyncio.run(main())
