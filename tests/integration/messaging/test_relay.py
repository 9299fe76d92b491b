"""The outbox reaches Kafka in order, once awake, and again when the broker lost it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import TOPICS
from shared.db.engine import Database
from shared.db.outbox_log import republish, status
from shared.kafka import relay as relay_module
from shared.kafka.log_probe import Head, lost_heads
from shared.kafka.producer import SecondProducerError, kafka_producer
from shared.kafka.relay import Relay
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from tests.support.broker import Broker
from tests.support.messaging import create_command, event_ids, eventually, looping, publish, read_topic

TOPIC = "commands-issued"


@asynccontextmanager
async def relaying(database: Database, kafka: KafkaSettings, check_every: float = 10.0) -> AsyncIterator[Relay]:
    async with kafka_producer(kafka, client_id="test") as producer:
        relay = Relay(database, producer, kafka, check_every=check_every)
        async with looping(relay.run):
            yield relay


async def unpublished(database: Database) -> int:
    async with database.transaction() as tx:
        waiting: int = (await status(tx))["waiting"]
    return waiting


async def test_events_of_one_case_are_published_in_the_order_they_were_written(
    service_database: Database, kafka: KafkaSettings
) -> None:
    case = uuid4()
    events = [create_command(case) for _ in range(300)]
    async with relaying(service_database, kafka):
        for start in range(0, 300, 50):
            await publish(service_database, events[start : start + 50])
        records = await read_topic(kafka, TOPIC, 300)
    assert event_ids(records) == [str(event.id) for event in events]


async def test_a_rolled_back_transaction_publishes_nothing(service_database: Database, kafka: KafkaSettings) -> None:
    committed = create_command()
    async with relaying(service_database, kafka):
        with pytest.raises(RuntimeError, match="no"):
            await _fail_after_adding(service_database)
        await publish(service_database, [committed])
        records = await read_topic(kafka, TOPIC, 2, seconds=1.5)
    assert event_ids(records) == [str(committed.id)]


async def _fail_after_adding(database: Database) -> None:
    async with database.transaction() as tx:
        tx.outbox.add(create_command())
        raise RuntimeError("no")


async def test_a_relay_that_died_before_marking_sends_again_and_one_that_marked_does_not(
    service_database: Database, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = create_command()
    await publish(service_database, [event])

    async def dies(relay: Relay, _: object) -> None:
        if relay._sent:
            raise SystemError("killed between Kafka's answer and the mark")

    monkeypatch.setattr(Relay, "_mark", dies)
    with pytest.raises(SystemError):
        async with kafka_producer(kafka, client_id="test") as producer:
            await Relay(service_database, producer, kafka).run(asyncio.Event())
    assert await unpublished(service_database) == 1
    monkeypatch.undo()

    async with relaying(service_database, kafka):
        await eventually(lambda: _is_empty(service_database), what="an empty outbox")
    async with relaying(service_database, kafka):
        records = await read_topic(kafka, TOPIC, 3, seconds=1.5)
    assert event_ids(records) == [str(event.id)] * 2


async def _is_empty(database: Database) -> bool:
    return await unpublished(database) == 0


async def test_only_one_of_two_relays_publishes_and_the_other_takes_over(
    service_url: str, service_database: Database, kafka: KafkaSettings
) -> None:
    other_database = Database.connect(service_url, application="other")
    async with kafka_producer(kafka, client_id="test") as producer:
        first = Relay(service_database, producer, kafka)
        second = Relay(other_database, producer, kafka)
        async with looping(second.run):
            async with looping(first.run):
                events = [create_command() for _ in range(200)]
                for event in events[:100]:
                    await publish(service_database, [event])
                await read_topic(kafka, TOPIC, 100)
            for event in events[100:]:
                await publish(other_database, [event])
            records = await read_topic(kafka, TOPIC, 200)
            await asyncio.sleep(0.3)
    records = await read_topic(kafka, TOPIC, 201, seconds=1.0)
    await other_database.close()
    assert sorted(event_ids(records)) == sorted(str(event.id) for event in events)


async def test_a_broker_that_restarts_empty_gets_everything_again(
    service_database: Database, kafka: KafkaSettings, broker: Broker
) -> None:
    if broker.process is None or broker.keeps:
        pytest.skip("this broker keeps its records over a restart")
    events = [create_command() for _ in range(20)]
    async with relaying(service_database, kafka, check_every=0.3):
        await publish(service_database, events)
        await eventually(lambda: _is_empty(service_database), what="an empty outbox")
        broker.process.kill()
        broker.process.start()
        records = await read_topic(kafka, TOPIC, 20, seconds=30)
        late = create_command()
        await publish(service_database, [late])
        records = await read_topic(kafka, TOPIC, 21, seconds=30)
    assert {str(event.id) for event in [*events, late]} == set(event_ids(records))


async def test_a_log_that_began_anew_unnoticed_is_filled_again_however_much_follows(
    service_database: Database, kafka: KafkaSettings, broker: Broker
) -> None:
    if broker.process is None or broker.keeps:
        pytest.skip("this broker keeps its records over a restart")
    before = [create_command() for _ in range(4)]
    after = [create_command() for _ in range(40)]
    async with relaying(service_database, kafka, check_every=3600):
        await publish(service_database, before)
        await eventually(lambda: _is_empty(service_database), what="an empty outbox")
        broker.process.kill()
        broker.process.start()
        await ensure_topics(kafka)
        await publish(service_database, after)
        records = await read_topic(kafka, TOPIC, 44, seconds=15)
    assert {str(event.id) for event in [*before, *after]} == set(event_ids(records))


async def test_records_go_out_while_the_broker_is_asked_what_it_still_has(
    service_database: Database, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()
    at_start = True

    async def slow(settings: KafkaSettings, heads: Sequence[Head]) -> list[Head]:
        nonlocal at_start
        if not at_start and heads:
            asked.set()
            await answered.wait()
        at_start = False
        return await lost_heads(settings, heads)

    monkeypatch.setattr(relay_module, "lost_heads", slow)
    async with relaying(service_database, kafka, check_every=0.1):
        case = uuid4()
        first, second = create_command(case), create_command(case)
        await publish(service_database, [first])
        await asyncio.wait_for(asked.wait(), 30)
        await publish(service_database, [second])
        records = await read_topic(kafka, TOPIC, 2, seconds=30)
        assert event_ids(records) == [str(first.id), str(second.id)]
        answered.set()


async def test_rows_written_while_the_broker_is_away_follow_once_it_is_back(
    service_database: Database, kafka: KafkaSettings, broker: Broker
) -> None:
    if broker.process is None:
        pytest.skip("this broker is not ours to stop")
    case = uuid4()
    events = [create_command(case) for _ in range(30)]
    async with relaying(service_database, kafka, check_every=0.3):
        await publish(service_database, events[:10])
        await eventually(lambda: _is_empty(service_database), what="an empty outbox")
        broker.process.kill()
        for event in events[10:]:
            await publish(service_database, [event])
        assert await unpublished(service_database) == 20
        broker.process.start()
        await eventually(lambda: _is_empty(service_database), seconds=60, what="an empty outbox")
        records = await read_topic(kafka, TOPIC, 60, seconds=3)
    assert set(event_ids(records)) == {str(event.id) for event in events}


async def test_an_operator_can_publish_a_period_again(service_database: Database, kafka: KafkaSettings) -> None:
    event = create_command()
    async with relaying(service_database, kafka):
        await publish(service_database, [event])
        await eventually(lambda: _is_empty(service_database), what="an empty outbox")
        async with service_database.transaction() as tx:
            (first,) = await tx.fetch("SELECT min(recorded_at) AS recorded_at FROM outbox")
            assert await republish(tx, since=first["recorded_at"]) == 1
        records = await read_topic(kafka, TOPIC, 2)
    assert event_ids(records) == [str(event.id)] * 2


async def test_a_process_cannot_open_a_second_producer(kafka: KafkaSettings) -> None:
    async with kafka_producer(kafka, client_id="one"):
        with pytest.raises(SecondProducerError):
            async with kafka_producer(kafka, client_id="two"):
                pytest.fail("a second producer was opened")


async def missing_topics(settings: KafkaSettings) -> set[str]:
    """Contract topics and dead-letter twins that the broker does not have."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
    finally:
        await admin.close()
    wanted = {settings.topic(name) for topic in TOPICS for name in (topic.name, topic.dead_letters)}
    return wanted - existing


async def test_every_topic_has_its_dead_letter_twin_and_creation_can_be_repeated(kafka: KafkaSettings) -> None:
    await ensure_topics(kafka)

    async def complete() -> bool:
        return not await missing_topics(kafka)

    await eventually(complete, what="every topic visible")
