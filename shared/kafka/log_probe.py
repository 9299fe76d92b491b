"""Asks the broker whether it still has what it acknowledged.

Works by reading the record at a known offset, because end offsets are not reliable on every Kafka-compatible broker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from shared.kafka.settings import KafkaSettings

_PATIENCE_MS: Final = 2000
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of one partition that the broker acknowledged."""

    topic: str
    partition: int
    offset: int
    event_id: UUID | None


async def lost_heads(settings: KafkaSettings, heads: Sequence[Head]) -> list[Head]:
    """The heads whose record the broker no longer has under the offset it gave.

    A record gone because its topic's retention passed is not lost: there the log begins after the offset. Raises
    KafkaError or OSError when the broker does not answer.
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
    try:
        return [head for head in heads if await _is_lost(consumer, settings, head)]
    finally:
        await consumer.stop()


async def _is_lost(consumer: AIOKafkaConsumer, settings: KafkaSettings, head: Head) -> bool:
    partition = TopicPartition(settings.topic(head.topic), head.partition)
    consumer.assign([partition])
    consumer.seek(partition, head.offset)
    try:
        record = await _read(consumer, partition)
    except OffsetOutOfRangeError:
        beginning = (await consumer.beginning_offsets([partition]))[partition]
        return bool(beginning <= head.offset)
    if record is None:
        return True
    return record.offset == head.offset and head.event_id is not None and _event_id(record) != str(head.event_id)


async def _read(consumer: AIOKafkaConsumer, partition: TopicPartition) -> ConsumerRecord | None:
    for _ in range(_TRIES):
        fetched = await consumer.getmany(partition, timeout_ms=_PATIENCE_MS // _TRIES, max_records=1)
        if fetched.get(partition):
            return fetched[partition][0]
    return None


def _event_id(record: ConsumerRecord) -> str | None:
    return next((value.decode("utf-8", "replace") for name, value in record.headers if name == "ce_id"), None)
