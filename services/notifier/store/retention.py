"""What the notifier forgets of erased cases: what messages said and where they went; who was told by what stays."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from shared.db.tx import Tx

_TOLD: Final = ("title", "place")
"""What every subject is written with, and none has any more once it is erased."""
_OPTIONAL: Final = ("because", "because_other", "en", "zh", "expected")
# By organisation and case, as the indexes are; whose a case is, is noted before anything of it is erased.
_PERSONAL: Final = (
    # A request is read again with each of its receipts, so it stays one.
    """
    UPDATE requests AS r SET body = r.body || jsonb_build_object('subject', (r.body -> 'subject')
        - CAST(:words AS text[]) || '{"because": null}')
    FROM erasures AS e WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND r.org = e.org AND r.case_id = e.case_id
    AND (r.body -> 'subject') ?| CAST(:told AS text[])
    AND NOT EXISTS (SELECT FROM intents AS i WHERE i.request_id = r.request_id AND i.due_at IS NOT NULL)
    """,
    """
    UPDATE intents AS i SET reason = '', reason_zh = '' FROM erasures AS e
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND i.due_at IS NULL AND (i.reason <> '' OR i.reason_zh <> '')
    """,
    """
    UPDATE attempts AS a SET address = '' FROM erasures AS e, intents AS i
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND a.intent_id = i.intent_id AND i.due_at IS NULL AND a.address <> ''
    """,
    """
    UPDATE outcomes AS o SET why = '' FROM erasures AS e, intents AS i, attempts AS a
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND a.intent_id = i.intent_id AND o.attempt_id = a.attempt_id AND i.due_at IS NULL AND o.why <> ''
    """,
    """
    UPDATE receipts AS r SET detail = NULL FROM erasures AS e, intents AS i, attempts AS a
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND a.intent_id = i.intent_id AND r.attempt_id = a.attempt_id AND r.detail IS NOT NULL
    """,
    """
    UPDATE complainant_notices AS n SET text = '', reason = NULL, outcome = NULL, why = NULL FROM erasures AS e
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND n.org = e.org AND n.case_id = e.case_id
    AND n.due_at IS NULL AND (n.text <> '' OR n.why IS NOT NULL)
    """,
)
_WHOLE: Final = (
    """
    DELETE FROM receipts AS r USING erasures AS e, intents AS i, attempts AS a
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND a.intent_id = i.intent_id AND r.attempt_id = a.attempt_id
    """,
    """
    DELETE FROM outcomes AS o USING erasures AS e, intents AS i, attempts AS a
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND a.intent_id = i.intent_id AND o.attempt_id = a.attempt_id
    """,
    """
    DELETE FROM attempts AS a USING erasures AS e, intents AS i
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND i.org = e.org AND i.case_id = e.case_id
    AND a.intent_id = i.intent_id
    """,
)
_TABLES: Final = ("intents", "requests", "complainant_notices", "answered_cases", "merged_cases")


async def erase_personal_data(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Empty the words of messages, the addresses they went to and what providers said of them.

    What is still being sent, or awaits its receipt, is left: it is erased with the next look.
    """
    ids, rows = list(case_ids), 0
    for statement in _PERSONAL:
        given = {"words": [*_TOLD, *_OPTIONAL], "told": list(_TOLD)} if ":words" in statement else {}
        rows += await tx.execute(statement, ids=ids, **given)
    return rows


async def erase_whole_cases(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Delete every row of these cases."""
    ids, rows = list(case_ids), 0
    for statement in _WHOLE:
        rows += await tx.execute(statement, ids=ids)
    for table in _TABLES:
        rows += await tx.execute(
            f"DELETE FROM {table} WHERE (org, case_id) IN "  # noqa: S608  # constants
            "(SELECT e.org, e.case_id FROM erasures AS e WHERE e.case_id = ANY(CAST(:ids AS uuid[])))",
            ids=ids,
        )
    return rows
