"""Finds a case by what people have in hand: its id or its number."""

from typing import Final
from uuid import UUID

from services.console.store import cases
from shared.db.engine import Database

_LONGEST_NUMBER: Final = 40


async def find_case(org: str, wanted: str, *, database: Database) -> UUID | None:
    """The case's id; None when the organisation has no such case."""
    try:
        case_id = UUID(wanted)
    except ValueError:
        case_id = None
    async with database.transaction() as tx:
        if case_id is not None:
            return case_id if await cases.case_exists(tx, org, case_id) else None
        if len(wanted) > _LONGEST_NUMBER or "\x00" in wanted:
            return None
        return await cases.find_case(tx, org, wanted)
