"""Payloads that could not be understood: kept sealed, listed with the reason, replayable."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.db.tx import Row, Tx


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One payload. `payload` is sealed; `kind` is the hook it came through."""

    quarantine_id: UUID
    org: str
    kind: str
    field: str
    reason: str
    size: int
    key_prefix: str
    payload: bytes


def payload_place(quarantine_id: UUID) -> str:
    """Where the sealed payload stands."""
    return f"quarantine:{quarantine_id}:payload"


async def add(tx: Tx, row: QuarantineRow) -> None:
    """Keep it."""
    await tx.execute(
        "INSERT INTO quarantine (quarantine_id, org, kind, received_at, field, reason, size, key_prefix, payload) "
        "VALUES (:quarantine_id, :org, :kind, :now, :field, :reason, :size, :key_prefix, :payload)",
        quarantine_id=row.quarantine_id,
        org=row.org,
        kind=row.kind,
        now=tx.now,
        field=row.field,
        reason=row.reason,
        size=row.size,
        key_prefix=row.key_prefix,
        payload=row.payload,
    )


async def list_rows(tx: Tx, org: str, *, waiting: bool | None, before: UUID | None, limit: int) -> Sequence[Row]:
    """Newest first, without payloads. `waiting`: True not replayed yet, False replayed, None both."""
    return await tx.fetch(
        "SELECT quarantine_id, kind, received_at, field, reason, size, key_prefix, replayed_at FROM quarantine "
        "WHERE org = :org AND (CAST(:before AS uuid) IS NULL OR quarantine_id < :before) "
        "AND (CAST(:waiting AS boolean) IS NULL OR (replayed_at IS NULL) = :waiting) "
        "ORDER BY quarantine_id DESC LIMIT :limit",
        org=org,
        before=before,
        waiting=waiting,
        limit=limit,
    )


async def find(tx: Tx, org: str, quarantine_id: UUID) -> Row | None:
    """One row with its sealed payload."""
    return await tx.fetch_one(
        "SELECT quarantine_id, kind, received_at, field, reason, size, key_prefix, replayed_at, payload "
        "FROM quarantine WHERE org = :org AND quarantine_id = :quarantine_id",
        org=org,
        quarantine_id=quarantine_id,
    )


async def mark_replayed(tx: Tx, org: str, quarantine_id: UUID) -> None:
    """It was understood after all."""
    await tx.execute(
        "UPDATE quarantine SET replayed_at = :now WHERE org = :org AND quarantine_id = :quarantine_id",
        org=org,
        quarantine_id=quarantine_id,
        now=tx.now,
    )
