"""Marks of cases, to find those that are one event."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.classifier.domain.duplicates import Mark
from shared.db.tx import Tx


async def match_marks(tx: Tx, marks: Sequence[Mark]) -> list[Mark | None]:
    """Write the marks down; for each the earliest other case that has it and came close enough.

    Cases of one mark are looked at one after the other, and of those in one batch only an earlier one counts: so of
    two that are one event exactly one finds the other, in whatever order they are classified.
    """
    if not marks:
        return []
    await tx.fetch(
        "SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:locks AS bigint[])) AS l (k)",
        locks=sorted({mark.lock for mark in marks}),
    )
    given = {
        "marks": [mark.id for mark in marks],
        "cases": [mark.case_id for mark in marks],
        "received": [mark.received_at for mark in marks],
    }
    await tx.execute(
        "INSERT INTO event_marks (mark, case_id, number, received_at) SELECT * FROM unnest(CAST(:marks AS uuid[]), "
        "CAST(:cases AS uuid[]), CAST(:numbers AS text[]), CAST(:received AS timestamptz[])) ON CONFLICT DO NOTHING",
        **given,
        numbers=[mark.number for mark in marks],
    )
    rows = await tx.fetch(
        "SELECT o.case_id, o.number, o.received_at FROM unnest(CAST(:marks AS uuid[]), CAST(:cases AS uuid[]), "
        "CAST(:received AS timestamptz[]), CAST(:within AS interval[])) "
        "WITH ORDINALITY AS g (mark, case_id, received_at, within, place) "
        "LEFT JOIN LATERAL (SELECT m.case_id, m.number, m.received_at FROM event_marks AS m WHERE m.mark = g.mark "
        "AND m.case_id <> g.case_id AND m.duplicate_of IS DISTINCT FROM g.case_id "
        "AND m.received_at BETWEEN g.received_at - g.within AND g.received_at + g.within "
        "AND (m.case_id <> ALL(CAST(:cases AS uuid[])) OR (m.received_at, m.case_id) < (g.received_at, g.case_id)) "
        "ORDER BY m.received_at, m.case_id LIMIT 1) AS o ON true ORDER BY g.place",
        **given,
        within=[mark.within for mark in marks],
    )
    await tx.execute(
        "UPDATE event_marks AS m SET duplicate_of = g.other FROM unnest(CAST(:marks AS uuid[]), "
        "CAST(:cases AS uuid[]), CAST(:others AS uuid[])) AS g (mark, case_id, other) "
        "WHERE m.mark = g.mark AND m.case_id = g.case_id AND g.other IS NOT NULL",
        marks=given["marks"],
        cases=given["cases"],
        others=[row["case_id"] for row in rows],
    )
    return [
        replace(mark, case_id=row["case_id"], number=row["number"], received_at=row["received_at"])
        if row["case_id"] is not None
        else None
        for mark, row in zip(marks, rows, strict=True)
    ]


async def forget_marks(tx: Tx, before: datetime, limit: int) -> int:
    """Delete at most `limit` marks of cases received before the instant."""
    return await tx.execute(
        "WITH old AS (SELECT mark, case_id FROM event_marks WHERE received_at < :before "
        "ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED) "
        "DELETE FROM event_marks AS m USING old WHERE m.mark = old.mark AND m.case_id = old.case_id",
        before=before,
        limit=limit,
    )
