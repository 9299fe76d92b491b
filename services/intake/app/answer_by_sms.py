"""Somebody answers for a case by its number in a text message: takes it on, resolves it, or hands it on."""

from typing import Final
from uuid import UUID

from services.intake.app.issue_command import issue_command
from services.intake.domain.commands import CommandBody
from services.intake.domain.identity import keyed_ref, sender_ref
from services.intake.domain.replies import Reply, Wish
from services.intake.store.register import find_case
from shared.access.api_keys import ApiKey
from shared.contracts.commands import CommandKind
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.runtime.ids import Ids

_COMMANDS: Final = {
    Wish.ACKNOWLEDGE: CommandKind.ACKNOWLEDGE,
    Wish.RESOLVE: CommandKind.RESOLVE,
    Wish.CANNOT_HANDLE: CommandKind.CANNOT_HANDLE,
}


class NoSuchCaseError(LookupError):
    """The organisation has no case with this number."""


async def answer_by_sms(
    database: Database,
    ids: Ids,
    *,
    key: ApiKey,
    ref_key: bytes,
    sender: str,
    reply: Reply,
    message_id: str | None,
    traceparent: str | None,
) -> UUID:
    """The command's id. The sender is known by a keyed hash only; the same message twice counts once.

    Raises NoSuchCaseError.
    """
    async with database.transaction() as tx:
        case = await find_case(tx, key.org, number=reply.number)
    if case is None:
        raise NoSuchCaseError(reply.number)
    unique = (
        f"sms:{keyed_ref(key.org, 'sms', f'{sender}/{message_id}/{reply.number}', ref_key)}" if message_id else None
    )
    issued = await issue_command(
        database,
        ids,
        org=key.org,
        case_id=case.case_id,
        body=CommandBody(id=unique, command=_COMMANDS[reply.wish], reason=_reason(reply)),
        actor=Actor(kind=ActorKind.SMS, ref=sender_ref(key.org, sender, ref_key)),
        key_prefix=key.prefix,
        traceparent=traceparent,
    )
    return issued.command_id


def _reason(reply: Reply) -> str | None:
    """Handing on takes a reason; without one written, where it came from."""
    if reply.wish is Wish.ACKNOWLEDGE:
        return None
    return reply.rest or "短信回复 / by SMS"
