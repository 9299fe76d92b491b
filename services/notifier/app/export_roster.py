"""The roster as text: as it was last taken over, or with the changes that are in force beside it."""

from services.notifier.app.rules import Book
from services.notifier.domain.roster_changes import overlaid
from services.notifier.domain.roster_diff import to_text
from services.notifier.store import roster_records
from shared.db.engine import Database


async def export_roster(org: str, *, with_changes: bool, database: Database, book: Book) -> str | None:
    """YAML that can be imported again; comments are kept without changes. None without a roster."""
    async with database.transaction() as tx:
        latest = (await roster_records.versions_of(tx, org, 1))[:1]
        base = book.base(org)
        if not latest or base is None:
            return None
        if not with_changes:
            return latest[0].text
        own = [one for one in await roster_records.changes_in_force(tx, tx.now) if one.org == org]
    return to_text(overlaid(base, own)[0])
