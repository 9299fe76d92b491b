"""A change beside the roster is taken back; it stays in the history."""

from uuid import UUID

from services.notifier.app.rules import Book
from services.notifier.store import roster_records
from shared.db.engine import Database
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


async def withdraw_change(org: str, change_id: UUID, by: str, *, book: Book, database: Database) -> bool:
    """False when the organisation has no such change in force."""
    async with database.transaction() as tx:
        found = await roster_records.withdraw_change(tx, org, change_id, by)
    if found:
        await book.refresh()
        _log.info("roster.change_withdrawn", org=org, change=str(change_id), by=by)
    return found
