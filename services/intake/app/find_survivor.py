"""Which case goes on for one that was merged: told to whoever answers for the old one. The answer follows by itself."""

import asyncio
from typing import Final
from uuid import UUID

from services.intake.app.answer_for_all import Desk, DeskAwayError
from services.intake.store.register import find_case
from shared.db.engine import Database
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_PATIENCE_S: Final = 1.0
_UNNUMBERED: Final = "预警 / warning"


async def find_survivor(
    database: Database, desk: Desk | None, *, org: str, case_id: UUID, plan: str | None
) -> str | None:
    """Its number; None for a case that stands by itself, and where the notifier cannot say within a second.

    Never raises for the notifier: nobody's answer waits for what is only worth knowing.
    """
    if desk is None:
        return None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await desk.survivor(case_id, plan)
    except (DeskAwayError, TimeoutError) as error:
        _log.warning("answer.survivor_unknown", case_id=str(case_id), reason=type(error).__name__)
        return None
    if found is None:
        return None
    if found.number is not None:
        return found.number
    async with database.transaction() as tx:
        case = await find_case(tx, org, case_id=found.case_id)
    return case.number if case is not None else _UNNUMBERED
