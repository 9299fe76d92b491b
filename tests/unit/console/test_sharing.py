"""Work that many want at once is done once, and never too early for anybody."""

import asyncio

import pytest

from services.console.web.sharing import SharedWork


class Press:
    """Counts what it made; may be held."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.free = asyncio.Event()

    async def make(self, what: str) -> str:
        self.made.append(what)
        await self.free.wait()
        return f"{what} {len(self.made)}"


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_wait_share_and_those_who_come_later_get_a_later_one() -> None:
    press, shared = Press(), SharedWork[str]()
    first = asyncio.create_task(shared.get("a", lambda: press.make("a")))
    await settled()
    later = [asyncio.create_task(shared.get("a", lambda: press.make("a"))) for _ in range(50)]
    await settled()
    assert press.made == ["a"], "one at a time"
    press.free.set()
    assert await first == "a 1"
    assert set(await asyncio.gather(*later)) == {"a 2"}
    assert press.made == ["a", "a"]


async def test_what_is_not_the_same_is_not_shared() -> None:
    press, shared = Press(), SharedWork[str]()
    press.free.set()
    made = (shared.get("a", lambda: press.make("a")), shared.get("b", lambda: press.make("b")))
    one, other = await asyncio.gather(*made)
    assert (one, other) == ("a 1", "b 2")


async def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    press, shared = Press(), SharedWork[str]()
    leaves, stays = (asyncio.create_task(shared.get("a", lambda: press.make("a"))) for _ in range(2))
    await settled()
    leaves.cancel()
    press.free.set()
    assert await stays == "a 1"


async def test_a_failure_is_everybodys_and_the_next_is_tried_anew() -> None:
    async def fail() -> str:
        raise ValueError("no database")

    press, shared = Press(), SharedWork[str]()
    press.free.set()
    told = await asyncio.gather(*(shared.get("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in told] == [ValueError, ValueError]
    assert await shared.get("a", lambda: press.make("a")) == "a 1"


async def test_nobody_left_to_get_a_failure_is_no_complaint(recwarn: pytest.WarningsRecorder) -> None:
    free = asyncio.Event()

    async def fail() -> str:
        await free.wait()
        raise ValueError("no database")

    shared = SharedWork[str]()
    only = asyncio.create_task(shared.get("a", fail))
    await settled()
    only.cancel()
    free.set()
    await settled()
    assert not recwarn
