"""The batch consumer applies every record exactly once in effect, and no poison record stops its neighbours."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from shared.contracts.envelope import Event, encode
from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from shared.db.outbox import headers_from_text
from shared.kafka.burial import FuseBlownError
from shared.kafka.consumer import DEFAULT_POLICY, BatchConsumer, ConsumerPolicy
from shared.kafka.dead_letters import letter_headers
from shared.kafka.outcome import DONE, Outcome, Retry
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from tests.support.broker import Broker
from tests.support.messaging import (
    ApplyingHandler,
    applied,
    create_command,
    eventually,
    looping,
    produce,
    produce_events,
)

QUICK = ConsumerPolicy(first_wait=timedelta(milliseconds=5), max_attempts=3, commit_every=0.05)


def consumer(
    database: Database, kafka: KafkaSettings, handler: Any, policy: ConsumerPolicy = QUICK, group: str = "applier"
) -> BatchConsumer:
    return BatchConsumer(
        group=group, topics=[COMMANDS_ISSUED], handler=handler, database=database, kafka=kafka, policy=policy
    )


async def has_applied(database: Database, events: Sequence[Event[Any]]) -> bool:
    return {event.id for event in events} <= set(await applied(database))


async def dead_letters(database: Database) -> list[dict[str, str]]:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT headers FROM outbox WHERE topic = 'commands-issued-dlq' ORDER BY seq")
    return [letter_headers(tuple(headers_from_text(row["headers"]))) for row in rows]


async def test_records_are_applied_in_batches_and_in_order(service_database: Database, kafka: KafkaSettings) -> None:
    case = uuid4()
    events = [create_command(case) for _ in range(400)]
    await produce_events(kafka, events)
    handler = ApplyingHandler(service_database)
    async with looping(consumer(service_database, kafka, handler).run):
        await eventually(lambda: has_applied(service_database, events), what="all records applied")
    assert await applied(service_database) == [event.id for event in events]
    assert len(handler.batches) < 100


async def test_the_same_event_twice_changes_nothing(service_database: Database, kafka: KafkaSettings) -> None:
    event, last = create_command(), create_command()
    await produce_events(kafka, [event, event, event, last])
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database)).run):
        await eventually(lambda: has_applied(service_database, [event, last]), what="both applied")
    assert sorted(await applied(service_database)) == sorted([event.id, last.id])


async def test_a_crash_after_the_commit_and_before_the_offset_applies_nothing_twice(
    service_database: Database, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [create_command() for _ in range(20)]
    await produce_events(kafka, events)

    async def no_offset(*_: object, **__: object) -> None:
        raise SystemError("killed before the offset")

    monkeypatch.setattr(BatchConsumer, "_commit", no_offset)
    with pytest.raises(SystemError):
        async with looping(consumer(service_database, kafka, ApplyingHandler(service_database)).run) as task:
            await asyncio.wait({task}, timeout=20)
    monkeypatch.undo()
    before = await applied(service_database)
    assert before
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database)).run):
        await eventually(lambda: has_applied(service_database, events), seconds=30, what="all applied after restart")
    assert len(await applied(service_database)) == len(events)


async def test_a_crash_before_the_commit_loses_nothing(service_database: Database, kafka: KafkaSettings) -> None:
    events = [create_command() for _ in range(10)]
    await produce_events(kafka, events)

    def dies(_: Event[Any]) -> None:
        raise SystemExit("killed inside the transaction")

    class Dying(ApplyingHandler):
        async def __call__(self, batch: Sequence[Event[Any]]) -> Sequence[Outcome]:
            try:
                return await super().__call__(batch)
            except SystemExit as crash:
                raise asyncio.CancelledError from crash

    with pytest.raises(asyncio.CancelledError):
        await consumer(service_database, kafka, Dying(service_database, dies)).run(asyncio.Event())
    assert await applied(service_database) == []
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database)).run):
        await eventually(lambda: has_applied(service_database, events), seconds=30, what="all applied after restart")


async def test_an_undecodable_record_is_buried_with_its_reason_while_its_neighbours_go_on(
    service_database: Database, kafka: KafkaSettings
) -> None:
    first, last = create_command(), create_command()
    headers, _ = encode(create_command())
    await produce_events(kafka, [first])
    await produce(
        kafka,
        [
            ("commands-issued", b"k", headers, b'{"command": "dance"}'),
            ("commands-issued", None, [], b"\xff\xfe not json"),
            ("commands-issued", b"k", headers, None),
        ],
    )
    await produce_events(kafka, [last])
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database)).run):
        await eventually(lambda: has_applied(service_database, [first, last]), what="the neighbours applied")
        await eventually(lambda: _letters(service_database, 3), what="three dead letters")
    letters = await dead_letters(service_database)
    reasons = sorted(letter["reason"] for letter in letters)
    assert "field 'command'" in reasons[1] or "field 'command'" in reasons[2]
    assert any("attribute 'specversion' is missing" in reason for reason in reasons)
    assert any("no value" in reason for reason in reasons)
    assert {letter["topic"] for letter in letters} == {"commands-issued"}
    assert {letter["consumer"] for letter in letters} == {"applier"}


async def _letters(database: Database, count: int) -> bool:
    return len(await dead_letters(database)) >= count


async def test_a_poison_record_is_isolated_and_buried_after_the_last_attempt(
    service_database: Database, kafka: KafkaSettings
) -> None:
    case = uuid4()
    events = [create_command(case) for _ in range(30)]
    poison = events[13]

    def fault(event: Event[Any]) -> None:
        if event.id == poison.id:
            raise ZeroDivisionError("poison")

    await produce_events(kafka, events)
    healthy = [event for event in events if event.id != poison.id]
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database, fault)).run):
        await eventually(lambda: has_applied(service_database, healthy), what="the neighbours applied")
        await eventually(lambda: _letters(service_database, 1), what="one dead letter")
    assert await applied(service_database) == [event.id for event in healthy]
    (letter,) = await dead_letters(service_database)
    assert letter["reason"] == "ZeroDivisionError: poison"
    assert letter["attempts"] == "3"


async def test_a_database_that_is_away_kills_no_record(service_database: Database, kafka: KafkaSettings) -> None:
    events = [create_command() for _ in range(5)]
    failures = 8  # more than max_attempts: waiting for the database is not an attempt

    def away(_: Event[Any]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("SELECT 1", {}, ConnectionRefusedError("away"))

    await produce_events(kafka, events)
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database, away)).run):
        await eventually(lambda: has_applied(service_database, events), what="all applied")
    assert await dead_letters(service_database) == []


async def test_retry_is_bounded_and_then_dead(service_database: Database, kafka: KafkaSettings) -> None:
    asked = 0

    async def never_ready(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        nonlocal asked
        asked += len(events)
        return [Retry(timedelta(milliseconds=1), "the case is not known yet")] * len(events)

    await produce_events(kafka, [create_command()])
    async with looping(consumer(service_database, kafka, never_ready).run):
        await eventually(lambda: _letters(service_database, 1), what="one dead letter")
    assert (await dead_letters(service_database))[0]["reason"] == "the case is not known yet"
    assert asked == QUICK.max_attempts


async def test_the_fuse_stops_a_consumer_that_would_bury_everything(
    service_database: Database, kafka: KafkaSettings
) -> None:
    async def broken(_: Sequence[Event[Any]]) -> Sequence[Outcome]:
        raise ZeroDivisionError("wrong release")

    await produce_events(kafka, [create_command() for _ in range(20)])
    with pytest.raises(FuseBlownError, match="wrong release"):
        await consumer(service_database, kafka, broken, replace(QUICK, fuse=5)).run(asyncio.Event())
    assert len(await dead_letters(service_database)) == 5


async def test_records_the_handler_refuses_blow_no_fuse_and_those_not_ready_wait_together(
    service_database: Database, kafka: KafkaSettings
) -> None:
    batches: list[int] = []

    async def judges(events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        batches.append(len(events))
        return [Retry(timedelta(milliseconds=1), "the case is not known yet")] * len(events)

    await produce_events(kafka, [create_command() for _ in range(20)])
    policy = replace(QUICK, fuse=5, max_attempts=3)
    async with looping(consumer(service_database, kafka, judges, policy).run):
        await eventually(lambda: _letters(service_database, 20), what="all of them buried")
    assert sum(batches) == 20 * policy.max_attempts
    assert len(batches) < 20


async def test_two_members_share_the_partitions_and_nothing_is_applied_twice(
    service_database: Database, kafka: KafkaSettings
) -> None:
    events = [create_command() for _ in range(200)]
    handler = ApplyingHandler(service_database)
    async with looping(consumer(service_database, kafka, handler).run):
        await produce_events(kafka, events[:100])
        async with looping(consumer(service_database, kafka, ApplyingHandler(service_database)).run):
            await produce_events(kafka, events[100:])
            await eventually(lambda: has_applied(service_database, events), seconds=40, what="all applied")
    assert len(await applied(service_database)) == len(events)


async def test_positions_of_a_log_the_broker_lost_are_never_committed(
    service_database: Database, kafka: KafkaSettings, broker: Broker
) -> None:
    if broker.process is None or broker.keeps:
        pytest.skip("this broker keeps its log over a restart")
    before = [create_command() for _ in range(40)]
    after = [create_command() for _ in range(6)]
    late_commits = replace(QUICK, commit_every=60)  # so that positions of the old log are still to be committed
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database), late_commits).run):
        await produce_events(kafka, before[:20])
        await eventually(lambda: has_applied(service_database, before[:20]), what="the first half applied")
        await produce_events(kafka, before[20:])
        await eventually(lambda: has_applied(service_database, before), what="all of the old log applied")
        broker.process.kill()
        broker.process.start()
        await ensure_topics(kafka)
        await produce_events(kafka, [*after, *before])
        await eventually(
            lambda: has_applied(service_database, after), seconds=30, what="the new log read from its start"
        )


async def test_a_graceful_stop_commits_so_that_a_restart_reads_nothing_again(
    service_database: Database, kafka: KafkaSettings
) -> None:
    events = [create_command() for _ in range(10)]
    await produce_events(kafka, events)
    async with looping(consumer(service_database, kafka, ApplyingHandler(service_database), DEFAULT_POLICY).run):
        await eventually(lambda: has_applied(service_database, events), what="all applied")
    offered = 0

    async def counts(batch: Sequence[Event[Any]]) -> Sequence[Outcome]:
        nonlocal offered
        offered += len(batch)
        return [DONE] * len(batch)

    last = create_command()
    async with looping(consumer(service_database, kafka, counts, DEFAULT_POLICY).run):
        await produce_events(kafka, [last])
        await eventually(lambda: _is(lambda: offered >= 1), seconds=30, what="the new record offered")
    assert offered == 1


async def _is(condition: Any) -> bool:
    return bool(condition())
