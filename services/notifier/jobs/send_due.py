"""The sender: claims what is due, calls the providers side by side, records their answers.

It sleeps until the next due instant and wakes when a request is accepted, a receipt applied or a place gets free. A
slow provider holds only its own channel's places; retries have at most half of them. At the end it claims nothing
more, waits for the calls in hand and records them.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.notifier.app.begin_attempts import Begun
from services.notifier.app.begin_intent import Call
from services.notifier.domain.ledger import RecordedAnswer
from services.notifier.jobs.pace import Pace
from shared.contracts.values import ChannelKind
from shared.db.engine import is_transient
from shared.runtime.batch_interval import BatchClock
from shared.runtime.clock import Clock, monotonic
from shared.runtime.logging import get_logger

_log = get_logger(__name__)

Begin = Callable[[Mapping[ChannelKind, int], Mapping[ChannelKind, int]], Awaitable[Begun]]
CallProvider = Callable[[Call], Awaitable[RecordedAnswer]]
Record = Callable[[Sequence[RecordedAnswer]], Awaitable[datetime | None]]
_LOOK_AT_LEAST_EVERY_S: Final = 0.5  # what another replica accepted wakes nobody here
_DATABASE_AWAY_S: Final = 0.25
_NO_ROOM_S: Final = 0.05
_BATCH: Final = 500
_RECORDED_S: Final = 0.05


@dataclass
class Capacity:
    """How many calls of one channel may be open at once, and how fast they may start."""

    places: int
    pace: Pace
    open: Counter[bool] = field(default_factory=Counter)

    def free(self, now: float) -> tuple[int, int]:
        """Places for new messages and for retries."""
        places = self.places - self.open.total()
        allowed = self.pace.allowance(now)
        places = places if allowed is None else min(places, allowed)
        retries = min(places, max(1, self.places // 2) - self.open[True])
        return max(0, places), max(0, retries)


class SendDue:
    """The loop. `wake` may be called from anywhere in the event loop's thread."""

    def __init__(
        self,
        *,
        begin: Begin,
        call: CallProvider,
        record: Record,
        capacities: Mapping[ChannelKind, Capacity],
        clock: Clock,
    ) -> None:
        self._begin = begin
        self._call = call
        self._record = record
        self._capacities = capacities
        self._clock = clock
        self._awake = asyncio.Event()
        self._answers: asyncio.Queue[RecordedAnswer | None] = asyncio.Queue()
        self._calls: set[asyncio.Task[None]] = set()
        self._sleeps_until: datetime | None = None
        self._reserved = 0
        self._open = False

    def reserve(self, channel: ChannelKind) -> bool:
        """Keep one place for a new message. Not while others wait for a place, nor before or after the loop runs."""
        capacity = self._capacities[channel]
        waiting = self._sleeps_until is not None and self._sleeps_until <= self._clock.now()
        if not self._open or waiting or capacity.free(monotonic())[0] < 1:
            return False
        capacity.open[False] += 1
        capacity.pace.take(1)
        self._reserved += 1
        return True

    def release(self, channel: ChannelKind) -> None:
        """Give a reserved place back unused."""
        self._capacities[channel].open[False] -= 1
        self._reserved -= 1

    def start(self, calls: Sequence[Call]) -> None:
        """Make these calls in the places reserved for them."""
        for call in calls:
            capacity = self._capacities[call.message.channel]
            self._reserved -= 1
            capacity.open[False] -= 1
            capacity.open[call.is_retry] += 1
            self._run(call, capacity)

    def wake(self) -> None:
        """Something may be due now."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then finish what is in hand."""
        ending = asyncio.create_task(self._wake_at(stop))
        recorder = asyncio.create_task(self._record_all(stop))
        self._open = True
        try:
            while not stop.is_set():
                self._awake.clear()
                wait = await self._start_due()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), wait)
            self._open = False
            while self._calls or self._reserved:
                await asyncio.wait([*self._calls, asyncio.create_task(asyncio.sleep(_NO_ROOM_S))])
            self._answers.put_nowait(None)
            await recorder
        finally:
            for task in (ending, recorder, *self._calls):
                task.cancel()
            await asyncio.gather(ending, recorder, *self._calls, return_exceptions=True)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.wake()

    async def _start_due(self) -> float:
        """Start what is due and there is room for; seconds until it makes sense to look again."""
        now = monotonic()
        free = {channel: capacity.free(now) for channel, capacity in self._capacities.items()}
        try:
            begun = await self._begin(
                {channel: fresh for channel, (fresh, _) in free.items()},
                {channel: retries for channel, (_, retries) in free.items()},
            )
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("sender.database_away", error=repr(error))
            return _DATABASE_AWAY_S
        started: Counter[ChannelKind] = Counter()
        for call in begun.calls:
            started[call.message.channel] += 1
            capacity = self._capacities[call.message.channel]
            capacity.open[call.is_retry] += 1
            self._run(call, capacity)
        for channel, count in started.items():
            self._capacities[channel].pace.take(count)
        return self._wait(begun)

    def _run(self, call: Call, capacity: Capacity) -> None:
        task = asyncio.create_task(self._finish(call, capacity))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _finish(self, call: Call, capacity: Capacity) -> None:
        try:
            self._answers.put_nowait(await self._call(call))
        finally:
            capacity.open[call.is_retry] -= 1
            if self._sleeps_until is not None and self._sleeps_until <= self._clock.now():
                self.wake()

    def _wait(self, begun: Begun) -> float:
        self._sleeps_until = begun.next_due_at
        if begun.next_due_at is None:
            return _LOOK_AT_LEAST_EVERY_S
        seconds = (begun.next_due_at - self._clock.now()).total_seconds()
        if seconds > 0:
            return min(seconds, _LOOK_AT_LEAST_EVERY_S)
        if begun.claimed > len(begun.calls):
            # Some were only moved on, without a call: more may stand behind them.
            return 0.0
        # More is due than there was room for, or another sender holds it. A place that gets free wakes at once.
        pauses = (capacity.pace.wait() for capacity in self._capacities.values())
        return min((pause for pause in pauses if pause > 0), default=_NO_ROOM_S)

    async def _record_all(self, stop: asyncio.Event) -> None:
        clock = BatchClock(_RECORDED_S)
        while True:
            batch = [await self._answers.get()]
            await asyncio.sleep(clock.wait)
            while len(batch) < _BATCH and not self._answers.empty():
                batch.append(self._answers.get_nowait())
            answers = [answer for answer in batch if answer is not None]
            if answers:
                with clock.batch():
                    await self._record_batch(answers, stop)
            if len(answers) < len(batch):
                return

    async def _record_batch(self, answers: Sequence[RecordedAnswer], stop: asyncio.Event) -> None:
        while True:
            try:
                due_at = await self._record(answers)
            except Exception as error:  # noqa: BLE001  # one unrecordable answer must not stop the others
                if is_transient(error) and not stop.is_set():
                    _log.warning("sender.cannot_record_yet", answers=len(answers), error=repr(error))
                    await asyncio.sleep(_DATABASE_AWAY_S)
                    continue
                if len(answers) > 1:
                    for answer in answers:
                        await self._record_batch([answer], stop)
                    return
                # The attempt stays open in the ledger; when its time is over it is sent again and counted.
                _log.exception("sender.answer_lost", attempt_id=str(answers[0].attempt_id))
                return
            if due_at is not None and (self._sleeps_until is None or due_at < self._sleeps_until):
                self.wake()
            return
