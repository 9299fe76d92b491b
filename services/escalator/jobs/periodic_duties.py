"""Looks every half minute for duties of organisations that have come round."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

EVERY: Final = timedelta(seconds=30)


def periodic_duties(tell: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[None]]:
    """The job: tell what is due. What fails is tried again by the next run, for nothing of it was written."""

    async def run() -> None:
        await tell()

    return run
