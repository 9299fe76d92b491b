"""API keys in a service's schema, with a short-lived cache so that the hot path does not ask the database."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, MetaData, Table, Text

from shared.access.api_keys import ApiKey, PresentedKey, Scope, digest_of, key_text
from shared.db.engine import Database
from shared.db.tx import Row
from shared.runtime.clock import monotonic
from shared.runtime.ids import new_secret

_REMEMBERED_S: Final = 15.0
_MAX_REMEMBERED: Final = 10_000
_PREFIX_LENGTH: Final = 8


def api_keys_table(metadata: MetaData) -> Table:
    """Declared in every service that checks keys."""
    return Table(
        "api_keys",
        metadata,
        Column("prefix", Text, primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        Column("org", Text, nullable=False),
        Column("scopes", ARRAY(Text), nullable=False),
        Column("label", Text, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("expires_at", DateTime(timezone=True)),
        Column("revoked_at", DateTime(timezone=True)),
    )


class KeyStore:
    """Issues, finds and revokes keys. A revocation takes effect everywhere within 15 seconds."""

    def __init__(self, database: Database, pepper: bytes) -> None:
        self._database = database
        self._pepper = pepper
        self._remembered: dict[str, tuple[float, ApiKey | None]] = {}

    async def authenticate(self, text: str) -> ApiKey | None:
        """The stored key when the text is genuine, whatever its scopes; None otherwise."""
        presented = PresentedKey.parse(text)
        if presented is None:
            return None
        stored = await self._find(presented.prefix)
        return stored if stored is not None and presented.matches(stored, self._pepper) else None

    async def still_allow(self, prefixes: Iterable[str], scope: Scope, now: datetime) -> frozenset[str]:
        """Those of the keys that are in force and have the scope; known 15 seconds late at most."""
        found = {prefix: await self._find(prefix) for prefix in prefixes}
        return frozenset(prefix for prefix, key in found.items() if key is not None and key.allows(scope, now))

    async def issue(self, *, org: str, scopes: Iterable[Scope], label: str, expires_at: datetime | None = None) -> str:
        """Store a new key and answer its text, which cannot be had again."""
        secret = new_secret()
        prefix = digest_of(new_secret(), self._pepper).hex()[:_PREFIX_LENGTH]
        await self.put(key_text(prefix, secret), org=org, scopes=scopes, label=label, expires_at=expires_at)
        return key_text(prefix, secret)

    async def put(
        self, text: str, *, org: str, scopes: Iterable[Scope], label: str, expires_at: datetime | None = None
    ) -> None:
        """Store a key made elsewhere (provisioning). Storing it again updates it. Raises ValueError for a bad form."""
        presented = PresentedKey.parse(text)
        if presented is None:
            raise ValueError("not in the form of an API key")
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO api_keys (prefix, digest, org, scopes, label, created_at, expires_at) "
                "VALUES (:prefix, :digest, :org, CAST(:scopes AS text[]), :label, :now, :expires_at) "
                "ON CONFLICT (prefix) DO UPDATE SET digest = EXCLUDED.digest, org = EXCLUDED.org, "
                "scopes = EXCLUDED.scopes, label = EXCLUDED.label, expires_at = EXCLUDED.expires_at",
                prefix=presented.prefix,
                digest=digest_of(presented.secret, self._pepper),
                org=org,
                scopes=sorted(scope.value for scope in scopes),
                label=label,
                now=tx.now,
                expires_at=expires_at,
            )
        self._remembered.pop(presented.prefix, None)

    async def revoke(self, prefix: str) -> bool:
        """False when there is no such key in force."""
        async with self._database.transaction() as tx:
            touched = await tx.execute(
                "UPDATE api_keys SET revoked_at = :now WHERE prefix = :prefix AND revoked_at IS NULL",
                prefix=prefix,
                now=tx.now,
            )
        self._remembered.pop(prefix, None)
        return touched > 0

    async def listed(self) -> list[ApiKey]:
        """Every key of this service, by label; nothing of it lets anyone act."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch("SELECT * FROM api_keys ORDER BY label, created_at, prefix")
        return [_key(row) for row in rows]

    async def _find(self, prefix: str) -> ApiKey | None:
        remembered = self._remembered.get(prefix)
        if remembered is not None and monotonic() - remembered[0] < _REMEMBERED_S:
            return remembered[1]
        async with self._database.transaction() as tx:
            row = await tx.fetch_one("SELECT * FROM api_keys WHERE prefix = :prefix", prefix=prefix)
        key = _key(row) if row is not None else None
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[prefix] = (monotonic(), key)
        return key


def _key(row: Row) -> ApiKey:
    return ApiKey(
        prefix=row["prefix"],
        digest=bytes(row["digest"]),
        org=row["org"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        label=row["label"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
