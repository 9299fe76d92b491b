"""Cases newest first, page by page."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from services.console.domain.plan_words import PlanWords
from services.console.domain.views import View
from services.console.store import cases
from services.console.store.case_views import views_of
from services.console.store.cases import Filter
from shared.db.engine import Database


class BadCursorError(ValueError):
    """The cursor is not one of ours."""


async def list_cases(
    org: str, wanted: Filter, *, limit: int, cursor: str | None, database: Database, words: PlanWords
) -> tuple[list[View], str | None]:
    """Newest first, and the cursor of the next page. Raises BadCursorError."""
    before = _read_cursor(cursor) if cursor else None
    async with database.transaction() as tx:
        rows = await cases.newest(tx, org, wanted, limit + 1, before)
        more = len(rows) > limit
        rows = rows[:limit]
        views = await views_of(tx, org, rows, words)
    following = _cursor(rows[-1]) if more else None
    return views, following


def _cursor(row: dict[str, Any]) -> str:
    text = json.dumps([row["opened_at"].isoformat(), str(row["case_id"]), row["plan"]])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID, str]:
    try:
        opened_at, case_id, plan = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        found = datetime.fromisoformat(opened_at), UUID(case_id), str(plan)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise BadCursorError("the cursor is not one given by this list") from error
    if found[0].tzinfo is None or "\x00" in found[2]:
        raise BadCursorError("the cursor is not one given by this list")
    return found


__all__ = ["BadCursorError", "Filter", "list_cases"]
