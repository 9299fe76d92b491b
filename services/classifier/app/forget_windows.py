"""Drop counts nobody reads any more."""

from datetime import timedelta
from typing import Final

from services.classifier.store.event_marks import forget_marks
from services.classifier.store.windows import forget_buckets, forget_groups
from shared.db.engine import Database

_BATCH: Final = 1000


async def forget_windows(database: Database, kept: timedelta) -> int:
    """Delete buckets and marks older than `kept`, and groups nothing was counted in since; how many rows.

    Small transactions: classification goes on meanwhile.
    """
    total = 0
    for forget in (forget_buckets, forget_groups, forget_marks):
        while True:
            async with database.transaction() as tx:
                deleted = await forget(tx, tx.now - kept, _BATCH)
            total += deleted
            if deleted < _BATCH:
                break
    return total
