"""What a process commits is published from memory; the table is read for all the rest; nothing goes out twice."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from shared.db.engine import Database, create_engine
from shared.db.outbox import OutboxRow
from shared.kafka import relay as relay_module
from shared.kafka.relay import Relay
from shared.kafka.settings import KafkaSettings

AT = datetime(2026, 11, 22, tzinfo=UTC)


def row(seq: int) -> OutboxRow:
    return OutboxRow(seq, AT, None, "commands-issued", b"case", "[]", b"{}")


class Table:
    """Stands for the relay's connection: what is read from the outbox, and how often."""

    def __init__(self, *answers: Sequence[OutboxRow]) -> None:
        self.answers = list(answers)
        self.reads = 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def fetch(self, *_: object) -> list[OutboxRow]:
        self.reads += 1
        self.meanwhile()
        return list(self.answers.pop(0)) if self.answers else []


class Reader:
    def __init__(self, table: Table) -> None:
        database = Database(create_engine("postgresql://nobody@127.0.0.1:1/none", application="test"))
        self.relay = Relay(database, cast("AIOKafkaProducer", None), KafkaSettings())
        self._table = table

    async def waiting(self) -> list[int]:
        return [one.seq for one in await self.relay._waiting(cast("asyncpg.Connection", self._table))]


async def test_after_a_look_what_is_committed_is_not_read_back() -> None:
    table = Table([row(1)])
    reader = Reader(table)
    assert await reader.waiting() == [1]
    reader.relay._take([row(3)])
    reader.relay._take([row(2)])
    assert await reader.waiting() == [2, 3]
    assert await reader.waiting() == []
    assert table.reads == 1


async def test_before_the_first_look_nothing_is_taken_over() -> None:
    reader = Reader(Table([row(1)]))
    reader.relay._take([row(1)])
    assert await reader.waiting() == [1]
    assert await reader.waiting() == []


async def test_a_row_that_the_look_has_found_is_not_taken_over_as_well() -> None:
    table = Table([row(1)])
    reader = Reader(table)
    table.meanwhile = lambda: reader.relay._take([row(1), row(2)])
    assert await reader.waiting() == [1]
    reader.relay._take([row(1)])
    assert await reader.waiting() == [2]


async def test_rows_that_a_statement_wrote_are_looked_for_at_once() -> None:
    table = Table([], [row(1), row(2)])
    reader = Reader(table)
    assert await reader.waiting() == []
    reader.relay._take([row(1)])
    reader.relay._take(None)
    assert await reader.waiting() == [1, 2]


async def test_the_table_is_looked_at_again_for_what_other_replicas_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_POLL_S", 0.0)
    table = Table([], [row(7)])
    reader = Reader(table)
    assert await reader.waiting() == []
    assert await reader.waiting() == [7]


async def test_a_crowd_is_left_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_HANDED_AT_MOST", 2)
    table = Table([], [row(1), row(2), row(3)])
    reader = Reader(table)
    assert await reader.waiting() == []
    reader.relay._take([row(1), row(2), row(3)])
    assert await reader.waiting() == [1, 2, 3]


async def test_a_full_look_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_BATCH", 2)
    table = Table([row(1), row(2)], [row(3)])
    reader = Reader(table)
    found: list[Any] = [await reader.waiting(), await reader.waiting()]
    assert found == [[1, 2], [3]]
