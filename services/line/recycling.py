"""Gives the embedded broker a fresh log before it grows slow: it keeps every record in memory and never trims.

Measured: a hop's p99 is 4 ms with 100 record batches in a partition, 27 ms with 20 000, and it stops at 40 000. So the
broker is replaced long before that, at a moment when everything published has been consumed. What is published in
between stays in the outboxes, as with any restart of a broker.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Final

import httpx

from services.line.broker_memory import renew_broker_memory
from services.line.layout import SERVICES
from shared.db.provision import DATABASE
from shared.runtime.logging import get_logger

if TYPE_CHECKING:
    from services.line.whole_line import RunningLine

_log = get_logger(__name__)
_CHECK_EVERY_S: Final = 20.0
_MOST_RECORDS: Final = 5_000
_QUIET_CHECKS: Final = 3
_QUIET_PAUSE_S: Final = 0.5
_SAMPLE: Final = re.compile(r"^(fenghuo_\w+?)(?:\{[^}]*\})? ([0-9.e+-]+)$", re.MULTILINE)


async def recycle_broker_when_quiet(line: "RunningLine") -> None:
    """Once enough records are in the log, wait for quiet and replace the broker. Runs until cancelled."""
    baseline = 0.0
    async with httpx.AsyncClient(timeout=2.0) as client:
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            published = await _total(client, line, "fenghuo_outbox_published_total")
            if published is None or published - baseline < _MOST_RECORDS:
                continue
            if await _is_quiet(client, line):
                await renew_broker_memory(line.admin_url, DATABASE)
                await line.supervisor.restart("broker")
                baseline = published
                _log.info("broker.recycled", records=published)


async def _is_quiet(client: httpx.AsyncClient, line: "RunningLine") -> bool:
    """Nothing waiting in any outbox and nothing unread on any topic, several times in a row."""
    for _ in range(_QUIET_CHECKS):
        backlog = await _total(client, line, "fenghuo_outbox_backlog")
        lag = await _total(client, line, "fenghuo_consumer_lag")
        if backlog != 0 or lag != 0:
            return False
        await asyncio.sleep(_QUIET_PAUSE_S)
    return True


async def _total(client: httpx.AsyncClient, line: "RunningLine", metric: str) -> float | None:
    """Sum of a metric over all services; None when one does not answer."""
    total = 0.0
    for service in SERVICES:
        try:
            page = await client.get(f"{line.layout.url_of(service)}/metrics")
        except httpx.HTTPError:
            return None
        total += sum(float(value) for name, value in _SAMPLE.findall(page.text) if name == metric)
    return total
