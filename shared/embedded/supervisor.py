"""Keeps the processes of one machine running: starts them in order, restarts what dies, stops them in reverse.

No child outlives the supervisor, not even when the supervisor is ended by kill -9 (see `processes`).
"""

import asyncio
import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

from shared.embedded.errors import ChildFailedError, DiskFullError, EmbeddedError
from shared.embedded.preloading import Process
from shared.embedded.processes import Child, exit_words, kill_session, spawn, stop, tail, wait_ready
from shared.runtime.clock import monotonic
from shared.runtime.logging import get_logger

LEAST_FREE_BYTES: Final = 200 * 1024 * 1024
_MEGABYTE: Final = 1024 * 1024
_EXIT_POLL_SECONDS: Final = 0.05
_WAITERS: Final = 32
P = ParamSpec("P")
R = TypeVar("R")
_log: Final = get_logger(__name__)


class StoppedError(EmbeddedError):
    """A signal asked for the end while children were still being started."""


class ChildState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # died, or is being replaced on purpose
    STOPPED = "stopped"
    FAILED = "failed"  # died too often; not started again


@dataclass(frozen=True)
class RestartPolicy:
    """How patiently a dying child is started again; all in seconds.

    The pause doubles with every death inside `window`; with the `give_up_after`-th death inside it the supervisor
    gives up.
    """

    first_pause: float = 0.2
    longest_pause: float = 5.0
    window: float = 60.0
    give_up_after: int = 5


@dataclass(frozen=True)
class ChildStatus:
    """What is known about a child now. `pid` is None while no process runs; `restarts` counts since the start."""

    name: str
    state: ChildState
    pid: int | None
    restarts: int


@dataclass(eq=False)
class _Kept:
    child: Child
    begun: asyncio.Future[None]
    keeper: asyncio.Task[None] | None = None
    state: ChildState = ChildState.STARTING
    process: Process | None = None
    restarts: int = 0
    deaths: deque[float] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # A planned restart ends the process; that end is no death.
    replacing: bool = False

    def status(self) -> ChildStatus:
        alive = self.process is not None and self.process.returncode is None
        return ChildStatus(
            self.child.name, self.state, self.process.pid if alive and self.process else None, self.restarts
        )


class Supervisor:
    """Use as an async context manager: entering catches SIGTERM and SIGINT, leaving stops every child.

    A second signal kills at once instead of waiting for the children's own end.

    Parameters
    ----------
    on_state
        Called with the child's status at each change of its state.
    on_restart
        Awaited with the child's name whenever a child answers again after a death or a planned restart, before it
        counts as ready. When it raises, that is another death of the child.
    policy
        How often a dying child is started again.
    """

    def __init__(
        self,
        *,
        on_state: Callable[[ChildStatus], None] | None = None,
        on_restart: Callable[[str], Awaitable[None]] | None = None,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._on_state = on_state
        self._on_restart = on_restart
        self._policy = policy or RestartPolicy()
        self._groups: list[list[_Kept]] = []
        self._stop_asked = asyncio.Event()
        self._failures: asyncio.Queue[BaseException] = asyncio.Queue()
        # Waiting for children blocks threads; with the loop's own few, stopping could wait behind starting.
        self._threads = ThreadPoolExecutor(_WAITERS, thread_name_prefix="supervisor")

    async def __aenter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)
            self._threads.shutdown()

    def status(self) -> list[ChildStatus]:
        """Every child in the order of starting."""
        return [kept.status() for group in self._groups for kept in group]

    def ask_to_stop(self) -> None:
        """What the first signal does: `run` returns, and a `start` under way raises StoppedError."""
        self._stop_asked.set()

    async def start(self, *children: Child) -> None:
        """Start these children side by side and return when all are ready; calls are stopped in reverse order.

        A child that does not come up the first time is not tried again. Raises the EmbeddedError of the first child
        that failed (PortInUseError, ChildFailedError and so on), StoppedError after a signal.
        """
        loop = asyncio.get_running_loop()
        group = [_Kept(child, loop.create_future()) for child in children]
        self._groups.append(group)
        for kept in group:
            kept.keeper = loop.create_task(self._keep(kept), name=f"keep {kept.child.name}")
        asked = loop.create_task(_set_once(self._stop_asked))
        pending = {kept.begun for kept in group}
        try:
            while pending:
                done, _ = await asyncio.wait({*pending, asked}, return_when=asyncio.FIRST_COMPLETED)
                if asked in done:
                    raise StoppedError("Stopped while starting.")
                failed = [error for future in done & pending if (error := future.exception()) is not None]
                if failed:
                    raise failed[0]
                pending -= done
        finally:
            asked.cancel()

    async def run(self) -> None:
        """Wait until a signal or `ask_to_stop`. Raises ChildFailedError when a child has died too often."""
        loop = asyncio.get_running_loop()
        asked, failed = loop.create_task(_set_once(self._stop_asked)), loop.create_task(self._failures.get())
        try:
            await asyncio.wait({asked, failed}, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                raise failed.result()
        finally:
            asked.cancel()
            failed.cancel()

    async def restart(self, name: str) -> None:
        """Replace a child's process and return when the new one is ready; not counted as a death.

        Raises KeyError for an unknown name, ChildFailedError when the child has failed or is being stopped.
        """
        kept = {kept.child.name: kept for group in self._groups for kept in group}[name]
        if kept.ready.is_set() and kept.process is not None:
            kept.replacing = True
            kept.ready.clear()
            await self._in_thread(stop, kept.child, kept.process)
        again = asyncio.get_running_loop().create_task(_set_once(kept.ready))
        await asyncio.wait({again, kept.keeper} if kept.keeper is not None else {again}, return_when="FIRST_COMPLETED")
        again.cancel()
        if not kept.ready.is_set():
            raise ChildFailedError(name, "was not started again", tail(kept.child.log_file))

    async def stop(self) -> None:
        """End every child, the last group first: its stop signal, then kill after its grace. None is left."""
        for group in reversed(self._groups):
            await asyncio.gather(*(self._stop_one(kept) for kept in group))

    def _signalled(self) -> None:
        if self._stop_asked.is_set():
            for group in self._groups:
                for kept in group:
                    # Those whose turn to stop has not come yet must not take it for a death and live again.
                    kept.stopping.set()
                    if kept.process is not None and kept.process.poll() is None:
                        kill_session(kept.process.pid)
        self._stop_asked.set()

    async def _stop_one(self, kept: _Kept) -> None:
        kept.stopping.set()
        if kept.process is not None and kept.process.poll() is None:
            await self._in_thread(stop, kept.child, kept.process)
        if kept.keeper is not None:
            # A process that was being forked meanwhile is ended by the keeper.
            await kept.keeper

    async def _keep(self, kept: _Kept) -> None:
        """One child's whole life. Never raises: what went wrong reaches `start` or `run`."""
        try:
            await self._live(kept)
        except BaseException as error:
            self._report(kept, error)
            if not isinstance(error, Exception):
                raise

    async def _live(self, kept: _Kept) -> None:
        while True:
            words = await self._one_life(kept)
            if kept.stopping.is_set():
                self._set(kept, ChildState.STOPPED)
                return
            if kept.replacing:
                kept.replacing = False
            else:
                pause = self._after_death(kept, words)
                if await _within(kept.stopping, pause):
                    self._set(kept, ChildState.STOPPED)
                    return
            kept.restarts += 1

    async def _one_life(self, kept: _Kept) -> str:
        """Start, wait until ready, wait until gone; returns how it ended. Raises only before the first readiness."""
        child, first = kept.child, not kept.begun.done()
        self._set(kept, ChildState.STARTING if first else ChildState.RESTARTING)
        process = None
        try:
            process = kept.process = await self._in_thread(spawn, child)
            if kept.stopping.is_set():
                await self._in_thread(stop, child, process)
                return "was stopped"
            await self._in_thread(wait_ready, child, process)
            if not first and self._on_restart is not None:
                await self._on_restart(child.name)
        except Exception as error:
            if process is not None:
                kill_session(process.pid)
                await self._in_thread(process.wait)
            if first:
                raise
            return f"did not come up again: {error}"
        kept.ready.set()
        self._set(kept, ChildState.READY)
        if first:
            kept.begun.set_result(None)
        await _exited(process)
        kept.ready.clear()
        # Its own children hold ports and locks that the next life needs.
        kill_session(process.pid)
        return f"ended with {exit_words(process.returncode)}"

    def _after_death(self, kept: _Kept, words: str) -> float:
        """Seconds to wait before the next life. Raises ChildFailedError when there have been too many deaths."""
        policy, now = self._policy, monotonic()
        kept.deaths.append(now)
        while kept.deaths[0] < now - policy.window:
            kept.deaths.popleft()
        count = len(kept.deaths)
        if count >= policy.give_up_after:
            raise ChildFailedError(
                kept.child.name,
                f"died {count} times within {policy.window:g} s and is not started again; the last time it {words}",
                tail(kept.child.log_file),
            )
        self._set(kept, ChildState.RESTARTING)
        _log.warning("child.died", child=kept.child.name, reason=words, deaths=count)
        return min(policy.first_pause * 2.0 ** (count - 1), policy.longest_pause)

    def _report(self, kept: _Kept, error: BaseException) -> None:
        kept.state = ChildState.STOPPED if kept.stopping.is_set() else ChildState.FAILED
        if not kept.begun.done():
            kept.begun.set_exception(error)
            # Whether or not `start` still listens: it may have raised for another child or a signal.
            kept.begun.exception()
        elif not kept.stopping.is_set():
            self._failures.put_nowait(error)
        if self._on_state is not None and isinstance(error, EmbeddedError):
            self._on_state(kept.status())

    def _set(self, kept: _Kept, state: ChildState) -> None:
        if kept.state is state and state is not ChildState.STARTING:
            return
        kept.state = state
        if self._on_state is not None:
            self._on_state(kept.status())

    async def _in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))


def require_free_disk(directory: Path, setting: str, least: int = LEAST_FREE_BYTES) -> None:
    """Raise DiskFullError when the disk of this directory (or of the nearest parent that exists) is almost full."""
    existing = next(path for path in (directory.absolute(), *directory.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < least:
        raise DiskFullError(
            f"Only {free // _MEGABYTE} MB are free on the disk of {directory} and {least // _MEGABYTE} MB are needed: "
            f"free some space or set {setting} to a directory on another disk."
        )


async def _set_once(event: asyncio.Event) -> None:
    await event.wait()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event is set before the time is over."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _exited(process: Process) -> None:
    """Return when the process is gone and reaped."""
    if sys.platform == "linux" and process.poll() is None:
        # Gone already when whoever reaps it was faster.
        with suppress(ProcessLookupError):
            await _ended(os.pidfd_open(process.pid))
    # Other systems have no descriptor for a process, and the reaping itself takes a moment.
    while process.poll() is None:  # noqa: ASYNC110 - a process sets no event
        await asyncio.sleep(_EXIT_POLL_SECONDS)


async def _ended(descriptor: int) -> None:
    """Return when the process of this descriptor has ended; closes the descriptor."""
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    try:
        loop.add_reader(descriptor, gone.set)
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
