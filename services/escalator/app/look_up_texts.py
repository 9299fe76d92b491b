"""Look up under which text of their plan cases are now."""

from collections.abc import Collection
from uuid import UUID

from services.escalator.store.moves import texts_of
from shared.db.engine import Database


async def look_up_texts(
    database: Database, plan: str, case_ids: Collection[UUID]
) -> dict[UUID, tuple[str, UUID | None]]:
    """The hash of the text each case is under now, and the command of the last move it refused."""
    async with database.transaction() as tx:
        return await texts_of(tx, plan, case_ids)
