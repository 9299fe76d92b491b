"""Open streams and the right to read them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.console.app.watch_access import AccessWatch


class Rights:
    """Who may read; asked as the database is."""

    def __init__(self, *readers: str) -> None:
        self.readers = set(readers)
        self.asked: list[frozenset[str]] = []

    async def still(self, readers: frozenset[str]) -> frozenset[str]:
        self.asked.append(readers)
        return readers & self.readers


async def numbers(queue: asyncio.Queue[int]) -> AsyncIterator[int]:
    while True:
        yield await queue.get()


async def read(watch: AccessWatch[str], reader: str, queue: asyncio.Queue[int], got: list[int]) -> None:
    async for number in watch.guard(reader, numbers(queue)):
        got.append(number)  # noqa: PERF401  # seen as they come


async def opened(watch: AccessWatch[str], reader: str) -> "tuple[asyncio.Task[None], asyncio.Queue[int], list[int]]":
    queue: asyncio.Queue[int] = asyncio.Queue()
    got: list[int] = []
    task = asyncio.create_task(read(watch, reader, queue, got))
    await settled()
    return task, queue, got


async def settled() -> None:
    """Everything that can go on without waiting has."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_stream_that_waits_ends_with_the_right_to_read_it_and_others_go_on() -> None:
    rights = Rights("one", "two")
    watch = AccessWatch("test", rights.still)
    ends, queue, got = await opened(watch, "one")
    goes_on, other, _ = await opened(watch, "two")
    queue.put_nowait(7)
    await settled()
    await watch.look()
    assert not ends.done()
    rights.readers.discard("one")
    await watch.look()
    await asyncio.wait_for(ends, 5)
    assert got == [7]
    other.put_nowait(8)
    await settled()
    assert not goes_on.done()
    goes_on.cancel()


async def test_every_stream_of_a_reader_ends_and_a_later_one_is_looked_at_anew() -> None:
    rights = Rights()
    watch = AccessWatch("test", rights.still)
    streams = [(await opened(watch, "one"))[0] for _ in range(3)]
    await watch.look()
    await asyncio.wait_for(asyncio.gather(*streams), 5)
    rights.readers.add("one")
    later, _, _ = await opened(watch, "one")
    await watch.look()
    await settled()
    assert not later.done()
    later.cancel()


async def test_nobody_is_asked_about_when_no_stream_is_open() -> None:
    rights = Rights("one")
    watch = AccessWatch("test", rights.still)
    stream, _, _ = await opened(watch, "one")
    stream.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stream
    await watch.look()
    assert rights.asked == []


async def test_a_stream_that_ends_by_itself_ends() -> None:
    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    watch = AccessWatch("test", Rights("one").still)
    assert [number async for number in watch.guard("one", three())] == [0, 1, 2]


async def test_a_database_that_is_away_cuts_nobody_off_and_the_watch_goes_on() -> None:
    asked = asyncio.Event()

    async def away(_: frozenset[str]) -> frozenset[str]:
        asked.set()
        raise ConnectionRefusedError("no database")

    watch = AccessWatch("test", away)
    stream, _, _ = await opened(watch, "one")
    stop = asyncio.Event()
    watching = asyncio.create_task(watch.run(stop))
    await asyncio.wait_for(asked.wait(), 5)
    stop.set()
    await asyncio.wait_for(watching, 5)
    assert not stream.done()
    stream.cancel()
