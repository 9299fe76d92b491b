"""Somebody acknowledges a case by its number in a text message."""

from uuid import UUID

from services.intake.app.issue_command import issue_command
from services.intake.domain.commands import CommandBody
from services.intake.domain.identity import keyed_ref, sender_ref
from services.intake.store.register import find_case
from shared.access.api_keys import ApiKey
from shared.contracts.commands import CommandKind
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.runtime.ids import Ids


class NoSuchCaseError(LookupError):
    """The organisation has no case with this number."""


async def acknowledge_by_sms(
    database: Database,
    ids: Ids,
    *,
    key: ApiKey,
    ref_key: bytes,
    sender: str,
    number: str,
    message_id: str | None,
    traceparent: str | None,
) -> UUID:
    """The command's id. The sender is known by a keyed hash only; the same message twice acknowledges once.

    Raises NoSuchCaseError.
    """
    async with database.transaction() as tx:
        case = await find_case(tx, key.org, number=number)
    if case is None:
        raise NoSuchCaseError(number)
    unique = f"sms:{keyed_ref(key.org, 'sms', f'{sender}/{message_id}/{number}', ref_key)}" if message_id else None
    issued = await issue_command(
        database,
        ids,
        org=key.org,
        case_id=case.case_id,
        body=CommandBody(id=unique, command=CommandKind.ACKNOWLEDGE),
        actor=Actor(kind=ActorKind.SMS, ref=sender_ref(key.org, sender, ref_key)),
        key_prefix=key.prefix,
        traceparent=traceparent,
    )
    return issued.command_id
