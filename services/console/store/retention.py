"""What the read model forgets of erased cases: what people told and wrote, not what was decided and who was told."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.console.domain.retention import ENDS, KEPT_DETAILS, OTHER_ENDS, RECORDS
from services.console.store.projection import take_turn
from shared.db.tx import Tx

_PERSONAL: Final = (
    """
    UPDATE cases SET title = NULL, because = NULL, place = '{}', touched = nextval('board_seq')
    WHERE case_id = ANY(CAST(:ids AS uuid[])) AND (title IS NOT NULL OR because IS NOT NULL OR place <> '{}')
    """,
    "DELETE FROM reports WHERE case_id = ANY(CAST(:ids AS uuid[]))",
    # Of the criteria those that held stay, without the values they read.
    """
    UPDATE classifications SET decided = decided || '{"values": {}}', body = body - 'answers' || jsonb_build_object(
        'erased', true, 'title', NULL, 'title_en', NULL, 'place', jsonb_build_object(), 'facts', jsonb_build_object(),
        'proposed', jsonb_build_array(), 'problems', jsonb_build_array(), 'counted', jsonb_build_array(), 'move', NULL,
        'criteria', (SELECT coalesce(jsonb_agg(one || '{"values": {}}'), '[]')
            FROM jsonb_array_elements(body -> 'criteria') AS one WHERE one ->> 'result' = 'held'))
    WHERE case_id = ANY(CAST(:ids AS uuid[])) AND NOT body ? 'erased'
    """,
    """
    UPDATE deliveries SET reason = '', reason_words = NULL
    WHERE case_id = ANY(CAST(:ids AS uuid[])) AND (reason <> '' OR reason_words IS NOT NULL)
    """,
    "DELETE FROM dead_letters WHERE case_id = ANY(CAST(:ids AS uuid[]))",
)
_LINES: Final = """
UPDATE timeline AS t SET zh = regexp_replace(t.zh, f.ends ->> 0, ''), en = regexp_replace(t.en, f.ends ->> 1, ''),
    details = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(t.details)
        WHERE key = ANY(CAST(:kept AS text[]))) || '{"erased": true}'
FROM (SELECT l.event_id, l.line, coalesce(j.value, CAST(:others AS jsonb)) AS ends
    FROM timeline AS l LEFT JOIN jsonb_each(CAST(:ends AS jsonb)) AS j ON j.key = l.kind
    WHERE l.case_id = ANY(CAST(:ids AS uuid[])) AND NOT l.details ? 'erased'
    AND NOT l.kind = ANY(CAST(:records AS text[]))) AS f
WHERE t.event_id = f.event_id AND t.line = f.line
"""
_TABLES: Final = ("cases", "timeline", "reports", "classifications", "requests", "deliveries", "dead_letters")


async def erase_personal_data(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Empty what people told and wrote; of a line of a history its head stays, of its details the ids."""
    await take_turn(tx)
    rows = await tx.execute(
        _LINES,
        ids=list(case_ids),
        ends=json.dumps(dict(ENDS), ensure_ascii=False),
        others=json.dumps(OTHER_ENDS, ensure_ascii=False),
        kept=list(KEPT_DETAILS),
        records=list(RECORDS),
    )
    for statement in _PERSONAL:
        rows += await tx.execute(statement, ids=list(case_ids))
    return rows


async def erase_whole_cases(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Delete every row of these cases."""
    await take_turn(tx)
    rows = 0
    for table in _TABLES:
        rows += await tx.execute(f"DELETE FROM {table} WHERE case_id = ANY(CAST(:ids AS uuid[]))", ids=list(case_ids))  # noqa: S608  # constants
    return rows
