"""The codes that were sent, with what became of them."""

from datetime import datetime
from typing import Final

from services.notifier.domain.verification import Verification
from services.notifier.store.verifications import checks_of
from shared.db.engine import Database

_MOST: Final = 200


async def show_verifications(
    org: str, person: str | None, *, database: Database
) -> tuple[list[Verification], datetime]:
    """Of one person or of all, the last one first, with the present instant."""
    async with database.transaction() as tx:
        return await checks_of(tx, org, person, _MOST), tx.now
