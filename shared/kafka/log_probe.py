"""Asks the broker whether it still has what it acknowledged.

Works by reading the record at a known offset, because end offsets are not reliable on every Kafka-compatible broker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError, OffsetOutOfRangeError

from shared.kafka.settings import KafkaSettings
from shared.runtime.clock import monotonic

_PATIENCE_S: Final = 10.0
_POLL_MS: Final = 100


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of one partition that the broker acknowledged."""

    topic: str
    partition: int
    offset: int
    event_id: UUID | None


async def lost_heads(settings: KafkaSettings, heads: Sequence[Head]) -> list[Head]:
    """The heads whose record the broker no longer has under the offset it gave.

    Only evidence counts: the log ends before the offset, another record stands there, or the offset is out of range.
    A record gone because its topic's retention passed is not lost: there the log begins after the offset. Raises
    KafkaError or OSError when the broker does not answer for every partition.
    """
    if not heads:
        return []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        client_id="fenghuo-log-probe",
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=settings.long_poll_ms,
    )
    await consumer.start()
    asked = {TopicPartition(settings.topic(head.topic), head.partition): head for head in heads}
    try:
        return await _Inquiry(consumer, asked).lost()
    finally:
        await consumer.stop()


class _Inquiry:
    """Asks each partition whether the record is still at its offset."""

    def __init__(self, consumer: AIOKafkaConsumer, asked: dict[TopicPartition, Head]) -> None:
        self._consumer = consumer
        self._asked = asked
        self._unanswered = set(asked)
        self._lost: list[Head] = []

    async def lost(self) -> list[Head]:
        self._consumer.assign(list(self._asked))
        for partition, head in self._asked.items():
            self._consumer.seek(partition, head.offset)
        deadline = monotonic() + _PATIENCE_S
        while self._unanswered:
            if monotonic() > deadline:
                raise KafkaTimeoutError(f"{len(self._unanswered)} partitions did not answer")
            await self._fetch()
        return self._lost

    async def _fetch(self) -> None:
        try:
            fetched = await self._consumer.getmany(*self._unanswered, timeout_ms=_POLL_MS)
        except OffsetOutOfRangeError as error:
            for partition in list(error.args[0]):
                beginning = (await self._consumer.beginning_offsets([partition]))[partition]
                self._answer(partition, is_lost=beginning <= self._asked[partition].offset)
            return
        for partition, records in fetched.items():
            self._answer(partition, is_lost=_is_another(records[0], self._asked[partition]))
        for partition in list(self._unanswered):
            end = self._consumer.highwater(partition)
            if end is not None and end <= self._asked[partition].offset:
                self._answer(partition, is_lost=True)

    def _answer(self, partition: TopicPartition, *, is_lost: bool) -> None:
        self._unanswered.discard(partition)
        self._consumer.pause(partition)
        if is_lost:
            self._lost.append(self._asked[partition])


def _is_another(record: ConsumerRecord, head: Head) -> bool:
    """A record beyond the offset means that compaction or retention took the one asked for."""
    return record.offset == head.offset and head.event_id is not None and _event_id(record) != str(head.event_id)


def _event_id(record: ConsumerRecord) -> str | None:
    return next((value.decode("utf-8", "replace") for name, value in record.headers if name == "ce_id"), None)
