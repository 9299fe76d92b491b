"""From the POST of a complaint to its message at the sink, at a steady rate."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from tests.support.line import Line

_PATIENCE = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class Latency:
    """Milliseconds from before the POST to the sink's receipt, and to intake's answer."""

    rate: int
    posted: int
    arrived: int
    p50: float
    p99: float
    highest: float
    answer_p50: float
    answer_p99: float


def complaint(reference: str) -> dict[str, Any]:
    """A complaint that pages one person by SMS."""
    return {
        "source": "bench",
        "reference": reference,
        "topic": f"topic {reference}",
        "category": "bench",
        "occurred_at": datetime.now().astimezone().isoformat(),
        "title": "A complaint of the benchmark",
        "narrative": "The line has been down since this morning and nobody answers the telephone. " * 4,
        "place": {"province": "Sichuan", "city": "Chengdu"},
        "facts": {"people": 12},
    }


async def measure(line: Line, rate: int, seconds: float, run: str) -> Latency:
    """Post `rate` complaints a second, evenly, and match each with the first message that carries its number."""
    sent: dict[str, float] = {}
    answers: list[float] = []
    headers = {"Authorization": f"Bearer {line.credentials['api_key']}"}
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{line.ports['intake']}", headers=headers, timeout=_PATIENCE, raise_for_status=True
    ) as client:

        async def post(number: int) -> None:
            began = time.time()
            async with client.post("/v1/complaints", json=complaint(f"{run}-{rate}-{number}")) as answer:
                said = await answer.json()
            answers.append((time.time() - began) * 1000)
            sent[said["number"]] = began

        start = time.monotonic()
        posts = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            posts.append(asyncio.create_task(post(number)))
        await asyncio.gather(*posts)
    arrived = await _arrivals(line, sent)
    delays = sorted((arrived[number] - began) * 1000 for number, began in sent.items() if number in arrived)
    answers.sort()
    return Latency(
        rate=rate,
        posted=len(sent),
        arrived=len(delays),
        p50=statistics.median(delays),
        p99=delays[int(len(delays) * 0.99)],
        highest=delays[-1],
        answer_p50=statistics.median(answers),
        answer_p99=answers[int(len(answers) * 0.99)],
    )


async def _arrivals(line: Line, sent: dict[str, float]) -> dict[str, float]:
    """When the first message about each case reached the sink, Unix seconds. Waits at most 60 s for the last."""
    first: dict[str, float] = {}
    since = 0
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession(f"http://127.0.0.1:{line.ports['sink_http']}", timeout=_PATIENCE) as client:
        while len(first) < len(sent) and time.monotonic() < deadline:
            async with client.get("/messages", params={"since": since, "limit": 1000}) as answer:
                page = await answer.json()
            for message in page:
                since = message["seq"]
                words = set(message["text"].replace("，", " ").replace("【", " ").replace("】", " ").split())
                for number in words & sent.keys():
                    first.setdefault(number, datetime.fromisoformat(message["received_at"]).timestamp())
            if not page:
                await asyncio.sleep(0.1)
    return first
