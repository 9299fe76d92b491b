"""The loop that judges cases again when time alone may have changed their level."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from services.classifier.app.find_next_reconsideration import find_next_reconsideration
from services.classifier.app.judge_cases import Ports
from services.classifier.app.reconsider_due import reconsider_due
from shared.db.engine import Database, is_transient
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_LONGEST: Final = timedelta(seconds=5)
_AFTER_TROUBLE: Final = timedelta(seconds=1)


class ReconsiderLoop:
    """Sleeps until the next instant that is due, and wakes when this process commits an earlier one.

    Looks again at least every five seconds: another replica may have armed something and died.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = asyncio.Event()
        self._until: datetime | None = None

    def armed(self, due: datetime) -> None:
        """A reconsideration was committed; wakes the loop when it is earlier than what it sleeps for."""
        if self._until is None or due < self._until:
            self._wake.set()

    async def run(self, stop: asyncio.Event, ports: Ports) -> None:
        """Sweep until `stop`. The database being away is waited for."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._wake.clear()
                self._until = None
                pause = await self._sweep(ports)
                if pause > timedelta(0):
                    waking = asyncio.create_task(self._wake.wait())
                    await asyncio.wait(
                        {stopping, waking}, timeout=pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED
                    )
                    waking.cancel()
        finally:
            stopping.cancel()

    async def _sweep(self, ports: Ports) -> timedelta:
        try:
            if await reconsider_due(self._database, ports):
                return timedelta(0)
            due = await find_next_reconsideration(self._database)
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("reconsider.waiting", error=repr(error))
            return _AFTER_TROUBLE
        now = self._database.clock.now()
        self._until = min(due, now + _LONGEST) if due else now + _LONGEST
        # A due row that was passed over is in another replica's hands: a short wait, not a busy loop.
        return max(self._until - now, timedelta(milliseconds=20))
