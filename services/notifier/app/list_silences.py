"""The silences that were made, the last one first."""

from services.notifier.domain.silence_file import MadeSilence
from services.notifier.store import silences
from shared.db.engine import Database


async def list_silences(org: str, limit: int, *, database: Database) -> list[MadeSilence]:
    """Those that are over or were ended too."""
    async with database.transaction() as tx:
        return await silences.listed(tx, org, limit)
