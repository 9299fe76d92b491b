"""The board: open cases, most urgent first."""

from dataclasses import dataclass
from typing import Any, Final

from services.console.domain.plan_words import PlanWords
from services.console.domain.rows import severity
from services.console.domain.views import View
from services.console.store import cases
from services.console.store.case_views import views_of
from services.console.store.cases import Filter
from services.console.store.letters import count_waiting
from shared.db.engine import Database

BOARD_LIMIT: Final = 200
MOST_ON_A_BOARD: Final = 1000


@dataclass(frozen=True, slots=True)
class Board:
    """What a board shows. `seq` is the highest number it includes: a live page continues from there.

    `more`: others fit the filter too and are less urgent than these.
    """

    cases: list[View]
    more: bool
    totals: dict[str, int]
    plans: list[dict[str, Any]]
    levels: list[dict[str, Any]]
    seq: int
    dead_letters: int


async def read_board(
    org: str, wanted: Filter, *, database: Database, words: PlanWords, limit: int = BOARD_LIMIT
) -> Board:
    """The most urgent cases that fit the filter, with totals over the open ones, those without a level apart."""
    async with database.transaction() as tx:
        seq, _ = await cases.newest_numbers(tx)
        rows = await cases.most_urgent(tx, org, wanted, limit + 1)
        views = await views_of(tx, org, rows[:limit], words)
        counted = await cases.counts(tx, org)
        letters = await count_waiting(tx, org)
    graded = [row for row in counted if row["level"] is not None]
    totals = {
        "open": sum(row["cases"] for row in graded),
        "unacknowledged": sum(row["unacknowledged"] for row in graded),
        "ungraded": sum(row["cases"] for row in counted if row["level"] is None),
    }
    return Board(views, len(rows) > limit, totals, _plans(counted, words), _levels(counted, words), seq, letters)


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
                "severity": severity(row["level_rank"], row["highest_rank"]),
                "cases": 0,
            },
        )
        entry["cases"] += row["cases"]
    return list(found.values())


__all__ = ["BOARD_LIMIT", "MOST_ON_A_BOARD", "Board", "Filter", "read_board"]
