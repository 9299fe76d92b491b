"""A silence ends before its time: what waited for it is decided anew at once."""

from collections.abc import Callable
from uuid import UUID

from services.notifier.app.rules import SilenceKeeper
from services.notifier.store import silences
from shared.db.engine import Database


async def end_silence(
    org: str, silence_id: UUID, by: str, *, book: SilenceKeeper, database: Database, wake: Callable[[], None]
) -> bool:
    """False when there is no such silence in force."""
    async with database.transaction() as tx:
        if not await silences.end(tx, org, silence_id, by):
            return False
    # In this order: what is looked at from now on no longer meets the silence.
    await book.refresh()
    async with database.transaction() as tx:
        await silences.wake_held(tx, org)
        tx.after_commit.append(wake)
    return True
