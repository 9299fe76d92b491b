"""From an acknowledgement to "no further sends", through the whole line: `python -m tests.bench.acknowledgement`.

The SMS gateway is busy, so that the notifier tries every page again and again. Time runs from before the POST of the
acknowledgement at intake until the last call to the gateway for that case began; the calls go on until it is heard of.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from tests.bench.latency import complaint
from tests.bench.machine import describe
from tests.support.line import ROOT, Line

CASES = 15
_PROMISED_MS = 1000
_WATCHED_S = 2.5
_QUICK = {
    "FENGHUO_LOG_LEVEL": "WARNING",
    "FENGHUO_THROTTLE_MESSAGES": "0",
    "FENGHUO_RETRY_FIRST_WAIT_S": "0.05",
    "FENGHUO_RETRY_LONGEST_WAIT_S": "0.1",
    "FENGHUO_TRIES_A_ROUTE": "10",
    "FENGHUO_CIRCUIT_FAILURES": "100000",
}


@dataclass(frozen=True)
class Result:
    """Milliseconds from before the POST to the beginning of the last call; 0 where none began after it.

    `unanswered_calls` are those of one more case that nobody acknowledged, within the same time: they go on.
    """

    cases: int
    unanswered_calls: int
    p50: float
    highest: float
    answer_p50: float


async def measure(line: Line) -> Result:
    """One case after the other, each answered while its calls go on."""
    key = {"Authorization": f"Bearer {line.credentials['api_key']}"}
    last_calls: list[float] = []
    answers: list[float] = []
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{line.ports['sink_http']}") as sink,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{line.ports['intake']}", headers=key) as intake,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{line.ports['notifier']}", headers=key) as notifier,
    ):
        (await sink.post("/behaviour", json={"to": "*", "do": "busy", "kind": "sms"})).raise_for_status()

        async def calls(case: str) -> list[float]:
            found = (await notifier.get(f"/v1/cases/{case}/deliveries")).json()["requests"]
            made: list[dict[str, Any]] = [
                one for request in found for intent in request["intents"] for one in intent["attempts"]
            ]
            return sorted(datetime.fromisoformat(one["started_at"]).timestamp() for one in made)

        for number in range(CASES):
            posted = await intake.post("/v1/complaints", json=complaint(f"acknowledgement-{number}"))
            case = posted.raise_for_status().json()["case_id"]
            while len(await calls(case)) < 3:  # noqa: ASYNC110  # only the ledger tells
                await asyncio.sleep(0.02)
            began = time.time()
            command = {"command": "acknowledge", "actor": {"ref": "bench"}}
            (await intake.post(f"/v1/cases/{case}/commands", json=command)).raise_for_status()
            answers.append((time.time() - began) * 1000)
            await asyncio.sleep(_WATCHED_S)
            made = await calls(case)
            last_calls.append(max(0.0, (made[-1] - began) * 1000))
        posted = await intake.post("/v1/complaints", json=complaint("acknowledgement-never"))
        case = posted.raise_for_status().json()["case_id"]
        await asyncio.sleep(_WATCHED_S)
        unanswered = len(await calls(case))
    return Result(CASES, unanswered, statistics.median(last_calls), max(last_calls), statistics.median(answers))


async def main() -> int:
    out = Console()
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-") as home:
        line = Line(Path(home), {"FENGHUO_DEPLOY_DIR": str(Path(__file__).parent / "deploy"), **_QUICK})
        try:
            line.start()
            found = await measure(line)
        finally:
            line.stop()
    out.print(
        f"{found.cases} acknowledgements while calls go on: the last call began {found.p50:.0f} ms (median), "
        f"{found.highest:.0f} ms (highest) after the POST, which was answered in {found.answer_p50:.0f} ms; "
        f"nobody answering, {found.unanswered_calls} calls in {_WATCHED_S:g} s"
    )
    results = ROOT / "bench" / "results"
    results.mkdir(parents=True, exist_ok=True)
    file = results / f"{datetime.now().astimezone():%Y-%m-%d}-acknowledgement.json"
    text = json.dumps({"machine": describe(), "acknowledgement_ms": asdict(found)}, indent=2)
    file.write_text(text + "\n", encoding="utf-8")
    out.print(f"written to {file.relative_to(ROOT)}")
    return 0 if found.highest < _PROMISED_MS else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
