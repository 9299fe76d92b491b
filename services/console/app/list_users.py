"""Who may sign in, and where they are signed in."""

from dataclasses import dataclass

from services.console.store.people import all_users
from services.console.store.sessions import sessions_of
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A person as an administrator sees them. `sessions`: how many have not ended."""

    name: str
    org: str
    role: str
    disabled: bool
    sessions: int


async def list_users(*, database: Database) -> list[ListedUser]:
    """Everybody, by name."""
    async with database.transaction() as tx:
        return [
            ListedUser(one.name, one.org, one.role, one.disabled_at is not None, len(await sessions_of(tx, one.name)))
            for one in await all_users(tx)
        ]
