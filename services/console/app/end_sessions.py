"""Signs a person out everywhere."""

from services.console.store.sessions import delete_sessions_of
from shared.db.engine import Database


async def end_sessions(name: str, *, database: Database) -> int:
    """How many sessions ended. Pages that are open elsewhere go within seconds; the person may sign in again."""
    async with database.transaction() as tx:
        return await delete_sessions_of(tx, name)
