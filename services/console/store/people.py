"""People who may sign in."""

from dataclasses import dataclass
from datetime import datetime

from shared.db.tx import Tx


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A person as stored."""

    name: str
    org: str
    password_hash: str
    role: str
    disabled_at: datetime | None


async def find_user(tx: Tx, name: str) -> StoredUser | None:
    row = await tx.fetch_one(
        "SELECT name, org, password_hash, role, disabled_at FROM users WHERE name = :name", name=name
    )
    return StoredUser(**row) if row else None


async def save_user(tx: Tx, *, name: str, org: str, password_hash: str, role: str) -> None:
    """Create the person or replace organisation, password and role; a disabled person is enabled again."""
    await tx.execute(
        "INSERT INTO users (name, org, password_hash, role, created_at) VALUES (:name, :org, :hash, :role, :now) "
        "ON CONFLICT (name) DO UPDATE SET org = EXCLUDED.org, password_hash = EXCLUDED.password_hash, "
        "role = EXCLUDED.role, disabled_at = NULL",
        name=name,
        org=org,
        hash=password_hash,
        role=role,
        now=tx.now,
    )


async def replace_hash(tx: Tx, name: str, password_hash: str) -> None:
    await tx.execute("UPDATE users SET password_hash = :hash WHERE name = :name", name=name, hash=password_hash)


async def disable(tx: Tx, name: str) -> bool:
    """Let nobody in by this name any more. False when there is no such person or they were disabled before."""
    touched = await tx.execute(
        "UPDATE users SET disabled_at = :now WHERE name = :name AND disabled_at IS NULL", name=name, now=tx.now
    )
    return touched > 0


async def all_users(tx: Tx) -> list[StoredUser]:
    rows = await tx.fetch("SELECT name, org, password_hash, role, disabled_at FROM users ORDER BY name")
    return [StoredUser(**row) for row in rows]
