"""Messages that had to wait, came in one with others, or were left out: each with its reason."""

from typing import Any
from uuid import UUID

from services.notifier.store import noise
from shared.db.engine import Database


async def list_withheld(
    org: str, limit: int, *, database: Database, before: UUID | None = None
) -> list[dict[str, Any]]:
    """The newest first; `before` is the last of those listed already."""
    async with database.transaction() as tx:
        return await noise.withheld(tx, org, limit, before)
