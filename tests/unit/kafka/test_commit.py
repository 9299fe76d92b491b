"""Offsets are committed by members only, and no position twice."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from shared.contracts.topics import COMMANDS_ISSUED
from shared.db.engine import Database
from shared.kafka.consumer import BatchConsumer
from shared.kafka.settings import KafkaSettings

PARTITION = TopicPartition("commands-issued", 0)


class Group:
    """Stands for aiokafka's consumer: its membership and what was committed through it."""

    def __init__(self, generation: int, *, refuses: bool = False) -> None:
        self._coordinator = SimpleNamespace(generation=generation)
        self._refuses = refuses
        self.asked: list[Any] = []

    async def commit(self, positions: Any) -> None:
        self.asked.append(positions)
        if self._refuses:
            raise CommitFailedError("the group moved on")


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


@pytest.mark.parametrize("generation", [-1])
async def test_who_is_no_member_commits_nothing(generation: int) -> None:
    group = Group(generation)
    await hand_over(applied(17), group)
    assert group.asked == []


async def test_a_refused_position_is_not_offered_again() -> None:
    consumer, group = applied(17), Group(generation=3, refuses=True)
    await hand_over(consumer, group)
    await hand_over(consumer, group)
    assert len(group.asked) == 1
