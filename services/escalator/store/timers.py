"""The one timer table: only what is armed is in it, and it is read by its due instants.

Whoever touches a case's timers holds the lock on the case's row, so timers are never locked themselves. The present
is always a parameter: a volatile clock in the predicate would make every poll read the whole index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.escalator.domain.decision import Timer
from services.escalator.store.cases import CaseKey, StoredCase, read_case
from shared.db.tx import Tx


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer past its due instant with the case it belongs to, as the case is now."""

    stored: StoredCase
    timer: Timer


@dataclass(frozen=True, slots=True)
class TimerRow:
    key: CaseKey
    timer: Timer


@dataclass(frozen=True, slots=True)
class TimerFaults:
    """What must never be: each of these is a deadline about to be missed. `checked_to` goes into the next look."""

    overdue: int
    unarmed: int
    unpublished: int
    checked_to: CaseKey | None


async def claim_due(tx: Tx, limit: int) -> list[DueTimer]:
    """Due timers, earliest first, with their cases locked. Cases that somebody else holds are left to them.

    A timer may have been fired or moved by whoever held the case until just now; the case read here is the newest,
    and it alone says whether the timer still counts.
    """
    rows = await tx.fetch(
        "SELECT t.case_id, t.plan, t.subject, t.generation, t.threshold, t.due_at, "
        "CAST(c.body AS text) AS body, c.traceparent "
        "FROM timers t JOIN cases c ON c.case_id = t.case_id AND c.plan = t.plan "
        "WHERE t.due_at <= :now ORDER BY t.due_at LIMIT :limit FOR UPDATE OF c SKIP LOCKED",
        now=tx.now,
        limit=limit,
    )
    cases: dict[CaseKey, StoredCase] = {}
    found = []
    for row in rows:
        key = (row["case_id"], row["plan"])
        stored = cases.get(key)
        if stored is None:
            stored = cases[key] = read_case(row)
        found.append(DueTimer(stored, Timer(row["subject"], row["generation"], row["threshold"], row["due_at"])))
    return found


async def next_due(tx: Tx) -> datetime | None:
    """The earliest armed instant, in the past if somebody is late."""
    row = await tx.fetch_one("SELECT due_at FROM timers ORDER BY due_at LIMIT 1")
    return row["due_at"] if row is not None else None


async def arm(tx: Tx, rows: Sequence[TimerRow]) -> None:
    """Set these subjects' timers, whatever was armed for them before."""
    if not rows:
        return
    await tx.execute(
        "INSERT INTO timers (case_id, plan, subject, generation, threshold, due_at) "
        "SELECT * FROM unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:subjects AS text[]), "
        "CAST(:generations AS int[]), CAST(:thresholds AS text[]), CAST(:dues AS timestamptz[])) "
        "ON CONFLICT (case_id, plan, subject) DO UPDATE SET "
        "generation = excluded.generation, threshold = excluded.threshold, due_at = excluded.due_at",
        case_ids=[row.key[0] for row in rows],
        plans=[row.key[1] for row in rows],
        subjects=[row.timer.subject for row in rows],
        generations=[row.timer.generation for row in rows],
        thresholds=[row.timer.threshold for row in rows],
        dues=[row.timer.due_at for row in rows],
    )


async def disarm(tx: Tx, subjects: Sequence[tuple[CaseKey, str]]) -> None:
    """Remove the timers of these subjects."""
    if not subjects:
        return
    await tx.execute(
        "DELETE FROM timers t USING unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), "
        "CAST(:subjects AS text[])) AS k (case_id, plan, subject) "
        "WHERE t.case_id = k.case_id AND t.plan = k.plan AND t.subject = k.subject",
        case_ids=[key[0] for key, _ in subjects],
        plans=[key[1] for key, _ in subjects],
        subjects=[subject for _, subject in subjects],
    )


async def find_faults(tx: Tx, *, grace: timedelta, checked_to: CaseKey | None, most: int) -> TimerFaults:
    """Look for missed work at a cost that does not grow with the number of cases.

    Overdue beyond the grace; cases that count time with nothing armed (the next `most` cases after `checked_to`, so
    that repeated looks go round); fires of the last minutes whose event is not in the outbox.
    """
    row = await tx.fetch_one(
        """
        SELECT (SELECT count(*) FROM (SELECT 1 FROM timers WHERE due_at < :late LIMIT :most) o) AS overdue,
               (SELECT count(*) FROM (
                   SELECT 1 FROM fires f
                   WHERE f.fired_at >= :recent AND NOT EXISTS (
                       SELECT 1 FROM outbox o
                       WHERE o.event_id = f.event_id
                         AND o.seq > (SELECT coalesce(max(seq), 0) - :window FROM outbox))
                   LIMIT :most) p) AS unpublished
        """,
        late=tx.now - grace,
        recent=tx.now - _RECENT,
        window=_OUTBOX_WINDOW,
        most=most,
    )
    slice_ = await tx.fetch(
        """
        SELECT c.case_id, c.plan, t.case_id IS NULL AS unarmed
        FROM (SELECT case_id, plan FROM cases
              WHERE clocks_running > 0 AND (case_id, plan) > (:after_id, :after_plan)
              ORDER BY case_id, plan LIMIT :most) c
        LEFT JOIN LATERAL (SELECT case_id FROM timers
                           WHERE case_id = c.case_id AND plan = c.plan LIMIT 1) t ON true
        ORDER BY c.case_id, c.plan
        """,
        after_id=checked_to[0] if checked_to else UUID(int=0),
        after_plan=checked_to[1] if checked_to else "",
        most=most,
    )
    return TimerFaults(
        overdue=row["overdue"] if row is not None else 0,
        unarmed=sum(1 for one in slice_ if one["unarmed"]),
        unpublished=row["unpublished"] if row is not None else 0,
        checked_to=(slice_[-1]["case_id"], slice_[-1]["plan"]) if len(slice_) == most else None,
    )


_RECENT: Final = timedelta(minutes=2)
_OUTBOX_WINDOW: Final = 1_000_000
"""More than a service writes in two minutes; keeps the look into the outbox to its newest end."""
