"""What the auditor asks: each answer that is not zero is a deadline about to be missed, or told of by nobody."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.escalator.domain.decision import LANES
from services.escalator.store.cases import CaseKey
from shared.db.tx import Tx

_RECENT: Final = timedelta(minutes=2)
_OUTBOX_WINDOW: Final = 1_000_000
"""More than a service writes in two minutes; keeps the look into the outbox to its newest end."""


@dataclass(frozen=True, slots=True)
class TimerFaults:
    """What must never be: each of these is a deadline about to be missed. `checked_to` goes into the next look."""

    overdue: int
    unarmed: int
    unpublished: int
    checked_to: CaseKey | None


async def find_faults(tx: Tx, *, grace: timedelta, checked_to: CaseKey | None, most: int) -> TimerFaults:
    """Look for missed work at a cost that does not grow with the number of cases.

    Overdue beyond the grace; cases that count time with nothing armed (the next `most` cases after `checked_to`, so
    that repeated looks go round); fires of the last minutes whose event is not in the outbox.
    """
    row = await tx.fetch_one(
        """
        SELECT (SELECT count(*) FROM (
                   SELECT 1 FROM generate_series(0, CAST(:lanes AS int) - 1) AS l (lane) CROSS JOIN LATERAL (
                       SELECT 1 FROM timers WHERE lane = l.lane AND wake_at < :late LIMIT :most) o
                   LIMIT :most) o) AS overdue,
               (SELECT count(*) FROM (
                   SELECT 1 FROM fires f
                   WHERE f.fired_at >= :recent AND NOT EXISTS (
                       SELECT 1 FROM outbox o
                       WHERE o.event_id = f.event_id
                         AND o.seq > (SELECT coalesce(max(seq), 0) - :window FROM outbox))
                   LIMIT :most) p) AS unpublished
        """,
        lanes=LANES,
        late=tx.now - grace,
        recent=tx.now - _RECENT,
        window=_OUTBOX_WINDOW,
        most=most,
    )
    slice_ = await tx.fetch(
        """
        SELECT c.case_id, c.plan, t.case_id IS NULL AND c.clocks_running > c.clocks_ended AS unarmed
        FROM (SELECT case_id, plan, clocks_running, clocks_ended FROM cases
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
