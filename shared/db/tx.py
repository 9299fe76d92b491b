"""One open transaction as use cases see it: SQL, inbox, outbox. It cannot commit; the block that opened it does."""

import asyncio
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
_FEW: Final = 64
"""So many ids are still cheaper to write as literals than to send after a BEGIN of their own."""
_CLAIM: Final = (
    "INSERT INTO inbox (event_id, received_at) "
    "SELECT id, CAST(:now AS timestamptz) FROM unnest(CAST(:ids AS uuid[])) AS t (id)"
)


class NotNewError(Exception):
    """Something that a transaction took for new is known: nothing was written, do it again in one that locks."""


class Tx:
    """SQL with named parameters (`:name`), the inbox, and the outbox of this transaction.

    `now` is the moment the transaction was opened by the service's clock (aware, UTC): every fact written in one
    transaction carries the same time. Statements go to the driver directly: at one event a batch, the toolkit's own
    cost for each statement was a third of a hop.
    """

    def __init__(
        self, connection: asyncpg.Connection, outbox: PendingRecords, now: datetime, *, opening: bool = False
    ) -> None:
        """`opening`: all that it is about is expected to be new; see `Database.opening`."""
        self._connection = connection
        self.outbox = outbox
        self.now = now
        self._opening = opening
        self.after_commit: list[Callable[[], None]] = []
        self._later: list[tuple[str, list[Any]]] = []
        self._started: asyncio.Future[str] | None = None
        self._begun = False
        self._claimed: list[UUID] = []

    @property
    def begun(self) -> bool:
        """False as long as nothing but the last statement of all could be sent: that one needs no BEGIN."""
        return self._begun

    async def fetch(self, sql: str, /, **parameters: Any) -> Sequence[Row]:
        """All rows, by column name."""
        await self._get_ready()
        statement, values = bound(sql, parameters)
        return await self._connection.fetch(statement, *values)

    async def fetch_one(self, sql: str, /, **parameters: Any) -> Row | None:
        """The first row, or None."""
        await self._get_ready()
        statement, values = bound(sql, parameters)
        return await self._connection.fetchrow(statement, *values)

    async def look(self, sql: str, /, **parameters: Any) -> Sequence[Row]:
        """All rows of a query that needs to hold nothing: before the transaction has begun it costs no BEGIN.

        It sees what is committed, and not what waits to be written.
        """
        if self._begun:
            return await self.fetch(sql, **parameters)
        statement, values = bound(sql, parameters)
        return await self._connection.fetch(statement, *values)

    async def lock(self, sql: str, /, **parameters: Any) -> Sequence[Row]:
        """All rows of a query that locks them. Raises NotNewError for any row when all was expected to be new."""
        if not self._opening:
            return await self.fetch(sql, **parameters)
        if rows := await self.look(sql, **parameters):
            raise NotNewError(f"{len(rows)} rows are there already")
        return rows

    async def execute(self, sql: str, /, **parameters: Any) -> int:
        """Run a statement; the number of rows it touched."""
        await self._get_ready()
        statement, values = bound(sql, parameters)
        return touched(await self._connection.execute(statement, *values))

    async def start(self, sql: str, /, **parameters: Any) -> None:
        """Begin a statement and go on while the server works on it: the next one waits for it and raises its error.

        For a write of many rows with much to do here meanwhile.
        """
        await self._get_ready()
        await self._start(*bound(sql, parameters))

    async def start_writing(self) -> None:
        """Begin to write what waits to be written, as `start` does. For many rows: with few, a trip costs more."""
        if self._later:
            await self.finish()
            await self._begin()
            await self._start(*self._joined([]))

    async def _start(self, statement: str, values: list[Any]) -> None:
        self._started = asyncio.ensure_future(self._connection.execute(statement, *values))
        await asyncio.sleep(0)  # so that it is on its way

    async def finish(self) -> None:
        """Wait for what was started. Raises its error."""
        if self._started is not None:
            started, self._started = self._started, None
            await started

    async def give_up(self) -> None:
        """Wait for what was started, whatever becomes of it: the transaction is to be rolled back."""
        if self._started is not None:
            await asyncio.wait({self._started})
            if not self._started.cancelled():
                self._started.exception()  # whatever it is: the block fails for a reason of its own

    def later(self, sql: str, /, **parameters: Any) -> None:
        """Write this together with what else is to be written, in one statement: before the next one or the commit.

        A trip to the server costs more than most writes. For INSERT, UPDATE and DELETE of which nobody asks how many
        rows they touched. What is written together must not touch a row twice, nor read what its neighbours write.
        Errors come with the next statement, `write_now` or the commit. Raises MissingParameterError.
        """
        self._later.append(bound(sql, parameters))

    async def write_now(self) -> None:
        """Write what waits: for whoever has to know now whether it can be written."""
        if self._later or self._claimed:
            await self._get_ready()

    async def write_rest(self) -> list[OutboxRow] | None:
        """Write what waits, and the outbox. Called by the block that opened the transaction, before it commits.

        The outbox's rows; None when there are some that have to be read.
        """
        await self.finish()
        insert = self.outbox.insertion()
        if insert is None:
            await self._write_later()
            return None if self.outbox.written else []
        statement, values = self._joined([insert])
        return self.outbox.recorded(await self._connection.fetch(statement, *values))

    async def _get_ready(self) -> None:
        await self.finish()
        await self._begin()
        await self._write_later()

    async def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        if 0 < len(self._claimed) <= _FEW:
            claimed, self._claimed = self._claimed, []
            await self._connection.execute(f"BEGIN; {self._literally(claimed)}")
        else:
            await self._connection.execute("BEGIN")

    async def _write_later(self) -> None:
        if self._later or self._claimed:
            statement, values = self._joined([])
            await self._connection.execute(statement, *values)

    def _joined(self, rest: Sequence[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
        claim = [bound(_CLAIM, {"ids": self._claimed, "now": self.now})] if self._claimed else []
        writes, self._later, self._claimed = [*claim, *self._later, *rest], [], []
        return together(tuple(text for text, _ in writes)), [value for _, values in writes for value in values]

    async def first_seen(self, event_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Record the events in the inbox; the ones never applied before.

        A concurrent transaction holding the same event makes this one wait until it is known which of them won. Where
        all is expected to be new, all are taken for new, and the transaction fails with NotNewError if one was not.
        """
        ids = sorted(dict.fromkeys(event_ids), key=_NUMBER)
        if not ids:
            return frozenset()
        if self._opening and not self._begun:
            self._claimed += ids
            return frozenset(ids)
        if not self._begun and not self._later and len(ids) <= _FEW:
            return await self._begin_with(ids)
        rows = await self.fetch(f"{_CLAIM} ON CONFLICT DO NOTHING RETURNING event_id", ids=ids, now=self.now)
        return frozenset(row["event_id"] for row in rows)

    async def _begin_with(self, ids: Sequence[UUID]) -> frozenset[UUID]:
        """The inbox and BEGIN in one trip, which carries neither parameters nor rows, only how many were written."""
        self._begun = True
        if touched(await self._connection.execute(f"BEGIN; {self._literally(ids)} ON CONFLICT DO NOTHING")) == len(ids):
            return frozenset(ids)
        found = await self.fetch(
            "SELECT event_id FROM inbox WHERE event_id = ANY(CAST(:ids AS uuid[])) "
            "AND xmin = CAST(pg_current_xact_id() AS xid)",
            ids=ids,
        )
        return frozenset(row["event_id"] for row in found)

    def _literally(self, ids: Sequence[UUID]) -> str:
        rows = ", ".join(f"('{id_}', '{self.now.isoformat()}')" for id_ in ids)
        return f"INSERT INTO inbox (event_id, received_at) VALUES {rows}"  # noqa: S608  # UUIDs and an instant


def touched(status: str) -> int:
    """Rows of a command tag such as `UPDATE 3` or `INSERT 0 3`; 0 for commands that count none."""
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0
