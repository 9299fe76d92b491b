"""Which case goes on for one that was merged, for whoever answers a message about it."""

from dataclasses import dataclass
from uuid import UUID

from services.notifier.store.merged_cases import survivor_of
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class Survivor:
    """`number` as its messages named it; None where nobody was told of it yet."""

    case_id: UUID
    number: str | None


async def find_survivor(org: str, case_id: UUID, plan: str | None, *, database: Database) -> Survivor | None:
    """The end of the chain of merges, under `plan` or any; None for a case that stands by itself."""
    async with database.transaction() as tx:
        row = await survivor_of(tx, org, case_id, plan)
    return Survivor(row["case_id"], row["number"]) if row is not None else None
