"""Door: replies by SMS, as intake hands them on."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.notifier.app.rules import Rosters, SilenceKeeper
from services.notifier.app.take_reply import Wish, take_reply
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Name
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError


class ReplyBody(BaseModel):
    """`org` must be the key's own. `number` and, where it is known, `case_id` name the case of a `one-case`."""

    model_config = ConfigDict(extra="forbid")

    org: Name
    sender: Annotated[str, Field(min_length=3, max_length=40)]
    wish: Literal["acknowledge-all", "stop", "verify", "one-case"]
    number: Annotated[str | None, Field(max_length=40)] = None
    case_id: UUID | None = None


def replies_router(
    rosters: Rosters, silences: SilenceKeeper, database: Database, ids: Ids, may_reply: Reader
) -> APIRouter:
    router = APIRouter(tags=["noise"])

    @router.post("/v1/replies", summary="Whose a number is, and what they were paged for")
    async def reply(body: ReplyBody, key: Annotated[ApiKey, Depends(may_reply)]) -> dict[str, Any]:
        found = None
        if body.org == key.org:
            wish = Wish(body.wish, body.number, body.case_id)
            found = await take_reply(
                key.org, body.sender, wish, rosters=rosters, silences=silences, database=database, ids=ids
            )
        if found is None:
            raise ProblemError(404, "Nobody of the roster has this number", code="number-unknown")
        pages = [
            {"case_id": one.case_id, "plan": one.plan, "number": one.number, "person": one.person}
            for one in found.pages
        ]
        return {"person": found.person, "pages": pages}

    return router
