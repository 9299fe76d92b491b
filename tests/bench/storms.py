"""What is measured of the engine of timers: empty polls, storms, lateness, a change of level."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.escalator.domain.decision import LANES
from services.escalator.store.timers import FIRSTS, first_in_lanes
from tests.bench.replicas import Replicas, take_all
from tests.bench.server import Server
from tests.support.escalator import IDS, Escalator, classification

REPLICAS: Final = 2
_FAR: Final = timedelta(days=300)
_TEMPLATES: Final = 200
_POLLS: Final = 3000
_TRACE: Final = f"00-{'5' * 32}-{'6' * 16}-01"


@dataclass(frozen=True)
class Storm:
    """Timers all due at one instant, fired by two processes. `seconds`: from that instant to the last commit.

    `records` were written to the outbox with them. Microseconds of processor and bytes of log are those of one timer,
    of the replicas and of all processes of PostgreSQL.
    """

    kind: str
    timers: int
    records: int
    seconds: float
    per_second: float
    python_us: float
    postgres_us: float
    log_bytes: int


def percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(values), 3), "p99": round(percentile(values, 0.99), 3)}


async def fill(escalator: Escalator, first: int, last: int) -> None:
    """Timers that nobody will fire today, a hundred thousand at a time."""
    for begin in range(first, last, 100_000):
        async with escalator.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO timers (case_id, plan, subject, generation, threshold, due_at, lane, ahead, wake_at) "
                "SELECT gen_random_uuid(), 'filler', 'clock:filler', 1, 'breach', at, n % 32, '', at "
                "FROM (SELECT n, CAST(:far AS timestamptz) + n * interval '1 second' AS at "
                "FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS s (n)) AS f",
                far=datetime.now(UTC) + _FAR,
                first=begin,
                last=min(begin + 100_000, last) - 1,
            )
    async with escalator.database.transaction() as tx:
        await tx.execute("ANALYZE timers")


async def empty_polls(escalator: Escalator) -> dict[str, dict[str, float]]:
    """Milliseconds of the one statement of a poll that finds nothing due.

    In turn with it a statement that does nothing, which costs the trip to the server and what the machine's other
    work takes; and what the server says the poll took it.
    """
    floor = datetime.now(UTC) - timedelta(minutes=2)
    polls: list[float] = []
    trips: list[float] = []
    inside: list[float] = []
    async with escalator.database.transaction() as tx:
        for number in range(_POLLS):
            began = time.perf_counter()
            await first_in_lanes(tx, floor)
            polled = time.perf_counter()
            await tx.fetch("SELECT 1")
            trips.append((time.perf_counter() - polled) * 1000)
            polls.append((polled - began) * 1000)
            if number % 10 == 0:
                (row,) = await tx.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {FIRSTS}", lanes=LANES, floor=floor)
                inside.append(row[0][0]["Execution Time"])
    return {"poll_ms": spread(polls), "select_1_ms": spread(trips), "in_the_server_ms": spread(inside)}


async def storm(escalator: Escalator, server: Server, kind: str, count: int) -> Storm:
    """`recorded` ends clocks of which people need not be told; `warned` tells people too; `paged` climbs a ladder."""
    subject, threshold, ahead = {
        "recorded": ("clock:finish", "breach", False),
        "warned": ("clock:respond", "50%", True),
        "paged": ("ladder", "liaison:0", False),
    }[kind]
    await server.settle()
    await _cases(escalator, count)
    replicas = Replicas(*((("sweep", escalator.url),) * REPLICAS))
    await replicas.start()
    due = datetime.now(UTC) + timedelta(seconds=6 + count / 8_000)
    if kind == "paged":
        await _arm(escalator, subject, threshold, datetime.now(UTC) + timedelta(minutes=15), ahead=ahead, step_us=0)
        await _climb_at(escalator, due)
    else:
        await _arm(escalator, subject, threshold, due, ahead=ahead, step_us=0)
    before = await server.spent()
    if datetime.now(UTC) > due:
        raise RuntimeError("arming took longer than it may on this machine")
    found = await replicas.results()
    spent = await server.spent() - before
    (counted,) = await escalator.rows(
        "SELECT (SELECT count(*) FROM fires) AS fires, (SELECT count(*) FROM outbox) AS records, "
        "(SELECT count(*) FROM cases) AS cases"
    )
    fired = sum(one["fired"] for one in found)
    if not fired == counted["fires"] == counted["cases"]:
        raise RuntimeError(f"{kind}: {fired} fired, {counted['fires']} recorded")
    seconds = max(one["last"] for one in found) - due.timestamp()
    return Storm(
        kind,
        fired,
        counted["records"],
        round(seconds, 2),
        round(fired / seconds),
        round(sum(one["processor"] for one in found) / fired * 1e6, 1),
        round(spent.seconds / fired * 1e6, 1),
        round(spent.log_bytes / fired),
    )


async def lateness(escalator: Escalator, server: Server, rate: int, seconds: int) -> dict[str, float]:
    """How late timers are that are due one after the other, at this rate, for two processes."""
    await server.settle()
    await _cases(escalator, rate * seconds)
    replicas = Replicas(*((("sweep", escalator.url),) * REPLICAS))
    await replicas.start()
    due = datetime.now(UTC) + timedelta(seconds=5)
    await _arm(escalator, "clock:finish", "breach", due, ahead=False, step_us=1_000_000 // rate)
    found = await replicas.results()
    late = [value * 1000 for one in found for value in one["lateness"]]
    return {"fired": len(late), **spread(late), "highest": round(max(late), 1)}


async def retarget(escalator: Escalator, server: Server, cases: int, processes: int) -> dict[str, float]:
    """A rise from orange to red: every clock of the case is weighed anew, two of them start to count anew."""
    await _clear(escalator)
    await server.settle()
    now = datetime.now(UTC)
    await take_all(escalator, [_opened("orange", now) for _ in range(cases)])
    clocks = (await escalator.rows("SELECT sum(clocks_running) AS n FROM cases"))[0]["n"]
    replicas = Replicas(*(("raise", escalator.url, str(part), str(processes)) for part in range(processes)))
    before = await server.spent()
    await replicas.start()
    found = await replicas.results()
    spent = await server.spent() - before
    if (await escalator.rows("SELECT count(*) AS n FROM cases WHERE level = 'red'"))[0]["n"] != cases:
        raise RuntimeError("not every case was raised")
    seconds = max(one["ends"] for one in found) - min(one["begins"] for one in found)
    return {
        "processes": processes,
        "cases_per_second": round(cases / seconds),
        "clocks_per_second": round(clocks / seconds),
        "python_us_per_clock": round(sum(one["processor"] for one in found) / clocks * 1e6, 1),
        "postgres_us_per_clock": round(spent.seconds / clocks * 1e6, 1),
    }


def _opened(level: str, now: datetime) -> Any:
    return replace(classification(IDS.new(), level, when=now, occurred_at=now, received_at=now), traceparent=_TRACE)


async def _clear(escalator: Escalator) -> None:
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE plan <> 'filler'")
        await tx.execute("TRUNCATE cases, fires, outbox, changes, clock_entries")


async def _cases(escalator: Escalator, count: int) -> None:
    """`count` open cases with cards: some opened by the product itself, and copies of them."""
    await _clear(escalator)
    now = datetime.now(UTC)
    opened = [_opened("yellow", now) for _ in range(min(_TEMPLATES, count))]
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


async def _climb_at(escalator: Escalator, due: datetime) -> None:
    """A ladder fires at the instant its case holds; the copies hold that of the cases they were copied from."""
    async with escalator.database.transaction() as tx:
        await tx.execute(
            'UPDATE cases SET body = CAST(regexp_replace(CAST(body AS text), \'"next_at":"[^"]+"\', '
            "'\"next_at\":\"' || CAST(:text AS text) || '\"') AS json)",
            text=due.isoformat(),
        )
        await tx.execute("UPDATE timers SET due_at = :due, wake_at = :due WHERE plan <> 'filler'", due=due)
