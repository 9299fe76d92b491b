"""What is erased of cases here, which are held, and which have been over for longer than they are kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.escalator.domain.case import ENDED_STATES, Case
from services.escalator.domain.retention import KEPT_CHANGES, KEPT_DETAILS
from shared.db.tx import Tx

_OF_CASES: Final = ("timers", "fires", "clock_entries", "changes", "cases", "holds")
_IDS: Final = "case_id = ANY(CAST(:ids AS uuid[]))"


def note_holds(tx: Tx, held: Mapping[UUID, Case], released: Collection[UUID]) -> None:
    """Which cases are held from now on, and which no longer are."""
    if held:
        ids = sorted(held)
        tx.later(
            "INSERT INTO holds (case_id, org, held_at) SELECT t.* FROM unnest(CAST(:ids AS uuid[]), "
            "CAST(:orgs AS text[]), CAST(:since AS timestamptz[])) AS t ON CONFLICT (case_id) DO NOTHING",
            ids=ids,
            orgs=[held[case_id].org for case_id in ids],
            since=[hold.at if (hold := held[case_id].hold) is not None else tx.now for case_id in ids],
        )
    if released:
        tx.later(f"DELETE FROM holds WHERE {_IDS}", ids=sorted(released))  # noqa: S608  # a constant


async def erase_personal_data(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Empty the words of the history: what a change says, and details that are no ids; reasons of clock entries."""
    changes = await tx.execute(
        "UPDATE changes SET because = '', details = (SELECT coalesce(jsonb_object_agg(key, value), '{}') "
        "FROM jsonb_each(details) WHERE key = ANY(CAST(:kept AS text[]))) "
        "WHERE case_id = ANY(CAST(:ids AS uuid[])) AND NOT kind = ANY(CAST(:records AS text[])) AND because <> ''",
        ids=list(case_ids),
        kept=list(KEPT_DETAILS),
        records=[kind.value for kind in KEPT_CHANGES],
    )
    # The reason of a recount is the name of a calendar.
    entries = await tx.execute(
        f"UPDATE clock_entries SET body = body - 'reason' WHERE {_IDS} AND kind <> 'recount' "  # noqa: S608  # a constant
        "AND body ->> 'reason' IS NOT NULL",
        ids=list(case_ids),
    )
    return changes + entries


async def erase_whole_cases(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Delete every row of these cases; that they were erased stays."""
    rows = 0
    for table in _OF_CASES:
        rows += await tx.execute(f"DELETE FROM {table} WHERE {_IDS}", ids=list(case_ids))  # noqa: S608  # constants
    return rows


async def count_holds(tx: Tx) -> int:
    """How many cases are held."""
    row = await tx.fetch_one("SELECT count(*) AS held FROM holds")
    return int(row["held"]) if row is not None else 0


async def overdue_cases(tx: Tx, *, before: datetime, whole: bool, after: UUID, below: UUID, limit: int) -> list[UUID]:
    """Cases that are over under every plan and at which nothing has happened since, by id, in (after, below).

    Held ones are left out, and those of which that part is erased already; `whole`: of which nothing is to stay.
    """
    rows = await tx.fetch(
        """
        SELECT DISTINCT case_id FROM (
            SELECT c.case_id FROM cases AS c WHERE c.case_id > :after AND c.case_id < :below
            AND c.state = ANY(CAST(:over AS text[])) AND c.changed_at < :before
            AND NOT EXISTS (SELECT FROM holds AS h WHERE h.case_id = c.case_id)
            AND NOT EXISTS (SELECT FROM cases AS o WHERE o.case_id = c.case_id
                AND (o.changed_at >= :before OR NOT o.state = ANY(CAST(:over AS text[]))))
            AND (:whole OR NOT EXISTS (SELECT FROM erasures AS e WHERE e.case_id = c.case_id))
            ORDER BY c.case_id LIMIT :limit FOR UPDATE OF c SKIP LOCKED) AS due
        ORDER BY case_id
        """,
        over=[state.value for state in ENDED_STATES],
        after=after,
        below=below,
        before=before,
        whole=whole,
        limit=limit,
    )
    return [row["case_id"] for row in rows]


async def oldest_kept(tx: Tx, *, whole: bool) -> datetime | None:
    """Since when the first case that is over has been, of those that hold this part still; None when there is none."""
    row = await tx.fetch_one(
        "SELECT c.changed_at FROM cases AS c WHERE c.state = ANY(CAST(:over AS text[])) "
        "AND (:whole OR NOT EXISTS (SELECT FROM erasures AS e WHERE e.case_id = c.case_id)) "
        "ORDER BY c.case_id LIMIT 1",
        over=[state.value for state in ENDED_STATES],
        whole=whole,
    )
    return row["changed_at"] if row is not None else None


async def only_run(tx: Tx) -> bool:
    """True in one replica at a time, until the transaction ends."""
    row = await tx.fetch_one(
        "SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.retention')) AS mine",
    )
    return row is not None and bool(row["mine"])
