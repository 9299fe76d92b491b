"""A small service made only of the messaging machinery: an inbox, an outbox and a table of what was applied."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event, encode
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.db.messaging_v1 import create_messaging_tables_v1
from shared.db.partitions import maintain_partitions
from shared.kafka.outcome import DONE, DUPLICATE, Outcome
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from shared.runtime.ids import TimeOrderedIds
from tests.support.broker import Broker
from tests.support.postgres import Database as TestDatabase
from tests.support.postgres import PostgresServer

IDS = TimeOrderedIds()
SERVICE = "escalator"


class _Statements:
    """Collects what a migration would run."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def execute(self, statement: str) -> None:
        self.found.append(statement)


async def _build(database: TestDatabase) -> None:
    statements = _Statements()
    create_messaging_tables_v1(statements)
    connection = await asyncpg.connect(database.url(SERVICE))
    for statement in statements.found:
        await connection.execute(statement)
    await connection.execute("CREATE TABLE applied (event_id uuid NOT NULL, note text)")
    await connection.close()


@pytest.fixture
async def service_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a fresh schema with the messaging tables."""
    made = await postgres.create("messaging", _build)
    yield made.url(SERVICE)
    await postgres.drop(made)


@pytest.fixture
async def service_database(service_url: str) -> AsyncIterator[Database]:
    """The schema as a service sees it."""
    database = Database.connect(service_url, application="tests")
    async with database.transaction() as tx:
        await maintain_partitions(tx, tx.now)
    yield database
    await database.close()


@pytest.fixture
async def kafka(broker: Broker, topic_prefix: str) -> KafkaSettings:
    """Topics of this test only, on the session's broker, with short waits."""
    settings = kafka_settings(broker, topic_prefix)
    await ensure_topics(settings)
    return settings


def kafka_settings(broker: Broker, topic_prefix: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap=broker.bootstrap,
        topic_prefix=topic_prefix,
        idempotence=broker.idempotent,
        long_poll_ms=10,
        session_timeout_ms=6000 if broker.idempotent else 1500,
        partitions=2,
    )


def create_command(case_id: UUID | None = None, reason: str = "") -> Event[CommandIssuedV1]:
    """A command event with the least a contract asks for."""
    now = datetime.now(UTC)
    return Event(
        id=IDS.new(),
        source="/fenghuo/intake",
        time=now,
        org="demo",
        case_id=case_id or uuid4(),
        data=CommandIssuedV1(
            command=CommandKind.COMMENT,
            actor=Actor(kind=ActorKind.PERSON, ref="duty-manager"),
            issued_at=now,
            reason=reason or None,
        ),
    )


async def publish(database: Database, events: Sequence[Event[Any]]) -> None:
    """Put events into the outbox, in one transaction."""
    async with database.transaction() as tx:
        for event in events:
            tx.outbox.add(event)


async def produce(kafka: KafkaSettings, records: Sequence[tuple[str, bytes | None, list[Any], bytes | None]]) -> None:
    """Write raw records to topics, as another program would."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        for topic, key, headers, value in records:
            await producer.send_and_wait(kafka.topic(topic), value=value, key=key, headers=headers)
    finally:
        await producer.stop()


async def produce_events(kafka: KafkaSettings, events: Sequence[Event[Any]]) -> None:
    await produce(kafka, [(e.topic.name, e.key, *encode(e)) for e in events])


async def read_topic(kafka: KafkaSettings, topic: str, count: int, seconds: float = 20.0) -> list[ConsumerRecord]:
    """The first `count` records of a topic, waiting at most `seconds` for them; fewer when there are fewer."""
    consumer = AIOKafkaConsumer(
        kafka.topic(topic),
        bootstrap_servers=kafka.bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=kafka.long_poll_ms,
    )
    await consumer.start()
    found: list[ConsumerRecord] = []
    try:
        async with asyncio.timeout(seconds):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found.extend(records)
    except TimeoutError:
        return found
    finally:
        await consumer.stop()
    return found


def event_ids(records: Sequence[ConsumerRecord]) -> list[str]:
    """`ce_id` of each record."""
    return [dict(record.headers)["ce_id"].decode() for record in records]


class ApplyingHandler:
    """A use case that writes each new event into `applied`; `fault` may raise inside the transaction."""

    def __init__(self, database: Database, fault: Callable[[Event[Any]], None] | None = None) -> None:
        self._database = database
        self._fault = fault
        self.batches: list[int] = []

    async def __call__(self, events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        self.batches.append(len(events))
        async with self._database.transaction() as tx:
            fresh = await tx.first_seen([event.id for event in events])
            for event in events:
                if self._fault is not None:
                    self._fault(event)
                if event.id in fresh:
                    await tx.execute("INSERT INTO applied (event_id) VALUES (:id)", id=event.id)
        return [DONE if event.id in fresh else DUPLICATE for event in events]


async def applied(database: Database) -> list[UUID]:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT event_id FROM applied ORDER BY ctid")
    return [row["event_id"] for row in rows]


async def eventually(
    condition: Callable[[], Awaitable[bool]], *, seconds: float = 20.0, what: str = "the condition"
) -> None:
    """Wait until the condition holds; fail with its name when it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110  # the condition lives in a database or a broker
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"{what} did not come true within {seconds:g} s")


@asynccontextmanager
async def looping(run: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a loop in the background; stop it gracefully at the end and raise what it raised."""
    stop = asyncio.Event()

    async def body() -> None:
        await run(stop)

    task = asyncio.create_task(body())
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled() and task.exception() is not None:
        raise task.exception()  # type: ignore[misc]  # checked the line before
