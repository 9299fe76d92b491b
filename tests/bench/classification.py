"""How fast one core classifies under the largest pack: the decision alone, explained, and as its consumer does it.

`python -m tests.bench.classification`. The consumer's use case runs in batches of 500 on PostgreSQL with fsync on, with
inbox, state, windows and outbox; reports are those of a busy day: 20 topics, 30 cities, as many facts as people give.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.classifier.app.classify_reports import classify_reports
from services.classifier.app.judge_cases import Ports
from services.classifier.store.plans import Plans
from shared.contracts.values import FactValue
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.db.provision import provision_service, service_url
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.plans.compiled import CompiledPlan, Scope
from shared.plans.library import PlanLibrary
from shared.runtime.collector import freeze_after_start
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.logging import configure_logging
from tests.bench.machine import describe
from tests.support.classification import MONDAY, create_complaint
from tests.support.line import ROOT

_BATCH = 500
_PASSWORD = "only-for-benches"
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


def pure(plan: CompiledPlan) -> tuple[float, float]:
    """Decisions a second, without and with the explanation of every criterion."""
    facts: dict[str, FactValue | None] = {"line": "network", "customers_affected": 21_000, "topic": "slow-data"}
    counts = dict.fromkeys(plan.windows, 7)
    return (
        _rate(lambda: plan.decide(facts, counts, MONDAY, Scope.CASE)),
        _rate(lambda: plan.evaluate(facts, counts, MONDAY, Scope.CASE)),
    )


async def consumer(url: str, library: PlanLibrary, plan: CompiledPlan, events: int) -> float:
    """Events a second through the consumer's use case."""
    database = Database.connect(url, application="bench", pool_size=2)
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
        for number in range(events)
    ]
    await classify_reports(reports[:_BATCH], database, ports)
    freeze_after_start()
    begun = time.perf_counter()
    for start in range(_BATCH, events, _BATCH):
        await classify_reports(reports[start : start + _BATCH], database, ports)
    passed = time.perf_counter() - begun
    await database.close()
    return (events - _BATCH) / passed


async def main() -> None:
    parser = argparse.ArgumentParser(description="Classifications on one core")
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args()
    configure_logging("bench", "WARNING")
    library = PlanLibrary.load(ROOT / "deploy" / "plans")
    plan = max(library.plans, key=lambda one: len(one.plan.criteria) + len(one.windows))
    decided, explained = pure(plan)
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-") as home:
        server = EmbeddedPostgres(Path(home), free_port())
        server.start()
        try:
            await provision_service(server.url(), "classifier", _PASSWORD)
            url = service_url(server.url(), "classifier", _PASSWORD)
            await asyncio.to_thread(migrate, "classifier", url)
            through = await consumer(url, library, plan, options.events)
        finally:
            server.stop()
    table = Table(title=f"Classification on one core: {plan.name}, {len(plan.plan.criteria)} criteria")
    table.add_column("what")
    table.add_column("a second", justify="right")
    for name, rate in (
        ("decision", decided),
        ("decision with every criterion explained", explained),
        ("consumer with inbox, windows, state and outbox", through),
    ):
        table.add_row(name, f"{rate:,.0f}")
    out = Console()
    out.print(table)
    out.print(", ".join(f"{name}: {value}" for name, value in describe().items()))


if __name__ == "__main__":
    asyncio.run(main())
