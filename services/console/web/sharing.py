"""One piece of work for all who want the same: a board that fifty people watch is put together once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedWork(Generic[T]):
    """Does one piece of work at a time; whoever asks for the same before it begins gets the same result.

    Nobody gets a result that was begun before they asked, so what they were told about is in it.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, asyncio.Task[T]] = {}
        self._turn = asyncio.Lock()

    async def get(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, which stands for every work of this key. Raises what the work raises."""
        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._do(key, work))
        # One who goes away leaves the work to the others.
        return await asyncio.shield(task)

    async def _do(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:
            del self._waiting[key]
            return await work()
