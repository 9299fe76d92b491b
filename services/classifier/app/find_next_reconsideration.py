"""When the passing of time alone may next change a level."""

from datetime import datetime

from services.classifier.store.reconsiderations import next_due
from shared.db.engine import Database


async def find_next_reconsideration(database: Database) -> datetime | None:
    """The earliest instant at which a case has to be judged again, aware and in UTC; None when there is none."""
    async with database.transaction() as tx:
        return await next_due(tx)
