"""Hears from PostgreSQL that the read model changed, whichever process changed it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.db.engine import Database


@asynccontextmanager
async def listening(database: Database, wake: asyncio.Event) -> AsyncIterator[None]:
    """Set `wake` at every announcement. Holds one connection; raises what the driver raises when it is lost."""
    async with database.transaction() as tx:
        row = await tx.fetch_one("SELECT current_schema() || '_changed' AS channel")
    channel = str(row["channel"]) if row else ""
    # No statement runs through this connection, so it never holds a transaction open.
    async with database.engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection

        def heard(*_: object) -> None:
            wake.set()

        raw.add_termination_listener(heard)
        await raw.add_listener(channel, heard)
        try:
            yield
        finally:
            raw.remove_termination_listener(heard)
            if not raw.is_closed():
                await raw.remove_listener(channel, heard)
