"""A position is committed once by a member of the group, and never to another log than the one that was read."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError

from shared.contracts.envelope import Event
from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from shared.embedded.broker import EmbeddedBroker
from shared.embedded.processes import free_port
from shared.kafka.consumer import BatchConsumer, ConsumerPolicy
from shared.kafka.membership import commit_once
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from tests.support.messaging import ApplyingHandler, applied, create_command, eventually, looping, produce_events


@pytest.fixture
def forgetful() -> Iterator[EmbeddedBroker]:
    """A broker of this test's own, which it may kill."""
    broker = EmbeddedBroker(free_port())
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@asynccontextmanager
async def member(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        kafka.topic(COMMANDS_ISSUED.name),
        bootstrap_servers=kafka.bootstrap,
        group_id="reader",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=50,
        retry_backoff_ms=50,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def applying(
    database: Database,
    kafka: KafkaSettings,
    *,
    commit_every: float,
    longest_rebalance: timedelta = timedelta(seconds=30),
) -> BatchConsumer:
    return BatchConsumer(
        group="reader",
        topics=[COMMANDS_ISSUED],
        handler=ApplyingHandler(database),
        database=database,
        kafka=kafka,
        policy=ConsumerPolicy(commit_every=commit_every, longest_rebalance=longest_rebalance),
    )


async def read(consumer: AIOKafkaConsumer, records: int) -> TopicPartition:
    partitions: set[TopicPartition] = set()
    while records > 0:
        fetched = await consumer.getmany(timeout_ms=500)
        partitions |= fetched.keys()
        records -= sum(len(batch) for batch in fetched.values())
    (partition,) = partitions
    return partition


async def test_a_member_commits_what_it_has_read(kafka: KafkaSettings) -> None:
    await produce_events(kafka, [create_command()])
    async with member(kafka) as consumer:
        partition = await read(consumer, 1)
        await commit_once(consumer, {partition: 1})
        assert await consumer.committed(partition) == 1


async def test_a_commit_without_a_broker_fails_and_is_not_sent_to_the_next_one(forgetful: EmbeddedBroker) -> None:
    kafka = KafkaSettings(bootstrap=forgetful.bootstrap, partitions=1)
    await ensure_topics(kafka)
    await produce_events(kafka, [create_command()])
    async with member(kafka) as consumer:
        partition = await read(consumer, 1)
        forgetful.kill()
        with pytest.raises(KafkaError):
            await asyncio.wait_for(commit_once(consumer, {partition: 1}), 30)
        forgetful.start()
        await ensure_topics(kafka)
        await asyncio.sleep(1.0)
        assert await consumer.committed(partition) is None


@pytest.mark.parametrize("told_again", [2, 9])
async def test_a_log_that_begins_anew_is_read_from_its_beginning(
    service_database: Database, forgetful: EmbeddedBroker, told_again: int
) -> None:
    kafka = KafkaSettings(bootstrap=forgetful.bootstrap, partitions=1, session_timeout_ms=6_000)
    await ensure_topics(kafka)
    reader = applying(service_database, kafka, commit_every=0.02)
    async with looping(reader.run):
        for _ in range(2):
            old, new = [create_command() for _ in range(5)], [create_command() for _ in range(told_again)]
            await produce_events(kafka, old)
            await eventually(partial(_has_applied, service_database, old[:3]), what="most of the old log applied")
            forgetful.restart()
            await produce_events(kafka, new + old)
            await eventually(partial(_has_applied, service_database, new + old), what="the whole new log applied")


async def test_partitions_are_not_given_up_while_a_commit_is_under_way(
    service_database: Database, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, may_end = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> None:
        under_way.set()
        await may_end.wait()

    monkeypatch.setattr("shared.kafka.consumer.commit_once", slow)
    reader = applying(service_database, kafka, commit_every=0.0)
    await produce_events(kafka, [create_command()])
    async with looping(reader.run), asyncio.timeout(30):
        await under_way.wait()
        giving_up = asyncio.create_task(reader.hand_over(cast("AIOKafkaConsumer", None)))
        await asyncio.sleep(0.05)
        assert not giving_up.done()
        may_end.set()
        await giving_up


async def test_a_rebalance_that_does_not_end_is_given_up_and_begun_anew(
    service_database: Database, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AIOKafkaConsumer] = []
    make, rejoin = BatchConsumer._consumer, GroupCoordinator._do_rejoin_group

    def remembered(self: BatchConsumer) -> AIOKafkaConsumer:
        made.append(make(self))
        return made[-1]

    async def without_end(self: GroupCoordinator, subscription: Any) -> Any:
        if len(made) == 1:
            await asyncio.Event().wait()
        return await rejoin(self, subscription)

    monkeypatch.setattr(BatchConsumer, "_consumer", remembered)
    reader = applying(service_database, kafka, commit_every=0.02, longest_rebalance=timedelta(seconds=8))
    before, after = create_command(), create_command()
    async with looping(reader.run):
        await produce_events(kafka, [before])
        await eventually(partial(_has_applied, service_database, [before]), what="the first event applied")
        monkeypatch.setattr(GroupCoordinator, "_do_rejoin_group", without_end)
        made[0]._coordinator.request_rejoin()
        await produce_events(kafka, [after])
        await eventually(partial(_has_applied, service_database, [after]), seconds=60, what="the second event applied")
    assert len(made) == 2


async def _has_applied(database: Database, events: Sequence[Event[Any]]) -> bool:
    return {event.id for event in events} <= set(await applied(database))
