"""API keys of the register: issued to systems and people, or put in place by whoever provisions."""

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


async def provision_api_key(
    database: Database, pepper: bytes, text: str, *, org: str, scopes: Iterable[Scope], label: str
) -> None:
    """Put a key made elsewhere in place; again changes its scopes and label. Raises ValueError for a bad form."""
    await KeyStore(database, pepper).put(text, org=org, scopes=scopes, label=label)
