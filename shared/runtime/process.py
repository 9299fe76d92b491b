"""One service as a process: what is started in which order, and stopped in the reverse one.

Order of starting: database, Kafka producer, relay, consumers, periodic jobs, then HTTP. Stopping: HTTP finishes its
requests, jobs stop, consumers finish the batch in hand and commit, the relay drains, producer and database close.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

import uvicorn
from aiokafka.errors import KafkaError
from fastapi import FastAPI

from shared.db.engine import Database
from shared.db.partitions import maintain_partitions
from shared.kafka.consumer import BatchConsumer
from shared.kafka.producer import kafka_producer
from shared.kafka.relay import Relay
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from shared.runtime.background import Background, Loop
from shared.runtime.collector import freeze_after_start
from shared.runtime.health import Health
from shared.runtime.logging import configure_logging, get_logger
from shared.runtime.schedule import Job, Schedule
from shared.runtime.settings import ServiceSettings

_log = get_logger(__name__)
_RETRY_S: Final = 0.5
_PARTITIONS_EVERY: Final = timedelta(hours=6)


@dataclass
class Parts:
    """What a service adds to the common frame. Filled by its `main.py`, started by `running`."""

    consumers: Sequence[BatchConsumer] = ()
    loops: dict[str, Loop] = field(default_factory=dict)
    jobs: dict[str, tuple[timedelta, Job]] = field(default_factory=dict)


@asynccontextmanager
async def running(
    name: str, settings: ServiceSettings, database: Database, health: Health, parts: Parts
) -> AsyncIterator[None]:
    """The service at work, from the first to the last line of this block. Waits for Kafka as long as it takes."""
    kafka = settings.kafka_settings()
    background = Background(settings.shutdown_grace_s)
    schedule = Schedule()
    publisher = _Publisher(name, settings, database)

    async def partitions() -> None:
        async with database.transaction() as tx:
            await maintain_partitions(tx, tx.now)

    health.add("database", database.probe)
    health.add("relay", publisher.probe)
    for consumer in parts.consumers:
        health.add(f"consumer {consumer.group}", consumer.probe)

    async def loops_alive() -> str | None:
        return background.problem()

    health.add("loops", loops_alive)
    background.start("relay", publisher.run)
    for consumer in parts.consumers:
        background.start(f"consumer {consumer.group}", _after_topics(consumer, kafka))
    for loop_name, loop in parts.loops.items():
        background.start(loop_name, loop)
    schedule.every(_PARTITIONS_EVERY, "partitions", partitions)
    for job_name, (interval, job) in parts.jobs.items():
        schedule.every(interval, job_name, job)
    schedule.start()
    freeze_after_start()
    _log.info("service.started", port=settings.port)
    try:
        yield
    finally:
        schedule.stop()
        await background.stop()
        await database.close()
        _log.info("service.stopped")


class _Publisher:
    """Relay and its producer as one loop: intake must accept while Kafka is away, so neither may block the start."""

    def __init__(self, name: str, settings: ServiceSettings, database: Database) -> None:
        self._name = name
        self._kafka = settings.kafka_settings()
        self._database = database
        self._relay: Relay | None = None

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with kafka_producer(self._kafka, client_id=f"fenghuo-{self._name}") as producer:
                    self._relay = Relay(self._database, producer, self._kafka)
                    await self._relay.run(stop)
            except (KafkaError, OSError) as error:
                _log.warning("producer.broker_away", error=repr(error))
                await asyncio.sleep(_RETRY_S)

    async def probe(self) -> str | None:
        return await self._relay.probe() if self._relay else "Kafka has not answered yet"


def _after_topics(consumer: BatchConsumer, kafka: KafkaSettings) -> Loop:
    async def run(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await ensure_topics(kafka)
                break
            except (KafkaError, OSError) as error:
                _log.warning("consumer.broker_away", bootstrap=kafka.bootstrap, error=repr(error))
                await asyncio.sleep(_RETRY_S)
        await consumer.run(stop)

    return run


Settings = TypeVar("Settings", bound=ServiceSettings)


def serve(name: str, settings: Settings, create_app: Callable[[Settings], FastAPI]) -> None:
    """Build the application and run it until SIGTERM or SIGINT; both drain first. Logs are set up before anything."""
    configure_logging(name, settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.shutdown_grace_s),
        server_header=False,
        limit_concurrency=2000,
    )
