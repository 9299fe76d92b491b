"""Cases as lists: the board and the list behind the API."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.domain.plan_words import PlanWords
from services.console.domain.views import View, by_case, case_view
from services.console.store import cases
from services.console.store.cases import Filter
from services.console.store.letters import count_waiting
from shared.db.engine import Database
from shared.db.tx import Tx

BOARD_LIMIT: Final = 200
_TOLD_ON_BOARD: Final = 6


class BadCursorError(ValueError):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True)
class Board:
    """What a board shows. `seq` is the highest number it includes: a live page continues from there."""

    cases: list[View]
    totals: dict[str, int]
    plans: list[dict[str, Any]]
    levels: list[dict[str, Any]]
    seq: int
    dead_letters: int


async def read_board(
    org: str, wanted: Filter, *, database: Database, words: PlanWords, limit: int = BOARD_LIMIT
) -> Board:
    """The most urgent cases that fit the filter, with totals over all open ones."""
    async with database.transaction() as tx:
        seq, _ = await cases.newest_numbers(tx)
        views = await views_of(tx, org, await cases.most_urgent(tx, org, wanted, limit), words)
        counted = await cases.counts(tx, org)
        letters = await count_waiting(tx, org)
    totals = {
        "open": sum(row["cases"] for row in counted),
        "unacknowledged": sum(row["unacknowledged"] for row in counted),
    }
    return Board(views, totals, _plans(counted, words), _levels(counted, words), seq, letters)


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


async def views_of(
    tx: Tx, org: str, rows: list[dict[str, Any]], words: PlanWords, *, shown: int = _TOLD_ON_BOARD
) -> list[View]:
    """Rows with who was told about each."""
    told = by_case(await cases.told(tx, org, [row["case_id"] for row in rows], shown=shown)) if rows else {}
    return [case_view(row, told.get((row["case_id"], row["plan"]), []), words) for row in rows]


def _plans(counted: list[dict[str, Any]], words: PlanWords) -> list[dict[str, Any]]:
    found: dict[str, int] = {}
    for row in counted:
        found[row["plan"]] = found.get(row["plan"], 0) + row["cases"]
    return [
        {"id": plan, "label": words.title(plan).model_dump(), "cases": count} for plan, count in sorted(found.items())
    ]


def _levels(counted: list[dict[str, Any]], words: PlanWords) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(counted, key=lambda row: -row["level_rank"] / row["highest_rank"]):
        if row["level"] is None:
            continue
        entry = found.setdefault(
            row["level"],
            {
                "id": row["level"],
                "label": words.level(row["plan"], row["level"], row["level_label"]).model_dump(),
                "cases": 0,
            },
        )
        entry["cases"] += row["cases"]
    return list(found.values())


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


__all__ = ["BOARD_LIMIT", "BadCursorError", "Board", "Filter", "list_cases", "read_board", "views_of"]
