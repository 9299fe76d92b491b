"""One open transaction as use cases see it: SQL, inbox, outbox. It cannot commit; the block that opened it does."""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import asyncpg

from shared.db.outbox import OutboxRow, PendingRecords
from shared.db.statements import bound, together

Row = asyncpg.Record
"""A row: values by column name."""
_NUMBER: Final = attrgetter("int")


class Tx:
    """SQL with named parameters (`:name`), the inbox, and the outbox of this transaction.

    `now` is the moment the transaction was opened by the service's clock (aware, UTC): every fact written in one
    transaction carries the same time. Statements go to the driver directly: at one event a batch, the toolkit's own
    cost for each statement was a third of a hop.
    """

    def __init__(self, connection: asyncpg.Connection, outbox: PendingRecords, now: datetime) -> None:
        self._connection = connection
        self.outbox = outbox
        self.now = now
        self.after_commit: list[Callable[[], None]] = []
        self._later: list[tuple[str, list[Any]]] = []

    async def fetch(self, sql: str, /, **parameters: Any) -> Sequence[Row]:
        """All rows, by column name."""
        await self.write_now()
        statement, values = bound(sql, parameters)
        return await self._connection.fetch(statement, *values)

    async def fetch_one(self, sql: str, /, **parameters: Any) -> Row | None:
        """The first row, or None."""
        await self.write_now()
        statement, values = bound(sql, parameters)
        return await self._connection.fetchrow(statement, *values)

    async def execute(self, sql: str, /, **parameters: Any) -> int:
        """Run a statement; the number of rows it touched."""
        await self.write_now()
        statement, values = bound(sql, parameters)
        return touched(await self._connection.execute(statement, *values))

    def later(self, sql: str, /, **parameters: Any) -> None:
        """Write this together with what else is to be written, in one statement: before the next one or the commit.

        A trip to the server costs more than most writes. For INSERT, UPDATE and DELETE of which nobody asks how many
        rows they touched. What is written together must not touch a row twice, nor read what its neighbours write.
        Errors come with the next statement, `write_now` or the commit. Raises MissingParameterError.
        """
        self._later.append(bound(sql, parameters))

    async def write_now(self) -> None:
        """Write what waits: for whoever has to know now whether it can be written."""
        if self._later:
            statement, values = self._joined([])
            await self._connection.execute(statement, *values)

    async def write_rest(self) -> list[OutboxRow]:
        """Write what waits, and the outbox. Called by the block that opened the transaction, before it commits."""
        insert = self.outbox.insertion()
        if insert is None:
            await self.write_now()
            return []
        statement, values = self._joined([insert])
        return self.outbox.recorded(await self._connection.fetch(statement, *values))

    def _joined(self, rest: Sequence[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        writes, self._later = [*self._later, *rest], []
        return together(tuple(text for text, _ in writes)), [value for _, values in writes for value in values]

    async def first_seen(self, event_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Record the events in the inbox; the ones never applied before.

        A concurrent transaction holding the same event makes this one wait until it is known which of them won.
        """
        if not event_ids:
            return frozenset()
        rows = await self.fetch(
            "INSERT INTO inbox (event_id, received_at) SELECT id, :now FROM unnest(CAST(:ids AS uuid[])) AS t (id) "
            "ON CONFLICT DO NOTHING RETURNING event_id",
            ids=sorted(dict.fromkeys(event_ids), key=_NUMBER),
            now=self.now,
        )
        return frozenset(row["event_id"] for row in rows)


def touched(status: str) -> int:
    """Rows of a command tag such as `UPDATE 3` or `INSERT 0 3`; 0 for commands that count none."""
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0
