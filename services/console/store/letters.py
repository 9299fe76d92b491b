"""Dead letters: what could not be applied, why, and whether it was sent again."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db.tx import Tx

Row = dict[str, Any]
_LISTED: Final = (
    'id, org, case_id, topic, consumer, partition, "offset", attempts, reason, first_failed_at, buried_at, '
    "replayed_at, replayed_by"
)
# A record whose organisation cannot be read belongs to whoever runs the installation.
_OURS: Final = "(org = :org OR org IS NULL)"


async def add_letters(tx: Tx, rows: Sequence[Row]) -> int:
    """Keep letters not kept yet; how many were new. `record_key` and `value` are base64 text."""
    if not rows:
        return 0
    return await tx.execute(
        'INSERT INTO dead_letters (id, org, case_id, topic, consumer, partition, "offset", attempts, reason, '
        "first_failed_at, buried_at, record_key, headers, value) "
        'SELECT id, org, case_id, topic, consumer, partition, "offset", attempts, reason, first_failed_at, buried_at, '
        "decode(record_key, 'base64'), headers, decode(value, 'base64') "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, org text, case_id uuid, topic text, "
        'consumer text, partition integer, "offset" bigint, attempts integer, reason text, '
        "first_failed_at timestamptz, "
        "buried_at timestamptz, record_key text, headers text, value text) ON CONFLICT DO NOTHING",
        rows=json.dumps(rows, ensure_ascii=False),
    )


async def list_letters(
    tx: Tx, org: str, *, limit: int, waiting: bool | None, before: tuple[datetime, UUID] | None
) -> list[Row]:
    """Newest first; `waiting` True for those not replayed yet."""
    buried_at, letter_id = before or (None, None)
    rows = await tx.fetch(
        f"SELECT {_LISTED} FROM dead_letters WHERE {_OURS} "  # noqa: S608  # constants of this module
        "AND (CAST(:waiting AS boolean) IS NULL OR (replayed_at IS NULL) = :waiting) "
        "AND (CAST(:buried_at AS timestamptz) IS NULL OR (buried_at, id) < (:buried_at, CAST(:id AS uuid))) "
        "ORDER BY buried_at DESC, id DESC LIMIT :limit",
        org=org,
        limit=limit,
        waiting=waiting,
        buried_at=buried_at,
        id=letter_id,
    )
    return [dict(row) for row in rows]


async def count_waiting(tx: Tx, org: str) -> int:
    row = await tx.fetch_one(
        f"SELECT count(*) AS n FROM dead_letters WHERE {_OURS} AND replayed_at IS NULL",  # noqa: S608  # constants
        org=org,
    )
    return int(row["n"]) if row else 0


async def get_letter(tx: Tx, org: str, letter_id: UUID) -> Row | None:
    """The whole letter with its bytes."""
    row = await tx.fetch_one(
        f"SELECT * FROM dead_letters WHERE {_OURS} AND id = :id",  # noqa: S608  # constants of this module
        org=org,
        id=letter_id,
    )
    return dict(row) if row else None


async def mark_replayed(tx: Tx, letter_id: UUID, actor: str) -> None:
    await tx.execute(
        "UPDATE dead_letters SET replayed_at = :now, replayed_by = :actor WHERE id = :id",
        id=letter_id,
        actor=actor,
        now=tx.now,
    )
