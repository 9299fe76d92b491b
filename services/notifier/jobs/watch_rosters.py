"""Doors: what will go wrong with rosters is looked for, and hand-overs are announced, at their intervals."""

from collections.abc import Awaitable, Callable

from shared.db.engine import is_transient
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


async def watch_rosters(look: Callable[[], Awaitable[int]]) -> None:
    """Look once. While the database is away nothing is looked for; the next time makes up for it."""
    try:
        await look()
    except Exception as error:
        if not is_transient(error):
            raise
        _log.warning("roster.database_away", error=repr(error))
