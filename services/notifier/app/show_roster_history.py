"""Who changed a roster, when and how: versions and the changes beside them."""

from dataclasses import dataclass
from typing import Final

from services.notifier.domain.roster_changes import MadeChange
from services.notifier.store import roster_records
from services.notifier.store.roster_records import Version
from shared.db.engine import Database

_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class History:
    """The last ones first; withdrawn changes are among them."""

    versions: tuple[Version, ...]
    changes: tuple[MadeChange, ...]


async def show_roster_history(org: str, *, database: Database) -> History:
    """At most 500 of each."""
    async with database.transaction() as tx:
        versions = await roster_records.versions_of(tx, org, _SHOWN)
        changes = await roster_records.changes_of(tx, org, _SHOWN)
    return History(tuple(versions), tuple(changes))
