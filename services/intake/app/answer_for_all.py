"""A reply about everything: each page that still waits for an answer gets one."""

from typing import Protocol
from uuid import UUID

from services.intake.app.issue_command import issue_command
from services.intake.channels.desk import DeskAwayError
from services.intake.domain.commands import CommandBody
from services.intake.domain.replies import Wish
from shared.access.api_keys import ApiKey
from shared.contracts.commands import CommandKind
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.runtime.ids import Ids


class Desk(Protocol):
    """Knows who has a number and what they were paged for."""

    async def reply(self, org: str, sender: str, wish: str) -> tuple[str, list[tuple[UUID, str]]] | None: ...


async def answer_for_all(
    database: Database,
    ids: Ids,
    *,
    key: ApiKey,
    sender: str,
    wish: Wish,
    desk: Desk,
    traceparent: str | None,
) -> int | None:
    """How many cases were acknowledged; None when nobody of the roster has this number.

    Repeating it is harmless: what was acknowledged is no longer open. What the desk raises is passed on.
    """
    found = await desk.reply(key.org, sender, wish.value)
    if found is None:
        return None
    person, pages = found
    if wish is not Wish.ACKNOWLEDGE_ALL:
        return 0
    for case_id, plan in pages:
        await issue_command(
            database,
            ids,
            org=key.org,
            case_id=case_id,
            body=CommandBody(command=CommandKind.ACKNOWLEDGE, plan=plan),
            actor=Actor(kind=ActorKind.SMS, ref=person),
            key_prefix=key.prefix,
            traceparent=traceparent,
        )
    return len(pages)


__all__ = ["Desk", "DeskAwayError", "answer_for_all"]
