"""What was registered, in the order of its reception, page by page."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.app.list_cases import BadCursorError
from services.console.domain.views import View, instant
from services.console.store import cases
from services.console.store.cases import ReportPlace
from shared.db.engine import Database

_MAX_SEQUENCE: Final = 2**31 - 1


async def list_reports(
    org: str,
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: str | None,
    database: Database,
) -> tuple[list[View], str | None]:
    """Reports received in [since, until), oldest first, and the cursor of the next page. Raises BadCursorError.

    Bodies are as the register published them: redacted, the complainant a keyed hash.
    """
    place = _read_cursor(after) if after else None
    async with database.transaction() as tx:
        rows = await cases.reports_between(tx, org, since, until, limit=limit + 1, after=place)
    following = _cursor(rows[limit - 1]) if len(rows) > limit else None
    return [_view(row) for row in rows[:limit]], following


def _view(row: dict[str, Any]) -> View:
    return {
        "case_id": str(row["case_id"]),
        "sequence": row["sequence"],
        "kind": row["kind"],
        "event_id": str(row["event_id"]),
        "received_at": instant(row["received_at"]),
        "body": row["body"],
    }


def _cursor(row: dict[str, Any]) -> str:
    text = json.dumps([row["received_at"].isoformat(), str(row["case_id"]), row["sequence"]])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str) -> ReportPlace:
    try:
        received_at, case_id, sequence = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        found = datetime.fromisoformat(received_at), UUID(case_id), int(sequence)
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise BadCursorError("the cursor is not one given by this list") from error
    if found[0].tzinfo is None or not 0 <= found[2] <= _MAX_SEQUENCE:
        raise BadCursorError("the cursor is not one given by this list")
    return found


__all__ = ["BadCursorError", "list_reports"]
