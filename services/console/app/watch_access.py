"""Ends live streams whose reader may no longer read: signed out, removed, expired, key revoked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Generic, TypeVar

from shared.db.engine import DATABASE_ERRORS
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_LOOK_EVERY_S: Final = 2.0
K = TypeVar("K")
T = TypeVar("T")


class AccessWatch(Generic[K]):
    """Looks again every two seconds at those who have a stream open: one question for all of them.

    Whichever process ended the access, the stream ends within these seconds and the time of one question. While the
    database is away nobody is cut off; nothing new can be read then either.
    """

    def __init__(self, name: str, still: Callable[[frozenset[K]], Awaitable[frozenset[K]]]) -> None:
        """`still` answers which of the readers it is given may go on reading."""
        self.name = name
        self._still = still
        self._open: Counter[K] = Counter()
        self._ended: dict[K, asyncio.Event] = {}

    async def guard(self, reader: K, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """The stream until it ends or its reader may no longer read."""
        ended = self._ended.setdefault(reader, asyncio.Event())
        self._open[reader] += 1
        over = asyncio.ensure_future(ended.wait())
        try:
            while True:
                following = asyncio.ensure_future(_next(stream))
                try:
                    await asyncio.wait({over, following}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not following.done():
                        following.cancel()
                if over.done() or not (found := following.result()):
                    return
                yield found[0]
        finally:
            over.cancel()
            self._open[reader] -= 1
            if not self._open[reader]:
                del self._open[reader]
                self._ended.pop(reader, None)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop`."""
        while not stop.is_set():
            try:
                await self.look()
            except DATABASE_ERRORS as error:
                _log.warning("access.database_away", watch=self.name, error=repr(error))
            try:
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """End the streams of those who may no longer read. Raises what the database raises."""
        readers = frozenset(self._open)
        if readers:
            self.end(readers - await self._still(readers))

    def end(self, readers: frozenset[K]) -> None:
        """End the streams of these readers now."""
        for reader in readers:
            ended = self._ended.get(reader)
            if ended is not None and not ended.is_set():
                _log.info("access.ended", watch=self.name, streams=self._open[reader])
                ended.set()


async def _next(stream: AsyncIterator[T]) -> tuple[T] | None:
    """The next of the stream, or None at its end: StopAsyncIteration cannot leave a task."""
    try:
        return (await anext(stream),)
    except StopAsyncIteration:
        return None
