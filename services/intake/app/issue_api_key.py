"""Issue an API key of the register to a system or a person."""

from collections.abc import Iterable
from datetime import datetime

from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database


async def issue_api_key(
    database: Database,
    pepper: bytes,
    *,
    org: str,
    scopes: Iterable[Scope],
    label: str,
    expires_at: datetime | None = None,
) -> str:
    """The key's text, which cannot be had again."""
    return await KeyStore(database, pepper).issue(org=org, scopes=scopes, label=label, expires_at=expires_at)
