"""Messages that had to wait, came in one with others, or were left out: each with its reason."""

from typing import Any

from services.notifier.store import noise
from shared.db.engine import Database


async def list_withheld(org: str, limit: int, *, database: Database) -> list[dict[str, Any]]:
    """The newest first."""
    async with database.transaction() as tx:
        return await noise.withheld(tx, org, limit)
