"""A PostgreSQL of its own, written through to disk, as one that has been up for a while; and what it costs."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from shared.db.provision import provision_service, service_url
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port

SETTINGS: Final = {"shared_buffers": "4GB", "wal_buffers": "64MB", "min_wal_size": "3GB", "max_wal_size": "6GB"}
"""Beside the defaults of the embedded server: memory and log as for a machine with sixteen gigabytes; fsync is on."""
_PASSWORD: Final = "only-for-benches"
_DATABASE: Final = "bench"
_LOG_MEGABYTES: Final = 2000
_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """Processor seconds of all processes of the server, and bytes of its log, since it started."""

    seconds: float
    log_bytes: int

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.seconds - other.seconds, self.log_bytes - other.log_bytes)


class Server:
    """One server with an empty schema of one service."""

    def __init__(self, embedded: EmbeddedPostgres, url: str) -> None:
        self.url = url
        self._embedded = embedded
        self._settled = False

    async def settle(self) -> None:
        """Write old log and a checkpoint: from then on log files are used again instead of made, as in daily use.

        What was just filled is vacuumed, as it would be after a minute: nobody fills a million rows in daily use.
        """
        admin = await self._admin()
        for _ in range(0 if self._settled else _LOG_MEGABYTES):
            await admin.execute("SELECT pg_logical_emit_message(false, 'bench', repeat('x', 1000000))")
        await admin.execute("VACUUM (ANALYZE)")
        await admin.execute("CHECKPOINT")
        self._settled = True
        await admin.close()

    async def spent(self) -> Spent:
        admin = await self._admin()
        log = await admin.fetchval("SELECT pg_current_wal_lsn() - CAST('0/0' AS pg_lsn)")
        await admin.close()
        postmaster = self._embedded.pid
        if postmaster is None:
            raise RuntimeError("the server is not running")
        return Spent(server_seconds(postmaster), int(log))

    async def _admin(self) -> asyncpg.Connection:
        return await asyncpg.connect(self._embedded.url(_DATABASE))


@asynccontextmanager
async def running(service: str) -> AsyncIterator[Server]:
    """A fresh server for the schema of this service; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-") as home:
        await asyncio.to_thread(Path(home).chmod, 0o755)  # the server may run as another user
        embedded = EmbeddedPostgres(Path(home) / "pg", free_port(), settings=SETTINGS)
        await asyncio.to_thread(embedded.start)
        try:
            await provision_service(embedded.url(), service, _PASSWORD, database=_DATABASE)
            yield Server(embedded, service_url(embedded.url(), service, _PASSWORD, _DATABASE))
        finally:
            await asyncio.to_thread(embedded.stop)


def server_seconds(postmaster: int) -> float:
    """Processor time of all processes of a server so far, ended ones too; 0 where the system does not tell."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        if stat.parent.name == str(postmaster):
            ticks += sum(map(int, fields[11:15]))  # with what its ended children took
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICK
