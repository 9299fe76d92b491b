"""Sleeps until the next deadline and fires it. Woken when something earlier is armed, so that no limit is too short."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from services.escalator.app.fire_due_timers import Swept
from shared.db.engine import is_transient
from shared.runtime.clock import Clock
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
LONGEST_SLEEP: Final = timedelta(seconds=1)
_WHILE_HELD: Final = timedelta(milliseconds=20)
_AFTER_FAULT: Final = timedelta(milliseconds=500)


class Sweeper:
    """One loop of a process. Its longest sleep bounds how late the deadlines of a process that died are kept."""

    def __init__(
        self, fire: Callable[[], Awaitable[Swept]], clock: Clock, *, longest_sleep: timedelta = LONGEST_SLEEP
    ) -> None:
        self._fire = fire
        self._clock = clock
        self._longest_sleep = longest_sleep
        self._woken = asyncio.Event()
        self._sleeping_until: datetime | None = None

    def wake(self, due_at: datetime) -> None:
        """Something was armed for this instant; wakes the loop if it meant to sleep longer."""
        if self._sleeping_until is None or due_at < self._sleeping_until:
            self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A database that is away is waited for."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._sleeping_until = None
                self._woken.clear()
                try:
                    swept = await self._fire()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    _log.warning("sweep.waiting", error=repr(error))
                    await self._sleep(_AFTER_FAULT, stopping)
                    continue
                await self._sleep(self._pause_after(swept), stopping)
        finally:
            stopping.cancel()

    def _pause_after(self, swept: Swept) -> timedelta:
        if swept.next_due is None:
            return self._longest_sleep
        wait = swept.next_due - self._clock.now()
        if wait > timedelta():
            return min(wait, self._longest_sleep)
        # Still due but not ours to claim: another process holds the case.
        return timedelta() if swept.claimed else _WHILE_HELD

    async def _sleep(self, pause: timedelta, stopping: "asyncio.Task[bool]") -> None:
        self._sleeping_until = self._clock.now() + pause
        if pause <= timedelta() or self._woken.is_set():
            await asyncio.sleep(0)
            return
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({woken, stopping}, timeout=pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
