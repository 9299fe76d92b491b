"""What the auditor's look costs when a million cases wait: how long until every case was counted once."""

import time

from services.escalator.store.cases import CaseKey
from services.escalator.store.faults import miscounted, overdue, unpublished
from tests.bench.server import Server
from tests.support.escalator import Escalator

_PART = 500_000
_MOST = 20_000
_PARTS = 20


async def audits(escalator: Escalator, server: Server) -> dict[str, float]:
    """Counts the timers of all cases, in the parts in which the auditor does, and looks at what is due and fired.

    Every timer that waits in the table gets a case first. Raises RuntimeError when a fault is found: there is none.
    """
    await _give_cases(escalator)
    await server.settle()
    before = await server.spent()
    looks: list[float] = []
    after: CaseKey | None = None
    while not looks or after is not None:
        began = time.perf_counter()
        async with escalator.database.transaction() as tx:
            grace = tx.now - tx.now
            late = await overdue(tx, grace, _MOST, 1)
            untold = await unpublished(tx, _MOST, 1)
            part = await miscounted(tx, after, _PART, _MOST)
        if late.count or untold.count or part.keys:
            raise RuntimeError(f"{late.count} late, {untold.count} untold, {len(part.keys)} miscounted")
        looks.append(time.perf_counter() - began)
        after = part.upto
    spent = await server.spent() - before
    (counted,) = await escalator.rows(
        "SELECT (SELECT count(*) FROM cases) AS cases, (SELECT count(*) FROM timers) AS timers"
    )
    return {
        "cases": counted["cases"],
        "timers": counted["timers"],
        "looks": len(looks),
        "longest_look_s": round(max(looks), 2),
        "round_s": round(sum(looks), 2),
        "postgres_us_per_case": round(spent.seconds / counted["cases"] * 1e6, 2),
    }


async def _give_cases(escalator: Escalator) -> None:
    """Short rows, as long ones have their long parts outside the row."""
    async with escalator.database.transaction() as tx:
        await tx.execute("TRUNCATE cases, fires, outbox, changes, clock_entries")
        await tx.execute("DELETE FROM timers WHERE plan <> 'filler'")
    for part in range(_PARTS):
        await _give_some(escalator, part)
    async with escalator.database.transaction() as tx:
        await tx.execute("ANALYZE cases")


async def _give_some(escalator: Escalator, part: int) -> None:
    async with escalator.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO cases (case_id, plan, org, number, plan_sha256, state, level, revision, is_open, "
            "clocks_running, opened_at, changed_at, traceparent, body, card_head, timers_armed) "
            "SELECT case_id, plan, 'org-a', '2026-11-000001', repeat('0', 64), 'classified', 'yellow', 1, true, 1, "
            ":now, :now, repeat('0', 55), '{}', '1 liaison yellow zh 0 respond=1,finish=1', 1 FROM timers "
            "WHERE CAST(extract(epoch FROM due_at) AS bigint) % :parts = :part",
            now=escalator.database.clock.now(),
            parts=_PARTS,
            part=part,
        )
