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
_EVERYWHERE: Final = (UUID(int=(1 << 128) - 1), "")


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


async def miscounted(tx: Tx, after: CaseKey | None, most: int, named: int) -> Slice:
    """Of the next `most` cases that wait for anything, those with other timers than they have armed, by number.

    At most `named` of them. Timers in that range which belong to no such case are looked at too. It costs a walk along
    both tables in the order of their keys: some microseconds a case.
    """
    bound = await tx.fetch_one(
        "SELECT case_id, plan FROM cases WHERE (is_open OR clocks_running > 0) "
        "AND (case_id, plan) > (:after_id, :after_plan) ORDER BY case_id, plan OFFSET :skipped LIMIT 1",
        skipped=most - 1,
        **_after(after),
    )
    upto = (bound["case_id"], bound["plan"]) if bound is not None else None
    rows = await tx.fetch(
        """
        SELECT case_id, plan FROM (
            SELECT case_id, plan, timers_armed FROM cases WHERE (is_open OR clocks_running > 0)
            AND (case_id, plan) > (:after_id, :after_plan) AND (case_id, plan) <= (:upto_id, :upto_plan)
        ) c FULL JOIN (
            SELECT case_id, plan, count(*) AS armed FROM timers
            WHERE (case_id, plan) > (:after_id, :after_plan) AND (case_id, plan) <= (:upto_id, :upto_plan)
            GROUP BY case_id, plan
        ) t USING (case_id, plan)
        WHERE coalesce(c.timers_armed, 0) <> coalesce(t.armed, 0) ORDER BY case_id, plan LIMIT :named
        """,
        upto_id=(upto or _EVERYWHERE)[0],
        upto_plan=(upto or _EVERYWHERE)[1],
        named=named,
        **_after(after),
    )
    return Slice(tuple((row["case_id"], row["plan"]) for row in rows), upto)


async def next_cases(tx: Tx, after: CaseKey | None, most: int) -> Slice:
    """The next `most` cases that wait for anything, in the order of their keys."""
    rows = await tx.fetch(
        "SELECT case_id, plan FROM cases WHERE (is_open OR clocks_running > 0) "
        "AND (case_id, plan) > (:after_id, :after_plan) ORDER BY case_id, plan LIMIT :most",
        most=most,
        **_after(after),
    )
    return Slice(tuple((row["case_id"], row["plan"]) for row in rows), _upto(rows, most))


def _after(after: CaseKey | None) -> dict[str, UUID | str]:
    case_id, plan = after or _NOWHERE
    return {"after_id": case_id, "after_plan": plan}


def _upto(rows: Sequence[Row], most: int) -> CaseKey | None:
    return (rows[-1]["case_id"], rows[-1]["plan"]) if len(rows) == most else None


def _fault(kind: FaultKind, row: Row, since: datetime) -> Fault:
    return Fault(kind, row["org"], row["case_id"], row["plan"], row["subject"], since)
