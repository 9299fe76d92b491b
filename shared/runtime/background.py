"""Loops that live as long as the process: consumer, relay, sweeper.

Crash-only: a loop that ends by itself ends the process, and whatever started it starts it again. A half-alive
service that answers requests while its consumer is dead would be worse.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from shared.runtime.logging import get_logger

_log = get_logger(__name__)
Loop = Callable[[asyncio.Event], Awaitable[None]]


class Background:
    """Starts loops and stops them in reverse order, each within `grace` seconds."""

    def __init__(self, grace: float = 10.0) -> None:
        self._grace = grace
        self._running: list[tuple[str, asyncio.Task[None], asyncio.Event]] = []

    def start(self, name: str, loop: Loop) -> None:
        """Run `loop(stop)` until `stop` is set. An early end or an exception terminates the process."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._guard(name, loop, stop), name=name)
        self._running.append((name, task, stop))

    async def stop(self) -> None:
        """Ask each loop to finish its work, newest first; cancel it when the grace is over."""
        for name, task, stop in reversed(self._running):
            stop.set()
            _, pending = await asyncio.wait({task}, timeout=self._grace)
            if pending:
                _log.warning("background.cancelled", loop=name)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._running.clear()

    def problem(self) -> str | None:
        """The first loop that is not running, for a readiness probe."""
        return next((f"{name} has ended" for name, task, _ in self._running if task.done()), None)

    async def _guard(self, name: str, loop: Loop, stop: asyncio.Event) -> None:
        try:
            await loop(stop)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001  # whatever it was, the process must not go on half alive
            _log.exception("background.crashed", loop=name)
        if not stop.is_set():
            _log.error("background.ended", loop=name)
            os.kill(os.getpid(), signal.SIGTERM)
