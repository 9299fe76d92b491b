"""Somebody of the roster answers for one or several cases in one text message: each gets its own command."""

from dataclasses import dataclass
from uuid import UUID

from services.intake.app.answer_by_sms import NoSuchCaseError, StrangerError, answer_by_sms
from services.intake.app.answer_for_all import Desk
from services.intake.app.find_survivor import find_survivor
from services.intake.domain.replies import Replies, Reply
from shared.access.api_keys import ApiKey
from shared.db.engine import Database
from shared.runtime.ids import Ids


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one reply. Without a command there is no such case.

    `survivor` is the number of the case that goes on for it.
    """

    reply: Reply
    command_id: UUID | None
    survivor: str | None = None


async def answer_each(
    database: Database,
    ids: Ids,
    *,
    key: ApiKey,
    ref_key: bytes,
    sender: str,
    replies: Replies,
    desk: Desk,
    message_id: str | None,
    traceparent: str | None,
) -> tuple[Answered, ...]:
    """In the order named; a number that no case has keeps none of the others from being answered.

    Raises StrangerError; what the desk raises is passed on, and the same message again answers for the rest.
    """
    found: list[Answered] = []
    for reply in replies.asked:
        try:
            command_id, case_id = await answer_by_sms(
                database,
                ids,
                key=key,
                ref_key=ref_key,
                sender=sender,
                reply=reply,
                desk=desk,
                message_id=message_id,
                traceparent=traceparent,
            )
        except NoSuchCaseError:
            found.append(Answered(reply, None))
        else:
            survivor = await find_survivor(database, desk, org=key.org, case_id=case_id, plan=None)
            found.append(Answered(reply, command_id, survivor))
    return tuple(found)


__all__ = ["Answered", "Desk", "StrangerError", "answer_each"]
