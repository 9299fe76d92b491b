"""When time alone may change a level: one row a case and plan, the next instant only."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from shared.db.tx import Tx


def arm(tx: Tx, due: Mapping[tuple[UUID, str], datetime | None]) -> None:
    """Set the next instant of each case and plan; None takes it away. The caller holds the cases' rows."""
    armed = sorted((key, at) for key, at in due.items() if at is not None)
    gone = sorted(key for key, at in due.items() if at is None)
    if armed:
        tx.later(
            "INSERT INTO reconsiderations (case_id, plan, due_at) "
            "SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:plans AS text[]), CAST(:due AS timestamptz[])) "
            "ON CONFLICT (case_id, plan) DO UPDATE SET due_at = EXCLUDED.due_at",
            ids=[case_id for (case_id, _), _ in armed],
            plans=[plan for (_, plan), _ in armed],
            due=[at for _, at in armed],
        )
    if gone:
        tx.later(
            "DELETE FROM reconsiderations AS r "
            "USING unnest(CAST(:ids AS uuid[]), CAST(:plans AS text[])) AS g (case_id, plan) "
            "WHERE r.case_id = g.case_id AND r.plan = g.plan",
            ids=[case_id for case_id, _ in gone],
            plans=[plan for _, plan in gone],
        )


async def next_due(tx: Tx) -> datetime | None:
    """The earliest instant armed, or None."""
    row = await tx.fetch_one("SELECT min(due_at) AS due FROM reconsiderations")
    return row["due"] if row else None


async def overdue(tx: Tx, by: timedelta) -> int:
    """How many instants passed longer ago than `by` without being worked on."""
    row = await tx.fetch_one("SELECT count(*) AS n FROM reconsiderations WHERE due_at < :before", before=tx.now - by)
    return int(row["n"]) if row else 0
