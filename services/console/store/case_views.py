"""Cases with who was told about each."""

from typing import Any, Final

from services.console.domain.plan_words import PlanWords
from services.console.domain.views import View, by_case, case_view
from services.console.store import cases
from shared.db.tx import Tx

_TOLD_ON_BOARD: Final = 6


async def views_of(
    tx: Tx, org: str, rows: list[dict[str, Any]], words: PlanWords, *, shown: int = _TOLD_ON_BOARD
) -> list[View]:
    """Rows with who was told about each."""
    told = by_case(await cases.told(tx, org, [row["case_id"] for row in rows], shown=shown)) if rows else {}
    return [case_view(row, told.get((row["case_id"], row["plan"]), []), words) for row in rows]
