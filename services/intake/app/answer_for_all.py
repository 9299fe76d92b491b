"""A reply about no single case: each page that still waits gets an answer, a code goes back to its check."""

from typing import Protocol
from uuid import UUID

from services.intake.app.issue_command import issue_command
from services.intake.channels.desk import DeskAwayError, Owner, Survivor
from services.intake.domain.commands import CommandBody
from services.intake.domain.replies import Reply, Wish
from shared.access.api_keys import ApiKey
from shared.contracts.commands import CommandKind
from shared.contracts.values import Actor, ActorKind, Facts
from shared.db.engine import Database
from shared.runtime.ids import Ids


class Desk(Protocol):
    """Knows who has a number and what they were paged for."""

    async def reply(
        self, org: str, sender: str, wish: str, *, number: str | None = None, case_id: UUID | None = None
    ) -> Owner | None: ...

    async def survivor(self, case_id: UUID, plan: str | None) -> Survivor | None: ...


async def answer_for_all(
    database: Database,
    ids: Ids,
    *,
    key: ApiKey,
    sender: str,
    reply: Reply,
    desk: Desk,
    traceparent: str | None,
) -> list[UUID] | None:
    """The commands, one for each case acknowledged or code passed on; None when nobody of the roster has this number.

    Repeating it is harmless: what was acknowledged is no longer open. What the desk raises is passed on.
    """
    found = await desk.reply(key.org, sender, reply.wish.value)
    if found is None:
        return None
    if reply.wish is Wish.STOP:
        return []
    # One of a person's open checks stands for all of them.
    firsts = {one.person: one for one in reversed(found.pages)}
    answered = found.pages if reply.wish is Wish.ACKNOWLEDGE_ALL else firsts.values()
    code: Facts = {"code": reply.rest} if reply.wish is Wish.VERIFY else {}
    issued = [
        await issue_command(
            database,
            ids,
            org=key.org,
            case_id=page.case_id,
            body=CommandBody(command=CommandKind.ACKNOWLEDGE, plan=page.plan, arguments=code),
            actor=Actor(kind=ActorKind.SMS, ref=page.person),
            key_prefix=key.prefix,
            traceparent=traceparent,
        )
        for page in answered
    ]
    return [one.command_id for one in issued]


__all__ = ["Desk", "DeskAwayError", "answer_for_all"]
