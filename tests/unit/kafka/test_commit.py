"""Offsets are committed by members only, once, and never under another assignment than the one that read them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CoordinatorNotAvailableError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownMemberIdError,
)

from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from shared.kafka.consumer import BatchConsumer
from shared.kafka.membership import commit_once
from shared.kafka.settings import KafkaSettings

PARTITION = TopicPartition("commands-issued", 0)


class Group:
    """Stands for aiokafka's consumer: its membership and what the broker was asked through it."""

    def __init__(self, generation: int, *, answers: KafkaError | None = None) -> None:
        self._coordinator = SimpleNamespace(generation=generation, _do_commit_offsets=self._ask)
        self._answers = answers
        self.asked: list[Any] = []

    async def _ask(self, _: object, positions: Any) -> None:
        self.asked.append(positions)
        if self._answers is not None:
            raise self._answers


def applied(position: int) -> BatchConsumer:
    async def handler(_: Any) -> list[Any]:
        return []

    consumer = BatchConsumer(
        group="g", topics=[COMMANDS_ISSUED], handler=handler, database=cast("Database", None), kafka=KafkaSettings()
    )
    consumer._positions[PARTITION] = position
    return consumer


async def hand_over(consumer: BatchConsumer, group: Group) -> None:
    await consumer.hand_over(cast("AIOKafkaConsumer", group))


async def test_a_member_commits_before_its_partitions_go() -> None:
    group = Group(generation=3)
    await hand_over(applied(17), group)
    assert [positions[PARTITION].offset for positions in group.asked] == [17]


async def test_who_is_no_member_commits_nothing() -> None:
    group = Group(generation=-1)
    await hand_over(applied(17), group)
    assert group.asked == []


async def test_who_has_no_group_yet_is_told_so() -> None:
    with pytest.raises(UnknownMemberIdError):
        await commit_once(cast("AIOKafkaConsumer", SimpleNamespace(_coordinator=None)), {PARTITION: 1})


@pytest.mark.parametrize("answer", [UnknownMemberIdError(), CoordinatorNotAvailableError()])
async def test_a_position_does_not_outlive_the_assignment_that_read_it(answer: KafkaError) -> None:
    consumer, group = applied(17), Group(generation=3, answers=answer)
    await hand_over(consumer, group)
    await hand_over(consumer, group)
    assert len(group.asked) == 1


async def test_a_position_that_could_not_be_sent_is_sent_later() -> None:
    consumer, away, back = applied(17), Group(generation=3, answers=CoordinatorNotAvailableError()), Group(generation=3)
    await consumer._commit(cast("AIOKafkaConsumer", away), due_only=False)
    await consumer._commit(cast("AIOKafkaConsumer", back), due_only=False)
    assert [positions[PARTITION].offset for positions in back.asked] == [17]


async def test_what_the_broker_will_never_take_is_raised() -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await hand_over(applied(17), Group(generation=3, answers=TopicAuthorizationFailedError()))
