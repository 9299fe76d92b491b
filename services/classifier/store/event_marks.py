"""Marks of cases, to find those that are one event."""

from collections.abc import Sequence
from datetime import datetime

from services.classifier.domain.duplicates import Mark
from shared.db.tx import Tx


async def match_marks(tx: Tx, marks: Sequence[Mark]) -> list[Mark | None]:
    """Write each mark down; for each the earliest other case with it, in the order given.

    Cases of one mark are looked at one after the other, so of two that come together exactly one finds the other, in
    whatever order they are classified.
    """
    if not marks:
        return []
    await tx.fetch(
        "SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:locks AS bigint[])) AS l (k)",
        locks=sorted({mark.lock for mark in marks}),
    )
    found: list[Mark | None] = []
    for mark in marks:
        other = await tx.fetch_one(
            "SELECT case_id, number, received_at FROM event_marks WHERE mark = :mark AND case_id <> :case "
            "AND duplicate_of IS DISTINCT FROM :case AND received_at BETWEEN :earliest AND :latest "
            "ORDER BY received_at, case_id LIMIT 1",
            mark=mark.id,
            case=mark.case_id,
            earliest=mark.received_at - mark.within,
            latest=mark.received_at + mark.within,
        )
        await tx.execute(
            "INSERT INTO event_marks (mark, case_id, number, received_at, duplicate_of) "
            "VALUES (:mark, :case, :number, :at, :other) ON CONFLICT (mark, case_id) DO UPDATE "
            "SET duplicate_of = EXCLUDED.duplicate_of",
            mark=mark.id,
            case=mark.case_id,
            number=mark.number,
            at=mark.received_at,
            other=other["case_id"] if other else None,
        )
        found.append(
            Mark(mark.id, other["case_id"], other["number"], other["received_at"], mark.within) if other else None
        )
    return found


async def forget_marks(tx: Tx, before: datetime, limit: int) -> int:
    """Delete at most `limit` marks of cases received before the instant."""
    return await tx.execute(
        "WITH old AS (SELECT mark, case_id FROM event_marks WHERE received_at < :before "
        "ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED) "
        "DELETE FROM event_marks AS m USING old WHERE m.mark = old.mark AND m.case_id = old.case_id",
        before=before,
        limit=limit,
    )
