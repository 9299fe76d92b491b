"""Door: silences may have been made or ended by another replica."""

from typing import Protocol

from shared.db.engine import is_transient
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


class RefreshableSilences(Protocol):
    """Silences that can be brought up to date."""

    async def refresh(self) -> None: ...


async def reload_silences(silences: RefreshableSilences) -> None:
    """Bring silences up to date. While the database is away those in memory stay in force."""
    try:
        await silences.refresh()
    except Exception as error:
        if not is_transient(error):
            raise
        _log.warning("silences.database_away", error=repr(error))
