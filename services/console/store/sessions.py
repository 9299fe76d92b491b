"""Sessions of people who signed in. Only the digest of what a cookie holds is kept, so nothing here lets anyone in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.store.people import StoredUser
from shared.db.tx import Tx

_MOST_OF_ONE: Final = 20


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session with the person as they are now. `fingerprint` is that of the person when they signed in."""

    digest: bytes
    fingerprint: str
    address: str
    opened_at: datetime
    expires_at: datetime
    user: StoredUser


async def add_session(
    tx: Tx, *, digest: bytes, name: str, fingerprint: str, address: str, expires_at: datetime
) -> None:
    """Keep a new session; those that are over go, and of one person only the newest twenty stay."""
    await tx.execute(
        "INSERT INTO sessions (digest, name, fingerprint, address, opened_at, expires_at) "
        "VALUES (:digest, :name, :fingerprint, :address, :now, :expires_at)",
        digest=digest,
        name=name,
        fingerprint=fingerprint,
        address=address,
        now=tx.now,
        expires_at=expires_at,
    )
    await tx.execute(
        "DELETE FROM sessions WHERE expires_at <= :now OR digest IN (SELECT digest FROM sessions "
        "WHERE name = :name ORDER BY digest = :digest DESC, opened_at DESC OFFSET :most)",
        now=tx.now,
        name=name,
        digest=digest,
        most=_MOST_OF_ONE,
    )


async def find_sessions(tx: Tx, digests: Sequence[bytes]) -> list[StoredSession]:
    """Those of them that are not over, whatever became of their persons."""
    return await _found(tx, "s.digest = ANY(CAST(:digests AS bytea[]))", digests=list(digests))


async def sessions_of(tx: Tx, name: str) -> list[StoredSession]:
    """Those of a person that are not over, the newest first."""
    return await _found(tx, "s.name = :name", name=name)


async def delete_session(tx: Tx, digest: bytes) -> None:
    await tx.execute("DELETE FROM sessions WHERE digest = :digest", digest=digest)


async def delete_sessions_of(tx: Tx, name: str) -> int:
    """How many there were that had not ended."""
    return await tx.execute("DELETE FROM sessions WHERE name = :name AND expires_at > :now", name=name, now=tx.now)


async def _found(tx: Tx, where: str, **given: object) -> list[StoredSession]:
    rows = await tx.fetch(
        "SELECT s.digest, s.fingerprint, s.address, s.opened_at, s.expires_at, "  # noqa: S608  # of this file
        "u.name, u.org, u.password_hash, u.role, u.disabled_at "
        f"FROM sessions AS s JOIN users AS u ON u.name = s.name WHERE {where} AND s.expires_at > :now "
        "ORDER BY s.opened_at DESC",
        now=tx.now,
        **given,
    )
    return [
        StoredSession(
            digest=bytes(row["digest"]),
            fingerprint=row["fingerprint"],
            address=row["address"],
            opened_at=row["opened_at"],
            expires_at=row["expires_at"],
            user=StoredUser(row["name"], row["org"], row["password_hash"], row["role"], row["disabled_at"]),
        )
        for row in rows
    ]
