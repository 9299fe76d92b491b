"""The one producer of a process. More than one would multiply connections and break the order of a case's events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer

from shared.kafka.settings import KafkaSettings
from shared.runtime.metrics import KAFKA_PRODUCERS

_REQUEST_TIMEOUT_MS: Final = 10_000
_MAX_RECORD_BYTES: Final = 1_048_576
_open: list[AIOKafkaProducer] = []


class SecondProducerError(RuntimeError):
    """A second Kafka producer was opened in one process."""


@asynccontextmanager
async def kafka_producer(settings: KafkaSettings, *, client_id: str) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer with acks from all in-sync replicas. Raises SecondProducerError when one is open already."""
    if _open:
        raise SecondProducerError("this process has a Kafka producer already")
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=settings.idempotence,
        linger_ms=0,
        max_request_size=_MAX_RECORD_BYTES,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
        retry_backoff_ms=50,
        metadata_max_age_ms=30_000,
    )
    _open.append(producer)
    KAFKA_PRODUCERS.set(len(_open))
    try:
        await producer.start()
        yield producer
    finally:
        _open.remove(producer)
        KAFKA_PRODUCERS.set(len(_open))
        await producer.stop()
