"""Door: the roster on disk may have changed."""

import asyncio
from typing import Protocol


class ReloadableRosters(Protocol):
    """Rosters that can be read again."""

    def reload(self) -> bool: ...


async def reload_roster(rosters: ReloadableRosters) -> None:
    """Read again off the event loop: a large roster takes a moment."""
    await asyncio.to_thread(rosters.reload)
