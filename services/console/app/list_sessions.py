"""Where somebody is signed in."""

from dataclasses import dataclass
from datetime import datetime

from services.console.app.sign_in import Session
from services.console.store.sessions import sessions_of
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its person sees it. `here`: it is the one that asks."""

    address: str
    opened_at: datetime
    expires_at: datetime
    here: bool


async def list_sessions(session: Session, *, database: Database) -> list[ListedSession]:
    """Every session of this person, the newest first."""
    async with database.transaction() as tx:
        return [
            ListedSession(one.address, one.opened_at, one.expires_at, one.digest == session.digest)
            for one in await sessions_of(tx, session.person.name)
        ]
