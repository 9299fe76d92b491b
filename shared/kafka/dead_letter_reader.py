"""Reads dead-letter topics as they are: records that could not be decoded must not be decoded again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.contracts.topics import Topic
from shared.db.engine import is_transient
from shared.kafka.dead_letters import DeadRecord
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_RETRY_S: Final = 0.5
_BATCH: Final = 200

Keep = Callable[[Sequence[DeadRecord]], Awaitable[object]]


class DeadLetterReader:
    """Hands every dead letter to `keep`, which must make it durable and may see it more than once.

    Offsets are committed after `keep` returned. A database or broker that is away is waited for; any other failure of
    `keep` ends the loop, and with it the process.
    """

    def __init__(self, *, group: str, topics: Sequence[Topic], keep: Keep, kafka: KafkaSettings) -> None:
        self._group = f"{kafka.topic_prefix}{group}{kafka.group_suffix}"
        self._topics = [kafka.topic(topic.dead_letters) for topic in topics]
        self._keep = keep
        self._kafka = kafka

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set."""
        while not stop.is_set():
            consumer: AIOKafkaConsumer | None = None
            try:
                await ensure_topics(self._kafka)
                consumer = AIOKafkaConsumer(
                    *self._topics,
                    bootstrap_servers=self._kafka.bootstrap,
                    group_id=self._group,
                    client_id=self._group,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    fetch_max_wait_ms=self._kafka.long_poll_ms,
                    session_timeout_ms=self._kafka.session_timeout_ms,
                    heartbeat_interval_ms=self._kafka.session_timeout_ms // 5,
                )
                await consumer.start()
                await self._read(consumer, stop)
            except (KafkaError, OSError) as error:
                _log.warning("dead_letters.broker_away", error=repr(error))
                await _pause(stop, _RETRY_S)
            finally:
                if consumer is not None:
                    await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        while not stop.is_set():
            fetched = await consumer.getmany(timeout_ms=500, max_records=_BATCH)
            letters = [
                DeadRecord(
                    topic=self._kafka.contract_name(record.topic),
                    partition=record.partition,
                    offset=record.offset,
                    key=record.key,
                    headers=tuple(record.headers),
                    value=record.value,
                )
                for records in fetched.values()
                for record in records
            ]
            if not letters or not await self._kept(letters, stop):
                continue
            try:
                await consumer.commit()
            except (CommitFailedError, IllegalStateError) as error:
                _log.info("dead_letters.commit_refused", error=repr(error))

    async def _kept(self, letters: Sequence[DeadRecord], stop: asyncio.Event) -> bool:
        while not stop.is_set():
            try:
                await self._keep(letters)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("dead_letters.waiting", error=repr(error))
                await _pause(stop, _RETRY_S)
            else:
                return True
        return False


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
