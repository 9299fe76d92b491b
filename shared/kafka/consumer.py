"""The batch consumer: the only place that touches offsets.

Rules, in the order they matter:

1. A batch (at most `max_batch` records of the assigned partitions, no event id twice) goes to the handler in one
   call; the handler applies it in one transaction and answers one outcome a record.
2. Offsets are committed after the database, never before; at the latest every `commit_every` seconds, at a
   rebalance and at shutdown. Records read again are skipped by the inbox. A position belongs to the assignment under
   which its record was read: a group can hand the same member the same partition of another log.
3. The database or broker being away is not the records' fault: the batch waits and is offered again, for ever.
4. Any other exception breaks the batch into single records, so that a poison record is found and buried with its
   reason while its neighbours go on.
5. A fuse stops the consumer after `fuse` records in a row that could not be read or broke the handler: then the
   fault is ours, not the records'. A record that the handler itself judged dead does not count.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalGenerationError, KafkaError, RebalanceInProgressError, UnknownMemberIdError

from shared.contracts.envelope import Event, UndecodableError, decode
from shared.contracts.topics import Topic
from shared.contracts.values import Contract
from shared.db.engine import Database, is_transient
from shared.kafka.burial import Burial, StoppedError
from shared.kafka.membership import commit_once, leave_within
from shared.kafka.outcome import DUPLICATE, Dead, Done, Outcome, Retry, Skip
from shared.kafka.settings import KafkaSettings
from shared.runtime.batch_interval import HURRIED_S, UNHURRIED_S, BatchClock
from shared.runtime.clock import Clock, SystemClock, monotonic
from shared.runtime.ids import FastUUID
from shared.runtime.logging import case_context, get_logger
from shared.runtime.metrics import BATCH_SECONDS, CONSUMER_LAG, EVENTS_CONSUMED

_log = get_logger(__name__)
_LEAVE_S: Final = 5.0

Handler = Callable[[Sequence[Event[Any]]], Awaitable[Sequence[Outcome]]]


@dataclass(frozen=True, slots=True)
class ConsumerPolicy:
    """Limits of one consumer."""

    max_batch: int = 500
    commit_every: float = 0.5
    max_attempts: int = 5
    first_wait: timedelta = timedelta(milliseconds=100)
    longest_wait: timedelta = timedelta(seconds=10)
    fuse: int = 100
    longest_rebalance: timedelta = timedelta(seconds=30)  # then it begins anew; more than the session timeout
    interval: float = HURRIED_S  # least seconds from the beginning of a batch to the next


DEFAULT_POLICY: Final = ConsumerPolicy()
UNHURRIED_POLICY: Final = ConsumerPolicy(interval=UNHURRIED_S)
"""For readers nobody waits for."""


class WrongAnswerError(RuntimeError):
    """A handler answered another number of outcomes than it got records."""


_Waiting = tuple[Event[Contract], ConsumerRecord, Retry]


class BatchConsumer:
    """Feeds one handler from some topics in one consumer group."""

    def __init__(
        self,
        *,
        group: str,
        topics: Sequence[Topic],
        handler: Handler,
        database: Database,
        kafka: KafkaSettings,
        clock: Clock | None = None,
        policy: ConsumerPolicy = DEFAULT_POLICY,
    ) -> None:
        self._group = f"{kafka.topic_prefix}{group}{kafka.group_suffix}"
        self.group = group
        self._topics = [kafka.topic(topic.name) for topic in topics]
        self._handler = handler
        self._database = database
        self._kafka = kafka
        self._clock = clock or SystemClock()
        self._policy = policy
        self._positions: dict[TopicPartition, int] = {}
        self._assignments = 0
        self._committed_at = monotonic()
        self._burial = Burial(database, kafka, group, self._clock, fuse=policy.fuse, stopping=self._stopping)
        self._busy = asyncio.Lock()
        self._assigned = False
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; then finish the batch in hand, commit and leave the group."""
        self._stop = stop
        while not stop.is_set():
            consumer = self._consumer()
            try:
                await consumer.start()
                consumer.subscribe(self._topics, listener=_Rebalance(self, consumer))
                await self._consume(consumer, stop)
            except StoppedError:
                _log.warning("consumer.stopped_unapplied", group=self._group)
            except (KafkaError, OSError) as error:
                _log.warning("consumer.broker_away", group=self._group, error=repr(error))
                await _wait(stop, self._policy.first_wait.total_seconds() * 5)
            finally:
                self._assigned = False
                await self._leave(consumer)

    def _stopping(self) -> bool:
        return self._stop.is_set()

    async def probe(self) -> str | None:
        """None when partitions are assigned; for readiness."""
        return None if self._assigned else f"{self._group} has no partitions assigned yet"

    async def hand_over(self, consumer: AIOKafkaConsumer) -> None:
        """Finish the batch in hand and commit it, before the partitions go to another member."""
        async with self._busy:
            self._assigned = False
            await self._commit(consumer, due_only=False)
            self._positions.clear()
            self._assignments += 1

    def take_over(self, partitions: int) -> None:
        """Partitions were assigned (none is an answer too: another replica has them all)."""
        self._assigned = True
        _log.info("consumer.assigned", group=self._group, partitions=partitions)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap,
            group_id=self._group,
            client_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=max(self._kafka.long_poll_ms, int(self._policy.interval * 1000)),
            session_timeout_ms=self._kafka.session_timeout_ms,
            heartbeat_interval_ms=self._kafka.session_timeout_ms // 5,
            max_poll_interval_ms=300_000,
            retry_backoff_ms=50,
            metadata_max_age_ms=10_000,
        )

    async def _consume(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        wait_ms = 250
        clock = BatchClock(self._policy.interval)
        while not stop.is_set():
            if (wait := clock.wait) > 0:
                await _wait(stop, wait)
            # The library waits for the end of a rebalance however long it takes, and one has been seen not to end.
            async with asyncio.timeout(self._policy.longest_rebalance.total_seconds()):
                fetched = await consumer.getmany(timeout_ms=wait_ms, max_records=self._policy.max_batch)
            read_under = self._assignments
            async with self._busy:
                if fetched and read_under == self._assignments:
                    with clock.batch():
                        await self._apply(consumer, fetched)
                await self._commit(consumer, due_only=True)

    async def _apply(self, consumer: AIOKafkaConsumer, fetched: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        records = [record for batch in fetched.values() for record in batch]
        started = monotonic()
        events: list[Event[Contract]] = []
        readable: list[ConsumerRecord] = []
        seen: set[UUID] = set()
        for record in records:
            try:
                event = decode(record.headers, record.value, make_id=FastUUID)
            except UndecodableError as error:
                await self._burial.bury(record, f"cannot be decoded: {error}", attempts=1, faulty=True)
                continue
            if event.id in seen:
                await self._settle(record, DUPLICATE, attempts=1)
                continue
            seen.add(event.id)
            events.append(event)
            readable.append(record)
        if events:
            await self._handle(events, readable)
        for partition, batch in fetched.items():
            self._positions[partition] = batch[-1].offset + 1
            highwater = consumer.highwater(partition)
            if highwater is not None:
                topic = self._kafka.contract_name(partition.topic)
                CONSUMER_LAG.labels(topic, partition.partition).set(max(0, highwater - batch[-1].offset - 1))
        BATCH_SECONDS.labels(self.group).observe(monotonic() - started)

    async def _handle(self, events: Sequence[Event[Contract]], records: Sequence[ConsumerRecord]) -> None:
        try:
            outcomes = await self._attempt(events)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever broke the batch, its records are tried one by one
            if len(events) > 1:
                _log.warning("consumer.batch_broken", group=self._group, records=len(events), error=repr(error))
            for event, record in zip(events, records, strict=True):
                await self._handle_one(event, record)
            return
        waiting: list[_Waiting] = []
        for event, record, outcome in zip(events, records, outcomes, strict=True):
            if isinstance(outcome, Retry):
                waiting.append((event, record, outcome))
            else:
                await self._settle(record, outcome, attempts=1)
        if waiting:
            await self._offer_again(waiting)

    async def _offer_again(self, waiting: list[_Waiting]) -> None:
        """Those that were not ready wait together, so that a crowd of them holds the partition no longer than one."""
        failed_at = self._clock.now()
        wait = self._policy.first_wait
        for attempt in range(2, self._policy.max_attempts + 1):
            await asyncio.sleep(max(wait, *(retry.after for _, _, retry in waiting)).total_seconds())
            wait = min(wait * 2, self._policy.longest_wait)
            try:
                outcomes = await self._attempt([event for event, _, _ in waiting])
            except StoppedError:
                raise
            except Exception:  # noqa: BLE001  # as for a batch: the one that breaks it is found by itself
                for event, record, _ in waiting:
                    await self._handle_one(event, record)
                return
            still: list[_Waiting] = []
            for (event, record, _), outcome in zip(waiting, outcomes, strict=True):
                if isinstance(outcome, Retry):
                    still.append((event, record, outcome))
                else:
                    await self._settle(record, outcome, attempts=attempt, failed_at=failed_at)
            waiting = still
            if not waiting:
                return
        for _, record, retry in waiting:
            await self._settle(record, Dead(retry.reason), attempts=self._policy.max_attempts, failed_at=failed_at)

    async def _handle_one(self, event: Event[Contract], record: ConsumerRecord) -> None:
        failed_at = self._clock.now()
        wait = self._policy.first_wait
        outcome: Outcome = Retry(wait, "never attempted")
        faulty = False
        for attempt in range(1, self._policy.max_attempts + 1):
            if attempt > 1 and isinstance(outcome, Retry):
                await asyncio.sleep(max(outcome.after, wait).total_seconds())
                wait = min(wait * 2, self._policy.longest_wait)
            with case_context(event.case_id, event.id):
                try:
                    outcome = (await self._attempt([event]))[0]
                    faulty = False
                except StoppedError:
                    raise
                except Exception as error:  # noqa: BLE001  # unknown faults are retried, then buried with their reason
                    _log.exception("consumer.record_failed", group=self._group, attempt=attempt)
                    outcome = Retry(wait, f"{type(error).__name__}: {error}")
                    faulty = True
            if not isinstance(outcome, Retry):
                await self._settle(record, outcome, attempts=attempt, failed_at=failed_at)
                return
        assert isinstance(outcome, Retry)  # noqa: S101  # any other outcome has returned
        await self._burial.bury(
            record, outcome.reason, attempts=self._policy.max_attempts, failed_at=failed_at, faulty=faulty
        )

    async def _attempt(self, events: Sequence[Event[Contract]]) -> Sequence[Outcome]:
        wait = self._policy.first_wait
        while True:
            try:
                outcomes = await self._handler(events)
            except Exception as error:
                if not is_transient(error):
                    raise
                if self._stop.is_set():
                    raise StoppedError from error
                _log.warning("consumer.waiting", group=self._group, error=repr(error))
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, self._policy.longest_wait)
                continue
            if len(outcomes) != len(events):
                raise WrongAnswerError(f"{len(events)} records in, {len(outcomes)} outcomes out")
            return outcomes

    async def _settle(
        self, record: ConsumerRecord, outcome: Outcome, *, attempts: int, failed_at: datetime | None = None
    ) -> None:
        topic = self._kafka.contract_name(record.topic)
        match outcome:
            case Done():
                self._burial.survived()
                EVENTS_CONSUMED.labels(topic, "done").inc()
            case Skip():
                self._burial.survived()
                EVENTS_CONSUMED.labels(topic, "skip").inc()
            case Dead(reason):
                # The handler's own verdict about this record: no sign that anything is wrong with the handler.
                await self._burial.bury(record, reason, attempts=attempts, failed_at=failed_at, faulty=False)
            case Retry():
                raise WrongAnswerError("a retry is not an end")
            case _ as never:
                assert_never(never)

    async def _commit(self, consumer: AIOKafkaConsumer, *, due_only: bool) -> None:
        if not self._positions or (due_only and monotonic() - self._committed_at < self._policy.commit_every):
            return
        positions, self._positions = self._positions, {}
        self._committed_at = monotonic()
        try:
            await commit_once(consumer, positions)
        except (UnknownMemberIdError, IllegalGenerationError, RebalanceInProgressError) as error:
            # The group moved on while the batch was applied: its new owner reads it again and skips it by inbox.
            _log.info("consumer.commit_refused", group=self._group, error=type(error).__name__)
        except KafkaError as error:
            if not error.retriable:
                raise
            _log.info("consumer.commit_postponed", group=self._group, error=type(error).__name__)
            self._positions = positions

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        try:
            await self._commit(consumer, due_only=False)
        except KafkaError as error:
            _log.info("consumer.commit_skipped", group=self._group, error=repr(error))
        finally:
            self._positions.clear()
            await leave_within(consumer, _LEAVE_S)


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Before partitions go, the batch in hand is finished and committed."""

    def __init__(self, owner: BatchConsumer, consumer: AIOKafkaConsumer) -> None:
        self._owner = owner
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if revoked:
            await self._owner.hand_over(self._consumer)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._owner.take_over(len(assigned))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
