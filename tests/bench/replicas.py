"""The processes that a bench of the timers starts: each is a replica of the engine on the same database.

`python -m tests.bench.replicas sweep URL` lets time pass; `python -m tests.bench.replicas raise URL PART PARTS`
raises its part of the cases to the highest level. Each says `ready`, begins when it reads a line, and ends with one
line of JSON.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from services.escalator.jobs.sweep import Sweeper
from shared.contracts.commands import CommandKind
from shared.runtime.clock import SystemClock
from shared.runtime.collector import freeze_after_start
from shared.runtime.metrics import CLOCK_LATENESS
from tests.support.escalator import Escalator, create_escalator, order

ROOT: Final = Path(__file__).resolve().parents[2]
BATCH: Final = 500
_SILENCE_S: Final = 3.0
_LONGEST_S: Final = 240.0


class Replicas:
    """Processes started before anything is armed, so that their start is not measured."""

    def __init__(self, *commands: tuple[str, ...]) -> None:
        self._commands = commands
        self._started: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        """Returns when all have said that they are ready, having told them to begin."""
        self._started = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.replicas", *command,
                cwd=ROOT, env=os.environ, limit=1 << 26, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )
            for command in self._commands
        ]  # fmt: skip
        for one in self._started:
            assert one.stdout is not None
            await one.stdout.readline()
        for one in self._started:
            assert one.stdin is not None
            one.stdin.write(b"\n")

    async def results(self) -> list[dict[str, Any]]:
        """What each did, when all have ended."""
        outputs = [await one.communicate() for one in self._started]
        return [json.loads(out) for out, _ in outputs]


async def _sweep(url: str) -> dict[str, Any]:
    """Let time pass until some seconds after the last timer."""
    lateness: list[float] = []
    setattr(CLOCK_LATENESS, "observe", lateness.append)  # noqa: B010  # every value, not a histogram of them
    holder: list[Sweeper] = []
    clock = SystemClock()
    escalator = create_escalator(url, clock=clock, wake=lambda due: holder[0].wake(due))  # noqa: PLW0108  # filled below
    fired, last, processor = 0, 0.0, 0.0

    async def fire() -> Any:
        nonlocal fired, last, processor
        swept = await escalator.fire()
        if swept.fired:
            fired, last, processor = fired + swept.fired, time.time(), time.process_time()
        return swept

    sweeper = Sweeper(fire, clock)
    holder.append(sweeper)
    stop = asyncio.Event()
    await escalator.fire()
    await _ready()
    before, until = time.process_time(), time.time() + _LONGEST_S
    running = asyncio.create_task(sweeper.run(stop))
    while time.time() < until and not (last and time.time() - last > _SILENCE_S):  # noqa: ASYNC110  # nothing tells of silence
        await asyncio.sleep(0.05)
    stop.set()
    await running
    await escalator.database.close()
    return {"fired": fired, "last": last, "processor": processor - before, "lateness": lateness}


async def _raise(url: str, part: int, parts: int) -> dict[str, Any]:
    """Raise every case of this part, as its consumer would, a batch in one transaction."""
    escalator = create_escalator(url, clock=SystemClock())
    rows = await escalator.rows("SELECT case_id FROM cases ORDER BY case_id")
    mine = [row["case_id"] for row in rows][part::parts]
    events = [
        order(one, CommandKind.RAISE_LEVEL, datetime.now(UTC), arguments={"level": "red"}, reason="bench")
        for one in mine
    ]
    await _ready()
    before = time.process_time()
    begins = time.time()
    await take_all(escalator, events)
    result = {"begins": begins, "ends": time.time(), "processor": time.process_time() - before, "cases": len(mine)}
    await escalator.database.close()
    return result


async def take_all(escalator: Escalator, events: list[Any]) -> None:
    """Give the engine these events in batches as a consumer's."""
    for first in range(0, len(events), BATCH):
        await escalator.take(*events[first : first + BATCH])


async def _ready() -> None:
    freeze_after_start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)


def main() -> None:
    what, url, *rest = sys.argv[1:]
    result = asyncio.run(_sweep(url) if what == "sweep" else _raise(url, *map(int, rest)))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
