"""What the auditor asks: each answer that is not nothing is a deadline about to be missed, or told of by nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.escalator.domain.decision import LANES
from services.escalator.domain.watching import Fault, FaultKind
from services.escalator.store.cases import CaseKey
from shared.db.tx import Row, Tx

_RECENT: Final = timedelta(minutes=2)
_OUTBOX_WINDOW: Final = 1_000_000
"""More than a service writes in two minutes; keeps the look into the outbox to its newest end."""
_NOWHERE: Final = (UUID(int=0), "")


@dataclass(frozen=True, slots=True)
class Looked:
    """Faults of one kind: how many in all, as far as one look counts, and the first few by name."""

    count: int
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice:
    """Cases of one look, and where the next one goes on; None: from the beginning again."""

    keys: tuple[CaseKey, ...]
    upto: CaseKey | None


async def overdue(tx: Tx, grace: timedelta, most: int, named: int) -> Looked:
    """Armed and due for longer than the grace, in every lane."""
    rows = await tx.fetch(
        """
        SELECT o.case_id, o.plan, o.subject, o.wake_at, c.org FROM (
            SELECT o.* FROM generate_series(0, CAST(:lanes AS int) - 1) AS l (lane) CROSS JOIN LATERAL (
                SELECT case_id, plan, subject, wake_at FROM timers WHERE lane = l.lane AND wake_at < :late
                ORDER BY wake_at LIMIT :most) o
            ORDER BY o.wake_at LIMIT :most) o
        JOIN cases c ON c.case_id = o.case_id AND c.plan = o.plan ORDER BY o.wake_at
        """,
        lanes=LANES,
        late=tx.now - grace,
        most=most,
    )
    return Looked(len(rows), tuple(_fault(FaultKind.OVERDUE, row, row["wake_at"]) for row in rows[:named]))


async def unpublished(tx: Tx, most: int, named: int) -> Looked:
    """Fired within the last minutes, and the event that should tell of it is not in the outbox."""
    rows = await tx.fetch(
        """
        SELECT f.case_id, f.plan, f.subject, f.fired_at, c.org FROM fires f
        JOIN cases c ON c.case_id = f.case_id AND c.plan = f.plan
        WHERE f.fired_at >= :recent AND NOT EXISTS (
            SELECT 1 FROM outbox o
            WHERE o.event_id = f.event_id AND o.seq > (SELECT coalesce(max(seq), 0) - :window FROM outbox))
        LIMIT :most
        """,
        recent=tx.now - _RECENT,
        window=_OUTBOX_WINDOW,
        most=most,
    )
    return Looked(len(rows), tuple(_fault(FaultKind.UNPUBLISHED, row, row["fired_at"]) for row in rows[:named]))


async def unarmed(tx: Tx, after: CaseKey | None, most: int) -> Slice:
    """Of the next `most` cases that count time, those with fewer timers of clocks than clocks that run."""
    rows = await tx.fetch(
        """
        SELECT c.case_id, c.plan, t.armed < c.clocks_running - c.clocks_ended AS unarmed
        FROM (SELECT case_id, plan, clocks_running, clocks_ended FROM cases
              WHERE clocks_running > 0 AND (case_id, plan) > (:after_id, :after_plan)
              ORDER BY case_id, plan LIMIT :most) c
        CROSS JOIN LATERAL (SELECT count(*) AS armed FROM timers
                            WHERE case_id = c.case_id AND plan = c.plan AND subject LIKE 'clock:%') t
        ORDER BY c.case_id, c.plan
        """,
        after_id=(after or _NOWHERE)[0],
        after_plan=(after or _NOWHERE)[1],
        most=most,
    )
    return Slice(tuple((row["case_id"], row["plan"]) for row in rows if row["unarmed"]), _upto(rows, most))


async def next_cases(tx: Tx, after: CaseKey | None, most: int) -> Slice:
    """Of the next `most` cases in the order of their keys, those that still have anything to wait for."""
    rows = await tx.fetch(
        "SELECT case_id, plan, is_open OR clocks_running > 0 AS waits FROM cases "
        "WHERE (case_id, plan) > (:after_id, :after_plan) ORDER BY case_id, plan LIMIT :most",
        after_id=(after or _NOWHERE)[0],
        after_plan=(after or _NOWHERE)[1],
        most=most,
    )
    return Slice(tuple((row["case_id"], row["plan"]) for row in rows if row["waits"]), _upto(rows, most))


def _upto(rows: Sequence[Row], most: int) -> CaseKey | None:
    return (rows[-1]["case_id"], rows[-1]["plan"]) if len(rows) == most else None


def _fault(kind: FaultKind, row: Row, since: datetime) -> Fault:
    return Fault(kind, row["org"], row["case_id"], row["plan"], row["subject"], since)
