"""One open transaction as use cases see it: SQL, inbox, outbox. It cannot commit; the block that opened it does."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg

from shared.db.outbox import PendingRecords

Row = asyncpg.Record
"""A row: values by column name."""

_NAME: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_LITERAL: Final = re.compile(r"('(?:[^']|'')*')")


class MissingParameterError(KeyError):
    """A statement names a parameter that was not given."""


@lru_cache(maxsize=2048)
def positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2` … for its `:names`, and the names in that order. Literals and `::casts` stay."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    parts = [part if part.startswith("'") else _NAME.sub(number, part) for part in _LITERAL.split(sql)]
    return "".join(parts), tuple(names)


def _bound(sql: str, parameters: dict[str, Any]) -> tuple[str, list[Any]]:
    statement, names = positional(sql)
    try:
        return statement, [parameters[name] for name in names]
    except KeyError as error:
        raise MissingParameterError(f"parameter {error} of the statement is not given") from error


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

    async def fetch(self, sql: str, /, **parameters: Any) -> Sequence[Row]:
        """All rows, by column name."""
        statement, values = _bound(sql, parameters)
        return await self._connection.fetch(statement, *values)

    async def fetch_one(self, sql: str, /, **parameters: Any) -> Row | None:
        """The first row, or None."""
        statement, values = _bound(sql, parameters)
        return await self._connection.fetchrow(statement, *values)

    async def execute(self, sql: str, /, **parameters: Any) -> int:
        """Run a statement; the number of rows it touched."""
        statement, values = _bound(sql, parameters)
        return touched(await self._connection.execute(statement, *values))

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


def touched(status: str) -> int:
    """Rows of a command tag such as `UPDATE 3` or `INSERT 0 3`; 0 for commands that count none."""
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0
