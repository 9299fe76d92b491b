"""The relay: publishes the outbox in order, one active relay per service, awake the moment something commits.

Order: rows go out by `seq`. When a broker fails in the middle of a round, a row may be seen before its predecessor in
the same case; the predecessor and everything after it in that case is then sent again, and consumers order by the
sequence or revision that every contract carries. At least once: a crash between Kafka's answer and the mark sends a
row again, and consumers skip it by its event id.

What this process commits is handed over in memory and published without reading it back. The table is read for all
the rest: on start, after trouble, and every half second for what other replicas of the service committed.

What a broker loses (an embedded broker keeps its log in memory; a cluster can lose an unsynced tail) comes again:
the relay remembers the newest acknowledged record of every partition and checks that the broker still has it: on
start and after trouble before anything else, and every `check_every` seconds while records go out.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.db.engine import DATABASE_ERRORS, Database, driver_connection
from shared.db.outbox import OutboxRow, headers_from_text
from shared.db.outbox_log import PUBLISH_LOST_AGAIN
from shared.db.tx import touched
from shared.kafka.log_probe import Head, lost_heads
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics
from shared.runtime.clock import monotonic
from shared.runtime.logging import get_logger
from shared.runtime.metrics import (
    OUTBOX_BACKLOG,
    OUTBOX_DELAY,
    OUTBOX_PUBLISHED,
    OUTBOX_REPUBLISHED,
    RELAY_ACTIVE,
)

_log = get_logger(__name__)

_BATCH: Final = 1000
_POLL_S: Final = 0.5
_STANDBY_S: Final = 1.0
# Marking costs more than publishing. A crash before the mark sends the rows of this time again; consumers skip them.
_MARK_WITHIN_S: Final = 0.2
_MARK_AT: Final = 200
_HANDED_AT_MOST: Final = 10_000
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext(current_schema() || '.relay'))"
_UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext(current_schema() || '.relay'))"
# A mark lost in a crash of the server sends a row again, which consumers skip: not worth waiting for the disk.
_MARKS_MAY_BE_LOST: Final = "SET synchronous_commit = off"
_MARKS_LAST: Final = "RESET synchronous_commit"
_WAITING: Final = (
    "SELECT seq, recorded_at, event_id, topic, key, headers, value FROM outbox "
    "WHERE published_at IS NULL AND seq <> ALL($2::bigint[]) ORDER BY seq LIMIT $1"
)
# One statement marks the rows and keeps, for each partition, the newest of them.
_MARK: Final = (
    "WITH sent AS (SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::integer[], $5::bigint[], "
    '$6::uuid[]) AS t (seq, recorded_at, topic, partition, "offset", event_id)), '
    "marked AS (UPDATE outbox AS o SET published_at = clock_timestamp(), partition = t.partition, "
    '"offset" = t."offset" FROM sent t WHERE o.seq = t.seq AND o.recorded_at = t.recorded_at) '
    'INSERT INTO outbox_heads (topic, partition, "offset", seq, event_id) '
    'SELECT DISTINCT ON (topic, partition) topic, partition, "offset", seq, event_id FROM sent '
    "ORDER BY topic, partition, seq DESC "
    'ON CONFLICT (topic, partition) DO UPDATE SET "offset" = EXCLUDED."offset", seq = EXCLUDED.seq, '
    "event_id = EXCLUDED.event_id"
)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A row that the broker has acknowledged and that is not marked yet."""

    row: OutboxRow
    partition: int
    offset: int


class Relay:
    """Publishes one service's outbox through the process's only producer."""

    def __init__(
        self,
        database: Database,
        producer: AIOKafkaProducer,
        kafka: KafkaSettings,
        *,
        check_every: float = 10.0,
        republish_horizon: timedelta = timedelta(days=3),
    ) -> None:
        self._database = database
        self._producer = producer
        self._kafka = kafka
        self._check_every = check_every
        self._horizon = republish_horizon
        self._wake = asyncio.Event()
        self._checked_at: float | None = None
        self._known: dict[tuple[str, int], int] = {}
        self._sent: list[_Sent] = []
        self._sent_at = 0.0
        self._handed: list[OutboxRow] = []
        self._found: frozenset[int] = frozenset()
        self._looked_at: float | None = None
        self._trouble: str | None = None
        self._inquiry: asyncio.Task[list[Head]] | None = None
        database.on_commit(self._take)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`; then drain what is committed, as far as the broker lets it."""
        while not stop.is_set():
            try:
                async with self._database.engine.connect() as pooled:
                    connection = await driver_connection(pooled)
                    await connection.execute(_MARKS_MAY_BE_LOST)
                    if not await connection.fetchval(_LOCK):
                        await connection.execute(_MARKS_LAST)
                        await _sleep(stop, _STANDBY_S)
                        continue
                    try:
                        await self._lead(connection, stop)
                    except DATABASE_ERRORS:
                        # The lock went with the session; the pool must not give the connection to anybody else.
                        await pooled.invalidate()
                        raise
            except DATABASE_ERRORS as error:
                self._trouble = f"PostgreSQL: {type(error).__name__}"
                _log.warning("relay.database_away", error=repr(error))
                await _sleep(stop, _STANDBY_S)

    def _take(self, rows: Sequence[OutboxRow] | None) -> None:
        if rows is None or len(self._handed) + len(rows) > _HANDED_AT_MOST:
            self._look_again()
        elif self._looked_at is not None:
            self._handed += [row for row in rows if row.seq not in self._found]
        self._wake.set()

    def _look_again(self) -> None:
        """What was handed over is in the table too: the next round reads it there, with all the rest."""
        self._looked_at = None
        self._handed.clear()

    async def probe(self) -> str | None:
        """None when publishing works or another replica publishes; for readiness."""
        return self._trouble

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        RELAY_ACTIVE.set(1)
        self._checked_at = None
        self._sent.clear()
        try:
            while not stop.is_set():
                try:
                    await self._round(connection)
                except (KafkaError, OSError) as error:
                    self._trouble = f"Kafka: {type(error).__name__}"
                    self._checked_at = None
                    self._look_again()
                    _log.warning("relay.broker_away", error=repr(error))
                    await _sleep(stop, _POLL_S)
            await self._drain(connection)
        finally:
            await self._drop_inquiry()
            self._look_again()
            RELAY_ACTIVE.set(0)
            if not connection.is_closed():
                await connection.execute(_UNLOCK)
                await connection.execute(_MARKS_LAST)

    async def _round(self, connection: asyncpg.Connection) -> None:
        self._wake.clear()
        await self._check(connection)
        published = await self._publish(connection)
        if len(self._sent) >= _MARK_AT or (self._sent and monotonic() - self._sent_at >= _MARK_WITHIN_S):
            await self._mark(connection)
        if published < _BATCH:
            wait = max(0.0, self._sent_at + _MARK_WITHIN_S - monotonic()) if self._sent else _POLL_S
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                await self._mark(connection)

    async def _drain(self, connection: asyncpg.Connection) -> None:
        self._look_again()
        try:
            while await self._publish(connection) == _BATCH:
                await self._mark(connection)
                self._look_again()
        except (KafkaError, OSError) as error:
            _log.warning("relay.not_drained", error=repr(error))
        await self._mark(connection)

    async def _publish(self, connection: asyncpg.Connection) -> int:
        rows = await self._waiting(connection)
        OUTBOX_BACKLOG.set(len(rows))
        if not rows:
            return 0
        sent = [
            await self._producer.send(
                self._kafka.topic(row.topic),
                value=row.value,
                key=row.key,
                headers=headers_from_text(row.headers),
            )
            for row in rows
        ]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        self._remember(rows, answers)
        failure = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if failure is not None:
            await self._mark(connection)
            raise failure
        return len(rows)

    async def _waiting(self, connection: asyncpg.Connection) -> list[OutboxRow]:
        if self._looked_at is not None and monotonic() - self._looked_at < _POLL_S:
            rows, self._handed = sorted(self._handed[:_BATCH]), self._handed[_BATCH:]
            if self._handed:
                self._wake.set()
            return rows
        # From here on rows are handed over; those that the table shows as well are told apart by what was found.
        self._handed.clear()
        self._found = frozenset()
        self._looked_at = monotonic()
        rows = [
            OutboxRow(*record)
            for record in await connection.fetch(_WAITING, _BATCH, [sent.row.seq for sent in self._sent])
        ]
        if len(rows) == _BATCH:
            self._look_again()
        self._found = frozenset(row.seq for row in rows)
        self._handed = [row for row in self._handed if row.seq not in self._found]
        return rows

    def _remember(self, rows: Sequence[OutboxRow], answers: Sequence[Any]) -> None:
        """What the broker has, to be marked. After a failed row nothing of its case counts: all of it is sent again."""
        blocked: set[tuple[str, bytes | None]] = set()
        now = self._database.clock.now()
        if not self._sent:
            self._sent_at = monotonic()
        for row, answer in zip(rows, answers, strict=True):
            lane = (row.topic, row.key)
            if isinstance(answer, BaseException) or lane in blocked:
                blocked.add(lane)
                continue
            self._sent.append(_Sent(row, answer.partition, answer.offset))
            OUTBOX_DELAY.observe(max(0.0, (now - row.recorded_at).total_seconds()))

    async def _mark(self, connection: asyncpg.Connection) -> None:
        if not self._sent:
            return
        await connection.execute(
            _MARK,
            [sent.row.seq for sent in self._sent],
            [sent.row.recorded_at for sent in self._sent],
            [sent.row.topic for sent in self._sent],
            [sent.partition for sent in self._sent],
            [sent.offset for sent in self._sent],
            [sent.row.event_id for sent in self._sent],
        )
        marked, self._sent = self._sent, []
        for topic, count in Counter(sent.row.topic for sent in marked).items():
            OUTBOX_PUBLISHED.labels(topic).inc(count)
        await self._notice_regression(connection, marked)

    async def _notice_regression(self, connection: asyncpg.Connection, marked: Sequence[_Sent]) -> None:
        """An offset at or below one given before means the broker's log began anew under our feet."""
        for sent in marked:
            lane = (sent.row.topic, sent.partition)
            before = self._known.get(lane)
            self._known[lane] = sent.offset
            if before is not None and sent.offset <= before:
                await self._republish(connection, *lane, below=sent.row.seq)

    async def _check(self, connection: asyncpg.Connection) -> None:
        """Before the first record and after trouble the broker has to answer; later it is asked while others go on."""
        if self._checked_at is None:
            await self._drop_inquiry()
            heads = await self._heads(connection)
            self._known = {(head.topic, head.partition): head.offset for head in heads}
            await self._publish_lost(connection, await self._ask(heads))
        elif self._inquiry is None and monotonic() - self._checked_at > self._check_every:
            self._inquiry = asyncio.create_task(self._ask(await self._heads(connection)))
            self._inquiry.add_done_callback(lambda _: self._wake.set())
        elif self._inquiry is not None and self._inquiry.done():
            inquiry, self._inquiry = self._inquiry, None
            await self._publish_lost(connection, await inquiry)

    async def _heads(self, connection: asyncpg.Connection) -> list[Head]:
        await self._mark(connection)
        rows = await connection.fetch('SELECT topic, partition, "offset", event_id FROM outbox_heads')
        return [Head(row["topic"], row["partition"], row["offset"], row["event_id"]) for row in rows]

    async def _ask(self, heads: Sequence[Head]) -> list[Head]:
        await ensure_topics(self._kafka)
        return await lost_heads(self._kafka, heads)

    async def _publish_lost(self, connection: asyncpg.Connection, lost: Sequence[Head]) -> None:
        """Whatever the broker acknowledged until now is marked first: it may be lost with the rest."""
        await self._mark(connection)
        for head in lost:
            await self._republish(connection, head.topic, head.partition)
            await connection.execute(
                "DELETE FROM outbox_heads WHERE topic = $1 AND partition = $2", head.topic, head.partition
            )
            self._known.pop((head.topic, head.partition), None)
        self._checked_at = monotonic()
        self._trouble = None

    async def _drop_inquiry(self) -> None:
        if self._inquiry is not None:
            self._inquiry.cancel()
            await asyncio.gather(self._inquiry, return_exceptions=True)
            self._inquiry = None

    async def _republish(
        self, connection: asyncpg.Connection, topic: str, partition: int, *, below: int | None = None
    ) -> None:
        count = touched(await connection.execute(PUBLISH_LOST_AGAIN, topic, partition, self._horizon, below))
        OUTBOX_REPUBLISHED.labels(topic).inc(count)
        _log.warning("relay.broker_lost_records", topic=topic, partition=partition, republished=count)
        self._look_again()
        self._wake.set()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
