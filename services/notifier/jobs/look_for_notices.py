"""Door: time to look for notices to complainants."""

from collections.abc import Awaitable, Callable

from shared.db.engine import is_transient
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


async def look_for_notices(tell: Callable[[], Awaitable[int]]) -> None:
    """Until none is due. While the database is away nothing is looked for; the next time makes up for it."""
    try:
        while await tell():
            pass
    except Exception as error:
        if not is_transient(error):
            raise
        _log.warning("complainant.database_away", error=repr(error))
