"""6 000 pages at one instant from two notifier processes to a provider on this machine: `python -m tests.bench.pages`.

The requests are given to each process as its consumer gives them, in batches of 500; each is a page of the highest
level about a case of its own. Time runs from the word to begin until the provider has taken the last message.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console

from shared.contracts.values import ChannelKind
from shared.db.migrate import migrate
from shared.db.provision import provision_service, service_url
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.runtime.collector import freeze_after_start
from tests.bench.machine import describe
from tests.integration.notifier.desk import Desk, request
from tests.support.line import ROOT

PAGES = 6_000
PLACES = 100
_REPLICAS = 2
_BATCH = 500
_PASSWORD = "only-for-benches"
_WITHIN_S = 120.0


@dataclass(frozen=True)
class Result:
    """Seconds from the word to begin; `twice` are messages beyond one a page."""

    pages: int
    replicas: int
    seconds: float
    per_second: float
    first_after: float
    twice: int


class Provider:
    """Takes every SMS at once and counts it."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.enough = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            self.taken.append(time.monotonic())
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery")
            if len(self.taken) >= PAGES:
                self.enough.set()


async def _quietly(provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await provider.serve(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _replica(url: str, port: int, pages: int) -> None:
    sink = SimpleNamespace(
        smtp_port=port, send_url=f"http://127.0.0.1:{port}/cgi-bin/sendsms", user="bench", password="bench"
    )
    desk = Desk(url, cast("Any", sink), f"http://127.0.0.1:{port}", timeout=8.0, places=PLACES)
    desk.start()
    events = [request("liaison", channels=(ChannelKind.SMS,)) for _ in range(pages)]
    await desk.begin()
    freeze_after_start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    for first in range(0, len(events), _BATCH):
        await desk.accept(*events[first : first + _BATCH])
    await asyncio.to_thread(sys.stdin.readline)
    await desk.stop()


async def measure(home: Path) -> Result:
    """One run on a PostgreSQL of its own, written through to disk."""
    server = EmbeddedPostgres(home / "postgres", free_port())
    await asyncio.to_thread(server.start)
    try:
        url = await provision_service(server.url(), "notifier", _PASSWORD)
        await asyncio.to_thread(migrate, "notifier", service_url(server.url(), "notifier", _PASSWORD))
        provider = Provider()
        gateway = await asyncio.start_server(lambda r, w: _quietly(provider, r, w), "127.0.0.1", 0)
        port = gateway.sockets[0].getsockname()[1]
        replicas = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.pages", "--replica", url, str(port), str(PAGES // _REPLICAS),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
            )
            for _ in range(_REPLICAS)
        ]  # fmt: skip
        for one in replicas:
            while b"ready" not in await _stdout(one).readline():
                pass
        began = time.monotonic()
        for one in replicas:
            _stdin(one).write(b"begin\n")
        async with asyncio.timeout(_WITHIN_S):
            await provider.enough.wait()
        seconds = provider.taken[PAGES - 1] - began
        for one in replicas:
            _stdin(one).write(b"end\n")
        await asyncio.gather(*(one.wait() for one in replicas))
        gateway.close()
        twice = len(provider.taken) - PAGES
        return Result(PAGES, _REPLICAS, seconds, PAGES / seconds, provider.taken[0] - began, twice)
    finally:
        await asyncio.to_thread(server.stop)


def _stdin(one: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    assert one.stdin is not None  # asked for
    return one.stdin


def _stdout(one: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert one.stdout is not None  # asked for
    return one.stdout


async def main() -> int:
    out = Console()
    with tempfile.TemporaryDirectory(prefix="fenghuo-pages-") as home:
        found = await measure(Path(home))
    out.print(
        f"{found.pages} pages from {found.replicas} notifiers: the last one taken after {found.seconds:.2f} s "
        f"({found.per_second:.0f}/s), the first after {found.first_after:.3f} s, {found.twice} twice"
    )
    results = ROOT / "bench" / "results"
    results.mkdir(parents=True, exist_ok=True)
    file = results / f"{datetime.now(UTC).astimezone():%Y-%m-%d}-pages.json"
    file.write_text(json.dumps({"machine": describe(), "pages": asdict(found)}, indent=2) + "\n")
    out.print(f"written: {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--replica", nargs=3, metavar=("URL", "PORT", "PAGES"))
    given = parser.parse_args()
    if given.replica:
        asyncio.run(_replica(given.replica[0], int(given.replica[1]), int(given.replica[2])))
    else:
        sys.exit(asyncio.run(main()))
