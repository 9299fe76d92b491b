"""Concurrent requests share one transaction: whatever gathered since the last group began is the next one.

A lone request commits at once; groups of a steady stream keep an interval. An item that fails its group is found by
halving and fails alone. Nobody gets an answer before the commit that holds their item has returned.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from shared.db.engine import is_transient
from shared.runtime.batch_interval import BatchClock
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
I = TypeVar("I")  # noqa: E741  # what goes in
O = TypeVar("O")  # noqa: E741  # what comes out
_TRIES: Final = 2


class RegisterAwayError(Exception):
    """PostgreSQL did not take the group. Nothing was acknowledged; the same post may be sent again."""


class RegisterBusyError(Exception):
    """More is waiting than may wait. Nothing was taken."""


class GroupCommit(Generic[I, O]):
    """Hands items in groups to `commit`, which writes them in one transaction and answers one outcome an item.

    `commit` must be idempotent by the items' own identity: a group whose commit was not answered is sent again once.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[I]], Awaitable[Sequence[O]]],
        *,
        largest_group: int = 500,
        most_waiting: int = 5000,
        interval: float,
    ) -> None:
        self._commit = commit
        self._largest_group = largest_group
        self._most_waiting = most_waiting
        self._clock = BatchClock(interval)
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: I) -> O:
        """The item's outcome, after its commit. Raises RegisterAwayError, RegisterBusyError or what the item caused."""
        return await self._enqueue([item])[0]

    async def submit_all(self, items: Sequence[I]) -> list[O | BaseException]:
        """As `submit` for many; an exception stands in the place of the item that caused it."""
        return await asyncio.gather(*self._enqueue(items), return_exceptions=True)

    async def close(self) -> None:
        """Wait until everything taken is settled."""
        if self._worker is not None:
            await self._worker

    def _enqueue(self, items: Sequence[I]) -> list[asyncio.Future[O]]:
        if len(self._waiting) + len(items) > self._most_waiting:
            raise RegisterBusyError(f"{len(self._waiting)} reports are waiting already")
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[O]] = []
        for item in items:
            future: asyncio.Future[O] = loop.create_future()
            self._waiting.append((item, future))
            futures.append(future)
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work(), name="group-commit")
        return futures

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._clock.wait)
            size = min(len(self._waiting), self._largest_group)
            with self._clock.batch():
                await self._settle([self._waiting.popleft() for _ in range(size)])

    async def _settle(self, group: Sequence[tuple[I, asyncio.Future[O]]]) -> None:
        try:
            outcomes = await self._tried([item for item, _ in group])
        except Exception as error:  # noqa: BLE001  # whatever one item caused must not reach its neighbours
            await self._isolate(group, error)
            return
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)

    async def _tried(self, items: Sequence[I]) -> Sequence[O]:
        for _ in range(_TRIES - 1):
            try:
                return await self._commit(items)
            except Exception as error:
                if not is_transient(error):
                    raise
        return await self._commit(items)

    async def _isolate(self, group: Sequence[tuple[I, asyncio.Future[O]]], error: Exception) -> None:
        if is_transient(error):
            _log.warning("group_commit.database_away", items=len(group), error=repr(error))
            for _, future in group:
                if not future.done():
                    future.set_exception(RegisterAwayError(type(error).__name__))
        elif len(group) == 1:
            if not group[0][1].done():
                group[0][1].set_exception(error)
        else:
            middle = len(group) // 2
            await self._settle(group[:middle])
            await self._settle(group[middle:])
