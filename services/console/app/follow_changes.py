"""Tells live pages what changed: one question to the database for all of them, woken by PostgreSQL itself.

Recent changes are kept in memory, a bounded number; whoever falls further behind, or resumes from an older number,
reads the rest from the database. So a slow page costs nobody anything and misses nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from services.console.domain.plan_words import PlanWords
from services.console.domain.views import View, line_view
from services.console.store import cases
from services.console.store.case_views import views_of
from services.console.store.changes import listening
from shared.db.engine import DATABASE_ERRORS, Database
from shared.db.tx import Tx
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_KEPT: Final = 2000
_AT_ONCE: Final = 200
_LOOK_ANYWAY_S: Final = 2.0
_RECONNECT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of one organisation. `seq` rises; a page that resumes names the last one it has."""

    seq: int
    org: str
    view: View


Reader = Callable[[Tx, int], Awaitable[list[Changed]]]


class _Stream:
    """The newest changes of one kind."""

    def __init__(self, read: Reader) -> None:
        self.read = read
        self.last = 0
        self.floor = 0  # everything above it is kept; what is not needs the database
        self.kept: deque[Changed] = deque()
        self._moved = asyncio.Event()

    def begin(self, last: int) -> None:
        self.last = self.floor = last

    def add(self, changes: list[Changed]) -> None:
        if changes:
            self.kept.extend(changes)
            while len(self.kept) > _KEPT:
                self.floor = self.kept.popleft().seq
            self.last = changes[-1].seq
            self._moved.set()
            self._moved = asyncio.Event()

    async def moved(self) -> None:
        await self._moved.wait()


class Changes:
    """Lines of histories and changes of boards, as they happen."""

    def __init__(self, database: Database, words: PlanWords) -> None:
        self._database = database
        self._words = words
        self._wake = asyncio.Event()
        self._board = _Stream(self._read_board)
        self._lines = _Stream(_read_lines)
        self._ready = False

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the database until `stop`. A lost connection is opened again; nothing is missed meanwhile."""
        while not stop.is_set():
            try:
                async with listening(self._database, self._wake):
                    await self._start()
                    while not stop.is_set():
                        self._wake.clear()
                        await self._catch_up()
                        await _first(self._wake, stop, _LOOK_ANYWAY_S)
            except DATABASE_ERRORS as error:
                _log.warning("changes.database_away", error=repr(error))
                await _first(stop, stop, _RECONNECT_S)

    async def probe(self) -> str | None:
        """None when following; for readiness."""
        return None if self._ready else "the read model is not followed yet"

    def board(self, org: str, after: int | None) -> AsyncIterator[list[Changed]]:
        """Cases as they change; from the given board number on, or from now."""
        return self._follow(self._board, org, after)

    def lines(self, org: str, after: int | None) -> AsyncIterator[list[Changed]]:
        """Lines of histories as they are written; from the given number on, or from now."""
        return self._follow(self._lines, org, after)

    async def _follow(self, stream: _Stream, org: str, after: int | None) -> AsyncIterator[list[Changed]]:
        seen = stream.last if after is None else after
        while True:
            moved = asyncio.ensure_future(stream.moved())
            try:
                while seen < stream.last:
                    found = await self._next(stream, seen)
                    if not found:
                        break
                    seen = found[-1].seq
                    ours = [change for change in found if change.org == org]
                    if ours:
                        yield ours
                await moved
            finally:
                moved.cancel()

    async def _next(self, stream: _Stream, seen: int) -> list[Changed]:
        if seen >= stream.floor:
            return [change for change in stream.kept if change.seq > seen]
        async with self._database.transaction() as tx:
            return await stream.read(tx, seen)

    async def _start(self) -> None:
        if self._ready:
            return
        async with self._database.transaction() as tx:
            board, line = await cases.newest_numbers(tx)
        self._board.begin(board)
        self._lines.begin(line)
        self._ready = True

    async def _catch_up(self) -> None:
        for stream in (self._board, self._lines):
            while True:
                async with self._database.transaction() as tx:
                    found = await stream.read(tx, stream.last)
                stream.add(found)
                if len(found) < _AT_ONCE:
                    break

    async def _read_board(self, tx: Tx, seq: int) -> list[Changed]:
        rows = await cases.touched_after(tx, seq, _AT_ONCE)
        views: dict[int, View] = {}
        for org in {row["org"] for row in rows}:
            for view in await views_of(tx, org, [row for row in rows if row["org"] == org], self._words):
                views[view["seq"]] = view
        return [Changed(row["touched"], row["org"], views[row["touched"]]) for row in rows]


async def _read_lines(tx: Tx, seq: int) -> list[Changed]:
    return [Changed(row["seq"], row["org"], line_view(row)) for row in await cases.lines_after(tx, seq, _AT_ONCE)]


async def _first(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Wait until either is set or the time is over."""
    waits = {asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())}
    _, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in pending:
        wait.cancel()
