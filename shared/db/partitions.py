"""Daily partitions of inbox and outbox: made ahead, dropped when their retention is over.

Dropping a day is instant and leaves no dead rows. The inbox is kept longer than the outbox and than any topic, so
that a record published again is still recognised.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from shared.db.tx import Tx
from shared.runtime.ids import lowest_id_at

OUTBOX_KEPT: Final = timedelta(days=7)
INBOX_KEPT: Final = timedelta(days=10)
_AHEAD: Final = 3
# A row stays whole and uncompressed up to a page: compressing an event costs several times what writing it does.
_WHOLE: Final = 8160
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.partitions'))"


async def maintain_partitions(tx: Tx, now: datetime) -> None:
    """Make today's and the next days' partitions and drop the expired ones. Safe to run at any time, by several.

    A day of the outbox that still holds unpublished records is never dropped.
    """
    await tx.execute(_LOCK)
    today = now.astimezone(UTC).date()
    for offset in range(-1, _AHEAD + 1):
        day = today + timedelta(days=offset)
        start, end = _bounds(day)
        await _create(tx, "outbox", day, f"'{start.isoformat()}'", f"'{end.isoformat()}'")
        await _create(tx, "inbox", day, f"'{lowest_id_at(start)}'", f"'{lowest_id_at(end)}'")
    for name, day in await _days(tx, "outbox"):
        if day < today - OUTBOX_KEPT and not await _has_waiting(tx, name):
            await tx.execute(f'DROP TABLE "{name}"')
    for name, day in await _days(tx, "inbox"):
        if day < today - INBOX_KEPT:
            await tx.execute(f'DROP TABLE "{name}"')


def is_partition(name: str | None) -> bool:
    """True for tables made here, which migrations do not know one by one."""
    return name is not None and name.startswith(("outbox_p", "inbox_p"))


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


async def _create(tx: Tx, table: str, day: date, low: str, high: str) -> None:
    name = f"{table}_p{day:%Y%m%d}"
    found = await tx.fetch_one("SELECT to_regclass(:name) AS name", name=name)
    if found is None or found["name"] is None:
        await tx.execute(
            f'CREATE TABLE "{name}" PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high}) '
            f"WITH (toast_tuple_target = {_WHOLE})"
        )


async def _days(tx: Tx, table: str) -> list[tuple[str, date]]:
    rows = await tx.fetch(
        "SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = to_regclass(:table) AND c.relname ~ '_p[0-9]{8}$' ORDER BY 1",
        table=table,
    )
    return [(row["name"], datetime.strptime(row["name"][-8:], "%Y%m%d").replace(tzinfo=UTC).date()) for row in rows]


async def _has_waiting(tx: Tx, name: str) -> bool:
    waiting = f'SELECT 1 FROM "{name}" WHERE published_at IS NULL LIMIT 1'  # noqa: S608  # a name read from pg_class
    return await tx.fetch_one(waiting) is not None
