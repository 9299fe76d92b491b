"""Writes the read model in multi-row statements that give the same rows in any order and multiplicity of events.

Every statement takes its rows as one JSON array: one parameter, one plan, any number of rows.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from shared.db.tx import Tx

Row = dict[str, Any]

# Writers take turns, so that `timeline.seq` and `board_seq` rise in the order of commits: a live page that has seen a
# number can never miss a smaller one that commits later.
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.projection'))"
_ANNOUNCE: Final = "SELECT pg_notify(current_schema() || '_changed', '')"

_CASES: Final = """
INSERT INTO cases (case_id, plan, org, number, kind, title, topic, place, plan_version, plan_sha256, revision, state,
    level, level_label, level_rank, highest_rank, tier, tier_label, next_tier, next_tier_at, acknowledged_by,
    acknowledged_at, handled_by, decided_by, because, opened_at, changed_at, due_at, clocks, is_open, drill, asked,
    touched)
SELECT DISTINCT ON (case_id, plan) case_id, plan, org, number, kind, title, topic, place, plan_version, plan_sha256,
    revision, state, level, level_label, level_rank, highest_rank, tier, tier_label, next_tier, next_tier_at,
    acknowledged_by, acknowledged_at, handled_by, decided_by, because, opened_at, changed_at, due_at, clocks, is_open,
    drill, asked, nextval('board_seq')
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (case_id uuid, plan text, org text, number text, kind text,
    title text, topic text, place jsonb, plan_version integer, plan_sha256 text, revision integer, state text,
    level text, level_label text, level_rank integer, highest_rank integer, tier text, tier_label text,
    next_tier text, next_tier_at timestamptz, acknowledged_by jsonb, acknowledged_at timestamptz, handled_by jsonb,
    decided_by text, because text, opened_at timestamptz, changed_at timestamptz, due_at timestamptz, clocks jsonb,
    is_open boolean, drill boolean, asked jsonb)
ORDER BY case_id, plan, revision DESC
ON CONFLICT (case_id, plan) DO UPDATE SET (number, title, topic, place, plan_version, plan_sha256, revision, state,
    level, level_label, level_rank, highest_rank, tier, tier_label, next_tier, next_tier_at, acknowledged_by,
    acknowledged_at, handled_by, decided_by, because, opened_at, changed_at, due_at, clocks, is_open, drill, asked,
    touched)
= (EXCLUDED.number, EXCLUDED.title, EXCLUDED.topic, EXCLUDED.place, EXCLUDED.plan_version, EXCLUDED.plan_sha256,
    EXCLUDED.revision, EXCLUDED.state, EXCLUDED.level, EXCLUDED.level_label, EXCLUDED.level_rank,
    EXCLUDED.highest_rank, EXCLUDED.tier, EXCLUDED.tier_label, EXCLUDED.next_tier, EXCLUDED.next_tier_at,
    EXCLUDED.acknowledged_by, EXCLUDED.acknowledged_at, EXCLUDED.handled_by, EXCLUDED.decided_by, EXCLUDED.because,
    EXCLUDED.opened_at, EXCLUDED.changed_at, EXCLUDED.due_at, EXCLUDED.clocks, EXCLUDED.is_open, EXCLUDED.drill,
    EXCLUDED.asked, EXCLUDED.touched)
WHERE cases.revision < EXCLUDED.revision
"""

_LINES: Final = """
INSERT INTO timeline (event_id, line, org, case_id, plan, number, at, kind, tone, zh, en, details, actor, causation)
SELECT event_id, line, org, case_id, plan, number, at, kind, tone, zh, en, details, actor, causation
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (event_id uuid, line integer, org text, case_id uuid, plan text,
    number text, at timestamptz, kind text, tone text, zh text, en text, details jsonb, actor jsonb, causation text)
ON CONFLICT DO NOTHING
"""

_REPORTS: Final = """
INSERT INTO reports (case_id, sequence, org, event_id, kind, number, received_at, body)
SELECT case_id, sequence, org, event_id, kind, number, received_at, body
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (case_id uuid, sequence integer, org text, event_id uuid,
    kind text, number text, received_at timestamptz, body jsonb)
ON CONFLICT DO NOTHING
"""

_CLASSIFICATIONS: Final = """
INSERT INTO classifications (case_id, plan, revision, org, event_id, number, classified_at, body, decided)
SELECT case_id, plan, revision, org, event_id, number, classified_at, body, decided
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (case_id uuid, plan text, revision integer, org text,
    event_id uuid, number text, classified_at timestamptz, body jsonb, decided jsonb)
ON CONFLICT DO NOTHING
"""

_CRITERIA: Final = """
INSERT INTO plan_criteria (sha256, criteria)
SELECT DISTINCT ON (sha256) sha256, criteria
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (sha256 text, criteria jsonb)
ON CONFLICT DO NOTHING
"""

_REQUESTS: Final = """
INSERT INTO requests (request_id, case_id, plan, org, event_id, purpose, step, roles, channels, requested_at)
SELECT request_id, case_id, plan, org, event_id, purpose, step, roles, channels, requested_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (request_id uuid, case_id uuid, plan text, org text,
    event_id uuid, purpose text, step integer, roles jsonb, channels jsonb, requested_at timestamptz)
ON CONFLICT DO NOTHING
"""

_DELIVERIES: Final = """
INSERT INTO deliveries (intent_id, case_id, plan, org, event_id, request_id, purpose, step, role, person,
    person_label, channel, provider, settlement, attempts, reason, settled_at, role_words, reason_words)
SELECT DISTINCT ON (intent_id) intent_id, case_id, plan, org, event_id, request_id, purpose, step, role, person,
    person_label, channel, provider, settlement, attempts, reason, settled_at, role_words, reason_words
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (intent_id uuid, case_id uuid, plan text, org text, event_id uuid,
    request_id uuid, purpose text, step integer, role text, person text, person_label text, channel text,
    provider text, settlement text, attempts integer, reason text, settled_at timestamptz,
    role_words jsonb, reason_words jsonb)
ORDER BY intent_id, settled_at DESC, event_id DESC
ON CONFLICT (intent_id) DO UPDATE SET (event_id, role, person, person_label, channel, provider, settlement, attempts,
    reason, settled_at, role_words, reason_words)
= (EXCLUDED.event_id, EXCLUDED.role, EXCLUDED.person, EXCLUDED.person_label, EXCLUDED.channel, EXCLUDED.provider,
    EXCLUDED.settlement, EXCLUDED.attempts, EXCLUDED.reason, EXCLUDED.settled_at, EXCLUDED.role_words,
    EXCLUDED.reason_words)
WHERE (deliveries.settled_at, deliveries.event_id) < (EXCLUDED.settled_at, EXCLUDED.event_id)
"""

_TOUCH: Final = """
UPDATE cases SET touched = nextval('board_seq')
WHERE case_id IN (SELECT DISTINCT id FROM unnest(CAST(:ids AS uuid[])) AS t (id))
"""


async def take_turn(tx: Tx) -> None:
    """Wait until no other transaction writes the read model; held until this one ends."""
    await tx.execute(_TURN)


async def announce(tx: Tx) -> None:
    """Wake live pages when this transaction commits."""
    await tx.execute(_ANNOUNCE)


async def add_lines(tx: Tx, rows: Sequence[Row]) -> None:
    """Append lines of histories; a line that is there stays as it is."""
    await _write(tx, _LINES, rows)


async def save_cases(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep the highest revision of each case under each plan."""
    await _write(tx, _CASES, rows)


async def add_reports(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep every registered fact."""
    await _write(tx, _REPORTS, rows)


async def add_classifications(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep every revision."""
    await _write(tx, _CLASSIFICATIONS, rows)


async def add_criteria(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep the words of each plan text once."""
    await _write(tx, _CRITERIA, rows)


async def add_requests(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep every request to tell somebody."""
    await _write(tx, _REQUESTS, rows)


async def save_deliveries(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep the latest settlement of each intent."""
    await _write(tx, _DELIVERIES, rows)


async def touch_cases(tx: Tx, case_ids: Sequence[Any]) -> None:
    """Mark cases as changed for the boards that show them."""
    if case_ids:
        await tx.execute(_TOUCH, ids=list(case_ids))


async def _write(tx: Tx, statement: str, rows: Sequence[Row]) -> None:
    if rows:
        await tx.execute(statement, rows=json.dumps(rows, ensure_ascii=False))
