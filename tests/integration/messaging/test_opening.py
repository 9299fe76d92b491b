"""A transaction for what is new: it reads without one, writes at once, and says when something was not new."""

import asyncio
from uuid import UUID

import pytest

from shared.db.engine import Database
from shared.db.tx import NotNewError, Tx
from tests.support.messaging import create_command

ADD = "INSERT INTO applied (event_id, note) SELECT id, :note FROM unnest(CAST(:ids AS uuid[])) AS t (id)"
LOCK = "SELECT note FROM applied WHERE event_id = ANY(CAST(:ids AS uuid[])) FOR UPDATE"


async def apply(tx: Tx, event: UUID, note: str) -> None:
    """What a use case does: inbox, locked rows, a read, a write, an event."""
    assert await tx.first_seen([event, event]) == {event}
    assert await tx.lock(LOCK, ids=[event]) == []
    assert await tx.look("SELECT 1 AS one")
    tx.later(ADD, ids=[event], note=note)
    tx.outbox.add(create_command())


async def written(database: Database) -> tuple[int, list[str], int]:
    """Rows of the inbox, notes, and rows of the outbox."""
    async with database.transaction() as tx:
        notes = await tx.fetch("SELECT note FROM applied ORDER BY note")
        (counts,) = await tx.fetch(
            "SELECT (SELECT count(*) FROM inbox) AS inbox, (SELECT count(*) FROM outbox) AS outbox"
        )
    return counts["inbox"], [row["note"] for row in notes], counts["outbox"]


async def test_what_is_new_is_read_without_a_transaction_and_written_in_one_statement(
    service_database: Database,
) -> None:
    sent: list[str] = []
    async with service_database.opening() as tx:
        tx._connection.add_query_logger(lambda query: sent.append(query.query))
        await apply(tx, create_command().id, "new")
        assert not tx.begun
    lock, look, write = sent
    assert "FOR UPDATE" in lock
    assert look == "SELECT 1 AS one"
    assert write.count("INSERT INTO") == 3
    assert await written(service_database) == (1, ["new"], 1)


async def test_an_event_applied_before_is_not_new_and_nothing_is_written(service_database: Database) -> None:
    event = create_command().id
    async with service_database.transaction() as tx:
        await tx.first_seen([event])
    with pytest.raises(NotNewError):
        async with service_database.opening() as tx:
            await apply(tx, event, "twice")
    assert await written(service_database) == (1, [], 0)


async def test_a_row_to_be_locked_is_not_new_and_nothing_is_written(service_database: Database) -> None:
    event = create_command().id
    async with service_database.transaction() as tx:
        tx.later(ADD, ids=[event], note="known")
    with pytest.raises(NotNewError):
        async with service_database.opening() as tx:
            await apply(tx, event, "again")
    assert await written(service_database) == (0, ["known"], 0)
    async with service_database.transaction() as tx:
        assert [row["note"] for row in await tx.lock(LOCK, ids=[event])] == ["known"]


async def test_of_two_that_open_the_same_only_one_writes(service_database: Database) -> None:
    event = create_command().id

    async def overtaken() -> None:
        async with service_database.opening() as late:
            await apply(late, event, "late")
            async with service_database.opening() as quick:
                await apply(quick, event, "quick")

    with pytest.raises(NotNewError):
        await overtaken()
    assert await written(service_database) == (1, ["quick"], 1)


async def test_the_later_one_waits_until_it_is_known_whether_the_other_keeps_it(service_database: Database) -> None:
    event = create_command().id

    async def open_it(note: str) -> None:
        async with service_database.opening() as tx:
            await apply(tx, event, note)

    async with service_database.transaction() as first:
        await first.first_seen([event])
        waiting = asyncio.create_task(open_it("second"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await first.execute("DELETE FROM inbox WHERE event_id = :id", id=event)
    await waiting
    assert await written(service_database) == (1, ["second"], 1)


@pytest.mark.parametrize("events", [2, 100])
async def test_the_inbox_comes_before_any_other_statement_that_has_to_be_sent(
    service_database: Database, events: int
) -> None:
    ids = [create_command().id for _ in range(events)]
    async with service_database.opening() as tx:
        assert await tx.first_seen(ids[:1]) == {ids[0]}
        assert await tx.first_seen(ids[1:]) == frozenset(ids[1:])
        assert len(await tx.fetch("SELECT event_id FROM inbox")) == events
        await tx.start_writing()
    assert await written(service_database) == (events, [], 0)


async def test_a_write_in_between_begins_a_transaction_that_holds_all(service_database: Database) -> None:
    event, other = create_command().id, create_command().id

    async def fail() -> None:
        async with service_database.opening() as tx:
            await apply(tx, event, "first")
            await tx.execute(ADD, ids=[other], note="second")
            assert tx.begun
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await written(service_database) == (0, [], 0)
    async with service_database.opening() as tx:
        await apply(tx, event, "first")
        await tx.execute(ADD, ids=[other], note="second")
        assert len(await tx.look("SELECT note FROM applied")) == 2
    assert await written(service_database) == (1, ["first", "second"], 1)
