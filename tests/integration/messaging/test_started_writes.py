"""A write that was begun goes on in the server while the transaction has other things to do."""

import asyncio

import asyncpg
import pytest

from shared.db.engine import Database
from tests.support.messaging import create_command

ADD = "INSERT INTO applied (event_id, note) SELECT id, :note FROM unnest(CAST(:ids AS uuid[])) AS t (id)"
SLOWLY = "INSERT INTO applied (event_id, note) SELECT CAST(:id AS uuid), :note FROM pg_sleep(0.3)"
BROKEN = "INSERT INTO applied (event_id, note) VALUES (CAST(:id AS uuid), CAST(1 / CAST(:zero AS integer) AS text))"


async def notes(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return [row["note"] for row in await tx.fetch("SELECT note FROM applied ORDER BY note")]


async def test_what_was_begun_is_there_for_the_next_statement_and_after_the_commit(service_database: Database) -> None:
    event = create_command()
    async with service_database.transaction() as tx:
        await tx.start(SLOWLY, id=event.id, note="begun")
        tx.later(ADD, ids=[event.id], note="waits")
        await tx.start_writing()
        tx.later(ADD, ids=[event.id], note="with the outbox")
        tx.outbox.add(event)
    assert await notes(service_database) == ["begun", "waits", "with the outbox"]
    async with service_database.transaction() as tx:
        await tx.start(ADD, ids=[event.id], note="nothing follows")
    assert len(await notes(service_database)) == 4


async def test_the_error_of_what_was_begun_comes_with_the_next_statement_or_the_commit(
    service_database: Database,
) -> None:
    async def fail(*, read: bool) -> None:
        async with service_database.transaction() as tx:
            await tx.start(BROKEN, id=create_command().id, zero=0)
            if read:
                await tx.fetch("SELECT 1")
                raise AssertionError("the error comes before")

    for read in (True, False):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await fail(read=read)
    assert await notes(service_database) == []


@pytest.mark.parametrize("sql", [SLOWLY, BROKEN])
async def test_a_block_that_fails_meanwhile_leaves_nothing_and_its_connection_can_be_used(
    service_database: Database, sql: str
) -> None:
    async def fail() -> None:
        async with service_database.transaction() as tx:
            await tx.start(sql, id=create_command().id, **({"zero": 0} if sql == BROKEN else {"note": "gone"}))
            raise LookupError("a reason of its own")

    for _ in range(8):
        with pytest.raises(LookupError, match="a reason of its own"):
            await fail()
    assert await notes(service_database) == []


async def test_a_block_that_is_cancelled_meanwhile_leaves_nothing(service_database: Database) -> None:
    async def write() -> None:
        async with service_database.transaction() as tx:
            await tx.start(SLOWLY, id=create_command().id, note="gone")
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await notes(service_database) == []
