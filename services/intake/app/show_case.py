"""What the register holds of a case; with the right, the originals too."""

from typing import Any, Final
from uuid import UUID

from services.intake.domain.complainants import ComplainantAddress, address_of
from services.intake.store.commands import list_commands
from services.intake.store.originals import open_original
from services.intake.store.register import find_case, read_events
from services.intake.store.vault import Vault
from shared.db.engine import Database

_LIMIT: Final = 500


class ShowCase:
    """The use case with what it needs."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def case(self, org: str, *, case_id: UUID | None, number: str | None) -> dict[str, Any] | None:
        """The case with its events and commands, oldest first (at most 500 each), nothing personal. None: no case."""
        async with self._database.transaction() as tx:
            found = await find_case(tx, org, case_id=case_id, number=number)
            if found is None:
                return None
            events = await read_events(tx, found.case_id, _LIMIT)
            commands = await list_commands(tx, org, found.case_id, _LIMIT)
        return {
            "case_id": str(found.case_id),
            "number": found.number,
            "kind": found.kind,
            "source": found.source,
            "reference": found.reference,
            "sequence": found.sequence,
            "opened_at": found.opened_at.isoformat(),
            "changed_at": found.changed_at.isoformat(),
            "events": [
                {
                    "event_id": row["event_id"],
                    "sequence": row["sequence"],
                    "received_at": row["received_at"].isoformat(),
                    "body_sha256": bytes(row["body_hash"]).hex(),
                }
                for row in events
            ],
            "commands": [
                {
                    "command_id": str(row["event_id"]),
                    "command": row["command"],
                    "actor": {"kind": row["actor_kind"], "ref": row["actor_ref"]},
                    "key": row["key_prefix"],
                    "issued_at": row["issued_at"].isoformat(),
                }
                for row in commands
            ],
        }

    async def complainant_address(self, org: str, case_id: UUID) -> ComplainantAddress | None:
        """By the newest report that names the complainant; None when they did not ask, or their key is gone."""
        async with self._database.transaction() as tx:
            if await find_case(tx, org, case_id=case_id) is None:
                return None
            rows = await read_events(tx, case_id, _LIMIT)
        for row in reversed(rows):
            body = open_original(self._vault, row) if row["identity"] is not None else None
            if body is not None:
                return address_of(body)
        return None

    async def originals(self, org: str, case_id: UUID) -> list[dict[str, Any]] | None:
        """What was posted, word for word, with the complainant. `erased` where the key is gone. None: no case."""
        async with self._database.transaction() as tx:
            if await find_case(tx, org, case_id=case_id) is None:
                return None
            rows = await read_events(tx, case_id, _LIMIT)
        shown: list[dict[str, Any]] = []
        for row in rows:
            body = open_original(self._vault, row)
            entry = {"event_id": row["event_id"], "sequence": row["sequence"], "erased": body is None}
            shown.append(entry if body is None else entry | {"body": body})
        return shown
