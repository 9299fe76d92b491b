"""Commands as issued, and the links that were used: what makes a repeated request harmless."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.commands import CommandKind
from shared.contracts.values import Actor
from shared.db.tx import Row, Tx


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One issued command."""

    org: str
    request_key: str
    event_id: UUID
    case_id: UUID
    command: CommandKind
    actor: Actor
    key_prefix: str | None
    body_hash: bytes


async def add_command(tx: Tx, row: CommandRow) -> bool:
    """False when the same request was issued before; a concurrent one is waited for."""
    written = await tx.execute(
        "INSERT INTO commands (org, request_key, event_id, case_id, command, actor_kind, actor_ref, key_prefix, "
        "body_hash, issued_at) VALUES (:org, :request_key, :event_id, :case_id, :command, :actor_kind, :actor_ref, "
        ":key_prefix, :body_hash, :now) ON CONFLICT (org, request_key) DO NOTHING",
        org=row.org,
        request_key=row.request_key,
        event_id=row.event_id,
        case_id=row.case_id,
        command=row.command.value,
        actor_kind=row.actor.kind.value,
        actor_ref=row.actor.ref,
        key_prefix=row.key_prefix,
        body_hash=row.body_hash,
        now=tx.now,
    )
    return written == 1


async def find_command(tx: Tx, org: str, request_key: str) -> tuple[UUID, bytes] | None:
    """Event id and body hash of an issued command."""
    row = await tx.fetch_one(
        "SELECT event_id, body_hash FROM commands WHERE org = :org AND request_key = :request_key",
        org=org,
        request_key=request_key,
    )
    return (row["event_id"], bytes(row["body_hash"])) if row is not None else None


async def list_commands(tx: Tx, org: str, case_id: UUID, limit: int) -> Sequence[Row]:
    """What was asked of the case, oldest first."""
    return await tx.fetch(
        "SELECT event_id, command, actor_kind, actor_ref, key_prefix, issued_at FROM commands "
        "WHERE org = :org AND case_id = :case_id ORDER BY issued_at, event_id LIMIT :limit",
        org=org,
        case_id=case_id,
        limit=limit,
    )


async def use_link(tx: Tx, *, intent_id: UUID, org: str, case_id: UUID, person: str, event_id: UUID) -> bool:
    """False when the link was used before. Of two at once exactly one gets True."""
    written = await tx.execute(
        "INSERT INTO used_links (intent_id, org, case_id, person, event_id, used_at) "
        "VALUES (:intent_id, :org, :case_id, :person, :event_id, :now) ON CONFLICT (intent_id) DO NOTHING",
        intent_id=intent_id,
        org=org,
        case_id=case_id,
        person=person,
        event_id=event_id,
        now=tx.now,
    )
    return written == 1


async def link_used_at(tx: Tx, intent_id: UUID) -> datetime | None:
    """When the link was used; None when it was not."""
    row = await tx.fetch_one("SELECT used_at FROM used_links WHERE intent_id = :intent_id", intent_id=intent_id)
    return row["used_at"] if row is not None else None
