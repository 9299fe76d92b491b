"""Takes a person's right to sign in away."""

from services.console.store.people import disable
from services.console.store.sessions import delete_sessions_of
from shared.db.engine import Database


async def disable_user(name: str, *, database: Database) -> bool:
    """Ends every session of the person; pages open elsewhere go within seconds. Their name stays in histories.

    False when there is nobody of this name who may sign in. `provision_user` lets them in again.
    """
    async with database.transaction() as tx:
        found = await disable(tx, name)
        if found:
            await delete_sessions_of(tx, name)
    return found
