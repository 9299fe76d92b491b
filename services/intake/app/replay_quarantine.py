"""Look at quarantined payloads and try them again with the mappings of today."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.intake.app.accept_hook import Accepted, AcceptHook, HookRequest
from services.intake.store.quarantine import find, list_rows, mark_replayed, payload_place
from services.intake.store.vault import Vault, unseal
from shared.access.api_keys import ApiKey
from shared.db.engine import Database
from shared.db.tx import Row


class NoSuchQuarantineError(LookupError):
    """The organisation has no such payload in quarantine."""


class ReplayQuarantine:
    """The use case with what it needs."""

    def __init__(self, database: Database, vault: Vault, accept: AcceptHook) -> None:
        self._database = database
        self._vault = vault
        self._accept = accept

    async def listed(
        self, org: str, *, waiting: bool | None, before: UUID | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Newest first, without payloads."""
        async with self._database.transaction() as tx:
            return [_named(row) for row in await list_rows(tx, org, waiting=waiting, before=before, limit=limit)]

    async def shown(self, org: str, quarantine_id: UUID) -> dict[str, Any]:
        """One with its payload as it came (base64). Raises NoSuchQuarantineError."""
        row = await self._found(org, quarantine_id)
        request = self._opened(org, row)
        shown = {name: value for name, value in row.items() if name != "payload"}
        return shown | {
            "content_type": request.content_type,
            "query": dict(request.query),
            "body_base64": base64.b64encode(request.body).decode(),
        }

    async def replay(self, key: ApiKey, quarantine_id: UUID, traceparent: str | None) -> Accepted:
        """Register what it says. Repeating it changes nothing more: reports know themselves by their words.

        Raises NoSuchQuarantineError; UnreadableError or UnmappableError when it is still not understood.
        """
        row = await self._found(key.org, quarantine_id)
        accepted = await self._accept.attempt(self._opened(key.org, row), key, traceparent)
        async with self._database.transaction() as tx:
            await mark_replayed(tx, key.org, quarantine_id)
        return accepted

    async def _found(self, org: str, quarantine_id: UUID) -> Mapping[str, Any]:
        async with self._database.transaction() as tx:
            row = await find(tx, org, quarantine_id)
        if row is None:
            raise NoSuchQuarantineError
        return _named(row)

    def _opened(self, org: str, row: Mapping[str, Any]) -> HookRequest:
        place = payload_place(row["quarantine_id"])
        packed = unseal(self._vault.org_key(org), bytes(row["payload"]), place)
        return HookRequest.unpacked(row["kind"], packed)


def _named(row: Row) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
