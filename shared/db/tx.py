"""One open transaction as use cases see it: SQL, inbox, outbox. It cannot commit; the block that opened it does."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.outbox import PendingRecords


@lru_cache(maxsize=512)
def _statement(sql: str) -> TextClause:
    return text(sql)


class Tx:
    """SQL with named parameters (`:name`), the inbox, and the outbox of this transaction.

    `now` is the moment the transaction was opened by the service's clock (aware, UTC): every fact written in one
    transaction carries the same time.
    """

    def __init__(self, connection: AsyncConnection, outbox: PendingRecords, now: datetime) -> None:
        self.connection = connection
        self.outbox = outbox
        self.now = now
        self.after_commit: list[Callable[[], None]] = []

    async def fetch(self, sql: str, /, **parameters: Any) -> Sequence[RowMapping]:
        """All rows as mappings by column name."""
        result = await self.connection.execute(_statement(sql), parameters)
        return result.mappings().all()

    async def fetch_one(self, sql: str, /, **parameters: Any) -> RowMapping | None:
        """The first row, or None."""
        result = await self.connection.execute(_statement(sql), parameters)
        return result.mappings().first()

    async def execute(self, sql: str, /, **parameters: Any) -> int:
        """Run a statement; the number of rows it touched."""
        result = await self.connection.execute(_statement(sql), parameters)
        return result.rowcount

    async def first_seen(self, event_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Record the events in the inbox; the ones never applied before.

        A concurrent transaction holding the same event makes this one wait until it is known which of them won.
        """
        if not event_ids:
            return frozenset()
        rows = await self.fetch(
            "INSERT INTO inbox (event_id, received_at) SELECT id, :now FROM unnest(CAST(:ids AS uuid[])) AS t (id) "
            "ON CONFLICT DO NOTHING RETURNING event_id",
            ids=sorted(set(event_ids)),
            now=self.now,
        )
        return frozenset(row["event_id"] for row in rows)
