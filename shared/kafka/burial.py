"""Burying a record that cannot be applied, and the fuse that stops a consumer which would bury everything."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiokafka import ConsumerRecord

from shared.db.engine import Database, is_transient
from shared.kafka.dead_letters import DeadRecord, bury
from shared.kafka.settings import KafkaSettings
from shared.runtime.clock import Clock
from shared.runtime.logging import get_logger
from shared.runtime.metrics import EVENTS_CONSUMED

_log = get_logger(__name__)
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 10.0


class FuseBlownError(RuntimeError):
    """Too many records in a row broke the handler or could not be read: a bad release, not bad records."""


class StoppedError(Exception):
    """The process is stopping while its database is away: what is in hand stays unapplied and is read again later."""


class Burial:
    """One consumer's way to the dead letters. `stopping` says whether the process is about to end."""

    def __init__(
        self,
        database: Database,
        kafka: KafkaSettings,
        group: str,
        clock: Clock,
        *,
        fuse: int,
        stopping: Callable[[], bool],
    ) -> None:
        self._database = database
        self._kafka = kafka
        self._group = group
        self._clock = clock
        self._fuse = fuse
        self._stopping = stopping
        self._faults_in_a_row = 0

    def survived(self) -> None:
        """A record was applied: the handler works."""
        self._faults_in_a_row = 0

    async def bury(
        self,
        record: ConsumerRecord,
        reason: str,
        *,
        attempts: int,
        faulty: bool,
        failed_at: datetime | None = None,
    ) -> None:
        """Make the record durable as a dead letter, waiting for the database as long as it takes.

        `faulty`: it could not be read or broke the handler. Raises FuseBlownError after too many of those in a row,
        StoppedError when the process stops while the database is away.
        """
        topic = self._kafka.contract_name(record.topic)
        dead = DeadRecord(
            topic=topic,
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            headers=tuple(record.headers),
            value=record.value,
        )
        wait = _FIRST_WAIT_S
        first_failed_at = failed_at or self._clock.now()
        while True:
            try:
                await bury(
                    self._database,
                    dead,
                    consumer=self._group,
                    reason=reason,
                    attempts=attempts,
                    first_failed_at=first_failed_at,
                )
                break
            except Exception as error:
                if not is_transient(error):
                    raise
                if self._stopping():
                    raise StoppedError from error
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT_S)
        EVENTS_CONSUMED.labels(topic, "dead").inc()
        _log.error("consumer.dead_letter", topic=topic, offset=record.offset, reason=reason)
        self._faults_in_a_row = self._faults_in_a_row + 1 if faulty else 0
        if self._faults_in_a_row >= self._fuse:
            raise FuseBlownError(f"{self._faults_in_a_row} faults in a row in {self._group}; last: {reason}")
