"""Issue a command on a case: once per request, recorded with who asked and through which key."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from services.intake.app.register_reports import SOURCE
from services.intake.app.split_case import SplitCase, Splitter
from services.intake.domain.commands import CommandBody
from services.intake.store.commands import CommandRow, add_command, find_command
from services.intake.store.register import org_of_case
from shared.contracts.commands import ROLE_HELD, CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.json_guard import canonical
from shared.contracts.values import Actor, Facts
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.tracing import next_span


class ForeignCaseError(LookupError):
    """The case belongs to another organisation; the caller learns only that there is none."""


class CommandConflictError(ValueError):
    """The command's id was used for another command."""


@dataclass(frozen=True, slots=True)
class IssuedCommand:
    """The command's event id; `duplicate` when the same request was issued before. `split`: the case a split made."""

    command_id: UUID
    duplicate: bool
    split: SplitCase | None = None


async def issue_command(
    database: Database,
    ids: Ids,
    *,
    org: str,
    case_id: UUID,
    body: CommandBody,
    actor: Actor,
    key_prefix: str | None,
    traceparent: str | None,
    splitter: Splitter | None = None,
    noted: Facts | None = None,
) -> IssuedCommand:
    """Durable and on its way to the escalator when this returns; whether the case allows it, the escalator decides.

    A split is done here by the `splitter`, for the register alone holds what was told: its new case is registered by
    the same transaction. `noted` is what intake itself knows about the command. A case that intake did not open is let
    through: warning cases are opened by the classifier.
    Raises ForeignCaseError, CommandConflictError and SplitRefusedError.
    """
    event_id = ids.new()
    digest = _hash(case_id, body, actor)
    request_key = f"id:{body.id}" if body.id is not None else f"event:{event_id}"
    async with database.transaction() as tx:
        owner = await org_of_case(tx, case_id)
        split = splitter if body.command is CommandKind.SPLIT else None
        if owner != org and (owner is not None or split is not None):
            raise ForeignCaseError
        row = CommandRow(org, request_key, event_id, case_id, body.command, actor, key_prefix, digest)
        if not await add_command(tx, row):
            before = await find_command(tx, org, request_key)
            if before is None or before[1] != digest:
                raise CommandConflictError(f"id '{body.id}' was used for another command")
            made = await split.made(tx, org, case_id, before[0]) if split is not None else None
            return IssuedCommand(before[0], duplicate=True, split=made)
        made = await split(tx, org, case_id, body.arguments, mark=event_id) if split is not None else None
        data = CommandIssuedV1(
            command=body.command,
            actor=actor,
            issued_at=tx.now,
            plan=body.plan,
            reason=body.reason,
            arguments=_arguments(body, noted or {}) if made is None else made.arguments(),
            request_id=body.request_id,
        )
        tx.outbox.add(
            Event(
                id=event_id,
                source=SOURCE,
                time=tx.now,
                org=org,
                case_id=case_id,
                data=data,
                traceparent=next_span(traceparent),
            )
        )
    return IssuedCommand(event_id, duplicate=False, split=made)


def _arguments(body: CommandBody, noted: Facts) -> Facts:
    """What was posted, with what intake knows; nobody else may say that a role is held."""
    return {**{name: value for name, value in body.arguments.items() if name != ROLE_HELD}, **noted}


def _hash(case_id: UUID, body: CommandBody, actor: Actor) -> bytes:
    parts = [str(case_id), body.model_dump(mode="json", exclude={"id"}), actor.model_dump(mode="json")]
    return hashlib.sha256(canonical(parts)).digest()
