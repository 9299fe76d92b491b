"""Who was told about a case, by what, when, and what came of it."""

from typing import Any
from uuid import UUID

from services.notifier.store.deliveries import deliveries_of
from shared.db.engine import Database


async def show_deliveries(org: str, case_id: UUID, *, database: Database) -> list[dict[str, Any]]:
    """The case's ledger, within the organisation only. Empty when nothing was ever requested."""
    async with database.transaction() as tx:
        return await deliveries_of(tx, org, case_id)
