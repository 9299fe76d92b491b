"""Somebody of the roster answers for a case by its number in a text message: takes it on, resolves it, or hands it on.

Numbers of cases can be guessed, and complainants are told theirs: only a telephone that the roster knows may answer.
"""

from typing import Final
from uuid import UUID

from services.intake.app.answer_for_all import Desk
from services.intake.app.issue_command import issue_command
from services.intake.domain.commands import CommandBody
from services.intake.domain.identity import keyed_ref, normalised_phone
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


class StrangerError(LookupError):
    """Nobody of the organisation's roster has this telephone."""


async def answer_by_sms(
    database: Database,
    ids: Ids,
    *,
    key: ApiKey,
    ref_key: bytes,
    sender: str,
    reply: Reply,
    desk: Desk,
    message_id: str | None,
    traceparent: str | None,
) -> tuple[UUID, UUID]:
    """The ids of command and case, in the name of whoever has the number. The same message twice counts once.

    A case that intake did not open, a group warning, is found by what its people were told.
    Raises NoSuchCaseError and StrangerError; what the desk raises is passed on.
    """
    async with database.transaction() as tx:
        case = await find_case(tx, key.org, number=reply.number)
    owner = await desk.reply(
        key.org,
        normalised_phone(sender),
        "one-case",
        number=reply.number,
        case_id=case.case_id if case is not None else None,
    )
    if owner is None:
        raise StrangerError
    told = owner.pages[0] if owner.pages else None
    case_id = case.case_id if case is not None else told.case_id if told is not None else None
    if case_id is None:
        raise NoSuchCaseError(reply.number)
    unique = (
        f"sms:{keyed_ref(key.org, 'sms', f'{sender}/{message_id}/{reply.number}', ref_key)}" if message_id else None
    )
    issued = await issue_command(
        database,
        ids,
        org=key.org,
        case_id=case_id,
        body=CommandBody(id=unique, command=_COMMANDS[reply.wish], reason=_reason(reply)),
        actor=Actor(kind=ActorKind.SMS, ref=told.person if told is not None else owner.person),
        key_prefix=key.prefix,
        traceparent=traceparent,
    )
    return issued.command_id, case_id


def _reason(reply: Reply) -> str | None:
    """What else stood there. Handing on takes a reason; without one written, where it came from."""
    return reply.rest or (None if reply.wish is Wish.ACKNOWLEDGE else "短信回复 / by SMS")
