"""Put an API key that was made elsewhere in place."""

from collections.abc import Iterable

from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database


async def provision_api_key(
    database: Database, pepper: bytes, text: str, *, org: str, scopes: Iterable[Scope], label: str
) -> None:
    """Doing it again changes scopes and label. Raises ValueError for a bad form."""
    await KeyStore(database, pepper).put(text, org=org, scopes=scopes, label=label)
