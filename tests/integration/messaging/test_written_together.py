"""Writes of which nobody asks anything travel to the database together, and what follows them sees them."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from tests.support.messaging import create_command

ADD = "INSERT INTO applied (event_id, note) SELECT id, :note FROM unnest(CAST(:ids AS uuid[])) AS t (id)"


async def notes(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return [row["note"] for row in await tx.fetch("SELECT note FROM applied ORDER BY note")]


async def statements(database: Database) -> list[str]:
    """What a transaction that writes twice and publishes sends to the server."""
    sent: list[str] = []
    event = create_command()
    async with database.transaction() as tx:
        tx._connection.add_query_logger(lambda query: sent.append(query.query))
        tx.later(ADD, ids=[event.id], note="first")
        tx.later(ADD, ids=[event.id], note="it's $1 and :note")
        tx.outbox.add(event)
    return sent


async def test_writes_and_the_outbox_are_one_statement_and_that_is_the_transaction(service_database: Database) -> None:
    (written,) = await statements(service_database)
    assert written.count("INSERT INTO") == 3
    assert await notes(service_database) == ["first", "it's $1 and :note"]
    async with service_database.transaction() as tx:
        assert [row["topic"] for row in await tx.fetch("SELECT topic FROM outbox")] == [COMMANDS_ISSUED.name]


async def test_the_inbox_comes_with_the_beginning_of_a_transaction(service_database: Database) -> None:
    known, other, new = (create_command().id for _ in range(3))
    sent: list[str] = []
    async with service_database.transaction() as tx:
        tx._connection.add_query_logger(lambda query: sent.append(query.query))
        assert await tx.first_seen([known, other, known]) == {known, other}
        tx.later(ADD, ids=[known], note="seen")
    begin, _, committed = sent
    assert begin.startswith("BEGIN; INSERT INTO inbox")
    assert committed == "COMMIT"
    async with service_database.transaction() as tx:
        assert await tx.first_seen([known, new, other]) == {new}
    assert await notes(service_database) == ["seen"]


async def test_an_event_seen_by_a_transaction_that_failed_was_never_seen(service_database: Database) -> None:
    event = create_command().id

    async def fail() -> None:
        async with service_database.transaction() as tx:
            assert await tx.first_seen([event]) == {event}
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await fail()


async def test_two_transactions_with_the_same_event_wait_for_each_other(service_database: Database) -> None:
    event, mine = create_command().id, create_command().id
    async with service_database.transaction() as first:
        assert await first.first_seen([event]) == {event}

        async def second() -> frozenset[UUID]:
            async with service_database.transaction() as tx:
                return await tx.first_seen([event, mine])

        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == {mine}


async def test_many_events_are_told_from_known_ones_too(service_database: Database) -> None:
    ids = [create_command().id for _ in range(200)]
    async with service_database.transaction() as tx:
        assert await tx.first_seen(ids[:50]) == set(ids[:50])
    async with service_database.transaction() as tx:
        assert await tx.first_seen(ids) == set(ids[50:])


async def test_a_block_that_does_nothing_sends_nothing(service_database: Database) -> None:
    sent: list[str] = []
    async with service_database.transaction() as tx:
        tx._connection.add_query_logger(lambda query: sent.append(query.query))
    assert sent == []


async def test_the_next_statement_sees_what_was_written_before_it(service_database: Database) -> None:
    event = create_command()
    async with service_database.transaction() as tx:
        tx.later(ADD, ids=[event.id], note="a")
        assert [row["note"] for row in await tx.fetch("SELECT note FROM applied")] == ["a"]
        tx.later("UPDATE applied SET note = :note", note="b")
        assert await tx.execute("DELETE FROM applied WHERE note = 'b'") == 1
    assert await notes(service_database) == []


async def _write_without_an_id(database: Database) -> None:
    event = create_command()
    async with database.transaction() as tx:
        tx.later(ADD, ids=[event.id], note="fine")
        tx.later("INSERT INTO applied (note) VALUES (:note)", note="no id")
        tx.outbox.add(event)


async def test_what_cannot_be_written_fails_the_transaction_with_all_its_writes(service_database: Database) -> None:
    with pytest.raises(asyncpg.NotNullViolationError):
        await _write_without_an_id(service_database)
    assert await notes(service_database) == []
    async with service_database.transaction() as tx:
        assert await tx.fetch("SELECT 1 FROM outbox") == []


class _SeenError(Exception):
    pass


async def _look_at_the_write(database: Database) -> None:
    async with database.transaction() as tx:
        tx.later("INSERT INTO applied (note) VALUES (:note)", note="no id")
        try:
            await tx.write_now()
        except asyncpg.NotNullViolationError as error:
            raise _SeenError from error


async def test_who_has_to_know_can_write_at_once(service_database: Database) -> None:
    with pytest.raises(_SeenError):
        await _look_at_the_write(service_database)
