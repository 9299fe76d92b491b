"""Dead letters as people see them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.domain.views import instant
from services.console.store.letters import list_letters
from shared.db.engine import Database

_SEPARATOR: Final = "_"


class BadCursorError(ValueError):
    """The cursor is not one of ours."""


async def read_dead_letters(
    org: str, *, database: Database, limit: int, waiting: bool | None = None, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Newest first, and the cursor of the next page. Raises BadCursorError."""
    before = _read_cursor(cursor) if cursor else None
    async with database.transaction() as tx:
        rows = await list_letters(tx, org, limit=limit + 1, waiting=waiting, before=before)
    more = len(rows) > limit
    rows = rows[:limit]
    following = f"{rows[-1]['buried_at'].isoformat()}{_SEPARATOR}{rows[-1]['id']}" if more else None
    return [_view(row) for row in rows], following


def _view(row: dict[str, Any]) -> dict[str, Any]:
    view = dict(row)
    for name in ("id", "case_id"):
        view[name] = str(row[name]) if row[name] else None
    for name in ("first_failed_at", "buried_at", "replayed_at"):
        view[name] = instant(row[name])
    return view


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    buried_at, _, letter_id = cursor.partition(_SEPARATOR)
    try:
        found = datetime.fromisoformat(buried_at), UUID(letter_id)
    except ValueError as error:
        raise BadCursorError("the cursor is not one given by this list") from error
    if found[0].tzinfo is None:
        raise BadCursorError("the cursor is not one given by this list")
    return found
