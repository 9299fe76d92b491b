"""Reads cases and their histories. Every question names the organisation: no other's rows can come back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db.tx import Row as DatabaseRow
from shared.db.tx import Tx

Row = dict[str, Any]
ReportPlace = tuple[datetime, UUID, int]

_JSON: Final = frozenset(
    {
        "place",
        "acknowledged_by",
        "handled_by",
        "clocks",
        "asked",
        "decided",
        "details",
        "actor",
        "body",
        "criteria",
        "roles",
        "channels",
        "role_words",
        "reason_words",
    }
)
_SELECT: Final = """
SELECT c.*, k.decided FROM cases c LEFT JOIN LATERAL (
    SELECT decided FROM classifications k WHERE k.case_id = c.case_id AND k.plan = c.plan
    AND k.decided ->> 'id' = c.decided_by ORDER BY revision DESC LIMIT 1) k ON true
"""
_FILTER: Final = """
c.org = :org
AND (CAST(:open AS boolean) IS NULL OR c.is_open = :open)
AND (CAST(:graded AS boolean) IS NULL OR (c.level IS NOT NULL) = :graded)
AND (CAST(:state AS text) IS NULL OR c.state = :state)
AND (CAST(:level AS text) IS NULL OR c.level = :level)
AND (CAST(:plan AS text) IS NULL OR c.plan = :plan)
AND (CAST(:kind AS text) IS NULL OR c.kind = :kind)
AND (CAST(:text AS text) IS NULL OR c.number ILIKE :text OR c.title ILIKE :text OR c.topic ILIKE :text
    OR c.because ILIKE :text OR c.place::text ILIKE :text)
"""
_TOLD: Final = """
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY case_id, plan ORDER BY settled_at DESC, intent_id) AS nth FROM (
        SELECT d.case_id, d.plan, d.intent_id, d.request_id, d.purpose, d.step, d.role, d.person, d.person_label,
            d.channel, d.provider, d.settlement, d.attempts, d.reason, d.settled_at, d.role_words, d.reason_words,
            q.requested_at
        FROM deliveries d LEFT JOIN requests q ON q.request_id = d.request_id
        WHERE d.org = :org AND d.case_id = ANY(CAST(:ids AS uuid[]))
        UNION ALL
        SELECT r.case_id, r.plan, NULL, r.request_id, r.purpose, r.step, wanted.role, NULL, NULL, r.channels ->> 0,
            NULL, 'pending', 0, '', r.requested_at, NULL, NULL, r.requested_at
        FROM requests r, jsonb_array_elements_text(r.roles) AS wanted (role)
        WHERE r.org = :org AND r.case_id = ANY(CAST(:ids AS uuid[])) AND NOT EXISTS (
            SELECT 1 FROM deliveries d
            WHERE d.case_id = r.case_id AND d.request_id = r.request_id AND d.role = wanted.role OFFSET 0)
    ) AS one
) AS numbered WHERE nth <= :shown ORDER BY settled_at DESC, intent_id
"""
_TOLD_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases: None means any. `graded`: whether the case has reached a level of its plan."""

    open: bool | None = None
    graded: bool | None = None
    state: str | None = None
    level: str | None = None
    plan: str | None = None
    kind: str | None = None
    text: str | None = None

    def parameters(self, org: str) -> Row:
        text = self.text.strip()[:100] if self.text else ""
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {
            "org": org,
            "open": self.open,
            "graded": self.graded,
            "state": self.state,
            "level": self.level,
            "plan": self.plan,
            "kind": self.kind,
            "text": f"%{escaped}%" if escaped else None,
        }


async def most_urgent(tx: Tx, org: str, wanted: Filter, limit: int) -> list[Row]:
    """Highest severity first, then what nobody has acknowledged, then what is due soonest, then the oldest."""
    return _rows(
        await tx.fetch(
            f"{_SELECT} WHERE {_FILTER} ORDER BY c.level_rank::float8 / c.highest_rank DESC, "
            "c.acknowledged_at IS NOT NULL, c.due_at ASC NULLS LAST, c.opened_at, c.case_id, c.plan LIMIT :limit",
            limit=limit,
            **wanted.parameters(org),
        )
    )


async def newest(tx: Tx, org: str, wanted: Filter, limit: int, before: tuple[datetime, UUID, str] | None) -> list[Row]:
    """Newest first, from after the given (opened_at, case_id, plan) on."""
    opened_at, case_id, plan = before or (None, None, None)
    return _rows(
        await tx.fetch(
            f"{_SELECT} WHERE {_FILTER} AND (CAST(:opened_at AS timestamptz) IS NULL "
            "OR (c.opened_at, c.case_id, c.plan) < (:opened_at, CAST(:case_id AS uuid), CAST(:before_plan AS text))) "
            "ORDER BY c.opened_at DESC, c.case_id DESC, c.plan DESC LIMIT :limit",
            limit=limit,
            opened_at=opened_at,
            case_id=case_id,
            before_plan=plan,
            **wanted.parameters(org),
        )
    )


async def counts(tx: Tx, org: str) -> list[Row]:
    """Open cases by plan, state and level, for filters and totals."""
    return _rows(
        await tx.fetch(
            "SELECT plan, state, level, level_label, level_rank, highest_rank, count(*) AS cases, "
            "count(*) FILTER (WHERE acknowledged_at IS NULL) AS unacknowledged "
            "FROM cases WHERE org = :org AND is_open GROUP BY 1, 2, 3, 4, 5, 6",
            org=org,
        )
    )


async def by_id(tx: Tx, org: str, case_id: UUID) -> list[Row]:
    """The case under each plan it runs."""
    return _rows(
        await tx.fetch(
            f"{_SELECT} WHERE c.org = :org AND c.case_id = :case_id ORDER BY c.plan", org=org, case_id=case_id
        )
    )


async def touched_after(tx: Tx, seq: int, limit: int) -> list[Row]:
    """Cases of every organisation that changed after this board number, in the order of change."""
    return _rows(
        await tx.fetch(f"{_SELECT} WHERE c.touched > :seq ORDER BY c.touched LIMIT :limit", seq=seq, limit=limit)
    )


async def find_case(tx: Tx, org: str, number: str) -> UUID | None:
    """The case with this number, also when only its report is known yet."""
    row = await tx.fetch_one(
        "SELECT case_id FROM cases WHERE org = :org AND number = :number UNION ALL "
        "SELECT case_id FROM reports WHERE org = :org AND number = :number LIMIT 1",
        org=org,
        number=number,
    )
    return row["case_id"] if row else None


async def case_exists(tx: Tx, org: str, case_id: UUID) -> bool:
    """True when anything at all is known about the case."""
    row = await tx.fetch_one(
        "SELECT 1 FROM timeline WHERE org = :org AND case_id = :case_id LIMIT 1", org=org, case_id=case_id
    )
    return row is not None


async def told(tx: Tx, org: str, case_ids: Sequence[UUID], *, shown: int = _TOLD_SHOWN) -> list[Row]:
    """Latest settlements of these cases and requests not settled yet (`pending`), newest first within a case."""
    return _rows(
        await tx.fetch(
            _TOLD,
            org=org,
            ids=list(case_ids),
            shown=shown,
        )
    )


async def reports_of(tx: Tx, org: str, case_id: UUID) -> list[Row]:
    return _rows(
        await tx.fetch(
            "SELECT * FROM reports WHERE org = :org AND case_id = :case_id ORDER BY sequence", org=org, case_id=case_id
        )
    )


async def reports_between(
    tx: Tx, org: str, since: datetime | None, until: datetime | None, *, limit: int, after: ReportPlace | None
) -> list[Row]:
    """Received in [since, until), oldest first, from after the given (received_at, case_id, sequence) on."""
    received_at, case_id, sequence = after or (None, None, None)
    return _rows(
        await tx.fetch(
            "SELECT case_id, sequence, kind, event_id, received_at, body FROM reports WHERE org = :org "
            "AND (CAST(:since AS timestamptz) IS NULL OR received_at >= :since) "
            "AND (CAST(:until AS timestamptz) IS NULL OR received_at < :until) "
            "AND (CAST(:received_at AS timestamptz) IS NULL OR (received_at, case_id, sequence) "
            "> (:received_at, CAST(:case_id AS uuid), CAST(:sequence AS integer))) "
            "ORDER BY received_at, case_id, sequence LIMIT :limit",
            org=org,
            since=since,
            until=until,
            received_at=received_at,
            case_id=case_id,
            sequence=sequence,
            limit=limit,
        )
    )


async def classifications_of(tx: Tx, org: str, case_id: UUID) -> list[Row]:
    """All revisions, newest first within a plan."""
    return _rows(
        await tx.fetch(
            "SELECT * FROM classifications WHERE org = :org AND case_id = :case_id ORDER BY plan, revision DESC",
            org=org,
            case_id=case_id,
        )
    )


async def criteria_words(tx: Tx, hashes: Sequence[str]) -> dict[str, list[Row]]:
    """The criteria of these plan texts, by hash; a text nothing was told about yet is missing."""
    if not hashes:
        return {}
    rows = await tx.fetch(
        "SELECT sha256, criteria FROM plan_criteria WHERE sha256 = ANY(CAST(:hashes AS text[]))", hashes=list(hashes)
    )
    return {row["sha256"]: row["criteria"] for row in _rows(rows)}


async def history_of(tx: Tx, org: str, case_id: UUID, limit: int) -> list[Row]:
    """The newest lines, oldest first."""
    rows = _rows(
        await tx.fetch(
            "SELECT * FROM timeline WHERE org = :org AND case_id = :case_id ORDER BY at DESC, seq DESC LIMIT :limit",
            org=org,
            case_id=case_id,
            limit=limit,
        )
    )
    return rows[::-1]


async def lines_after(tx: Tx, seq: int, limit: int) -> list[Row]:
    """Lines of every organisation after this number, in the order they were written."""
    return _rows(
        await tx.fetch("SELECT * FROM timeline WHERE seq > :seq ORDER BY seq LIMIT :limit", seq=seq, limit=limit)
    )


async def newest_numbers(tx: Tx) -> tuple[int, int]:
    """The highest board number and the highest line number."""
    row = await tx.fetch_one(
        "SELECT (SELECT coalesce(max(touched), 0) FROM cases) AS board, "
        "(SELECT coalesce(max(seq), 0) FROM timeline) AS line"
    )
    return (row["board"], row["line"]) if row else (0, 0)


def _rows(found: Sequence[DatabaseRow]) -> list[Row]:
    return [{name: _value(name, value) for name, value in row.items()} for row in found]


def _value(name: str, value: Any) -> Any:
    return json.loads(value) if name in _JSON and isinstance(value, str) else value
