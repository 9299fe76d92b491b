"""Door: a roster may have changed, on disk or in the database."""

from typing import Protocol

from shared.db.engine import is_transient
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


class RefreshableRosters(Protocol):
    """Rosters that can be brought up to date."""

    async def refresh(self) -> bool: ...


async def reload_roster(rosters: RefreshableRosters) -> None:
    """Bring rosters up to date. While the database is away those in memory stay in force."""
    try:
        await rosters.refresh()
    except Exception as error:
        if not is_transient(error):
            raise
        _log.warning("roster.database_away", error=repr(error))
