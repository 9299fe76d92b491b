"""How many complaints a second the whole line takes, from batches at intake to the escalator's last commit."""

import asyncio
import time
from dataclasses import dataclass

import httpx

from tests.bench.latency import complaint
from tests.support.line import Line

_BATCH = 100
_AT_ONCE = 4


@dataclass(frozen=True)
class Throughput:
    """Events a second: accepted by intake, and through classifier and escalator."""

    events: int
    accepted_per_second: float
    through_per_second: float


async def measure(line: Line, events: int, run: str) -> Throughput:
    """Post batches as fast as intake answers; the clock stops when the escalator has applied the last."""
    before = line.metric("escalator", "fenghuo_events_consumed_total", topic="cases-classified", outcome="done")
    headers = {"Authorization": f"Bearer {line.credentials['api_key']}"}
    numbers = iter(range(0, events, _BATCH))
    began = time.monotonic()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{line.ports['intake']}", headers=headers, timeout=60.0
    ) as client:

        async def post() -> None:
            for first in numbers:
                batch = [
                    {**complaint(f"{run}-{number}"), "facts": {}, "category": "bench-quiet"}
                    for number in range(first, first + _BATCH)
                ]
                (await client.post("/v1/complaints:batch", json=batch)).raise_for_status()

        await asyncio.gather(*(post() for _ in range(_AT_ONCE)))
    accepted = time.monotonic() - began
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        done = line.metric("escalator", "fenghuo_events_consumed_total", topic="cases-classified", outcome="done")
        if done - before >= events:
            break
        await asyncio.sleep(0.02)
    else:
        raise TimeoutError(f"only {done - before:.0f} of {events} events came through")
    return Throughput(events, events / accepted, events / (time.monotonic() - began))
