"""What was decided about rosters: versions, changes beside them, notices that went out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.domain.roster_changes import CHANGE, MadeChange
from shared.db.tx import Row, Tx

_COLUMNS: Final = "change_id, org, CAST(body AS text) AS written, made_by, made_at, ends_at, withdrawn_by, withdrawn_at"


@dataclass(frozen=True, slots=True)
class Version:
    """A roster as it was taken over. `origin`: file or import."""

    org: str
    number: int
    sha256: str
    text: str
    origin: str
    made_by: str
    made_at: datetime


async def latest_versions(tx: Tx, origin: str | None = None) -> dict[str, Version]:
    """The last version of each organisation, of one origin or of any."""
    rows = await tx.fetch(
        "SELECT DISTINCT ON (org) org, number, sha256, text, origin, made_by, made_at FROM roster_versions "
        "WHERE CAST(:origin AS text) IS NULL OR origin = :origin ORDER BY org, number DESC",
        origin=origin,
    )
    return {row["org"]: Version(**row) for row in rows}


async def versions_of(tx: Tx, org: str, limit: int) -> list[Version]:
    """An organisation's versions, the last one first."""
    rows = await tx.fetch(
        "SELECT org, number, sha256, text, origin, made_by, made_at FROM roster_versions WHERE org = :org "
        "ORDER BY number DESC LIMIT :limit",
        org=org,
        limit=limit,
    )
    return [Version(**row) for row in rows]


async def lock_versions(tx: Tx) -> None:
    """Whoever adds a version does so alone until the transaction ends, and sees what was added before."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.rosters'))")


async def add_version(tx: Tx, org: str, *, sha256: str, text: str, origin: str, made_by: str) -> None:
    """The next version. Needs `lock_versions` before it in the same transaction."""
    await tx.execute(
        "INSERT INTO roster_versions (org, number, sha256, text, origin, made_by, made_at) "
        "SELECT CAST(:org AS text), coalesce(max(number), 0) + 1, :sha256, :text, :origin, :by, :now "
        "FROM roster_versions WHERE org = :org",
        org=org,
        sha256=sha256,
        text=text,
        origin=origin,
        by=made_by,
        now=tx.now,
    )


async def add_changes(tx: Tx, changes: Sequence[MadeChange]) -> None:
    for one in changes:
        await tx.execute(
            "INSERT INTO roster_changes (change_id, org, kind, body, made_by, made_at, ends_at) "
            "VALUES (:id, :org, :kind, CAST(:body AS jsonb), :by, :now, :ends_at)",
            id=one.id,
            org=one.org,
            kind=one.change.kind,
            body=one.change.model_dump_json(by_alias=True),
            by=one.made_by,
            now=one.made_at,
            ends_at=one.ends_at,
        )


async def withdraw_change(tx: Tx, org: str, change_id: UUID, by: str) -> bool:
    """False when there is no such change in force."""
    touched = await tx.execute(
        "UPDATE roster_changes SET withdrawn_by = :by, withdrawn_at = :now "
        "WHERE org = :org AND change_id = :id AND withdrawn_at IS NULL",
        by=by,
        now=tx.now,
        org=org,
        id=change_id,
    )
    return touched > 0


async def changes_in_force(tx: Tx, ended_after: datetime) -> list[MadeChange]:
    """Of every organisation, in the order in which they were made."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM roster_changes "  # noqa: S608  # a constant list of columns
        "WHERE withdrawn_at IS NULL AND ends_at > :after ORDER BY made_at, change_id",
        after=ended_after,
    )
    return [_change(row) for row in rows]


async def changes_of(tx: Tx, org: str, limit: int) -> list[MadeChange]:
    """Everything ever changed beside the roster, the last one first, withdrawn ones too."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM roster_changes WHERE org = :org ORDER BY made_at DESC, change_id LIMIT :limit",  # noqa: S608  # a constant list of columns
        org=org,
        limit=limit,
    )
    return [_change(row) for row in rows]


async def first_announced(tx: Tx, org: str, keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that nobody was told of yet; from now on they count as told."""
    rows = await tx.fetch(
        "INSERT INTO roster_notices (org, key, announced_at) "
        "SELECT CAST(:org AS text), key, :now FROM unnest(CAST(:keys AS text[])) AS key "
        "ON CONFLICT DO NOTHING RETURNING key",
        org=org,
        keys=sorted(set(keys)),
        now=tx.now,
    )
    return frozenset(row["key"] for row in rows)


def _change(row: Row) -> MadeChange:
    return MadeChange(
        id=row["change_id"],
        org=row["org"],
        change=CHANGE.validate_json(row["written"]),
        made_by=row["made_by"],
        made_at=row["made_at"],
        ends_at=row["ends_at"],
        withdrawn_by=row["withdrawn_by"],
        withdrawn_at=row["withdrawn_at"],
    )
