"""Door: replies by SMS about everything, as intake hands them on."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.notifier.app.rules import Rosters, SilenceKeeper
from services.notifier.app.take_reply import take_reply
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Name
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError


class ReplyBody(BaseModel):
    """`org` must be the key's own."""

    model_config = ConfigDict(extra="forbid")

    org: Name
    sender: Annotated[str, Field(min_length=3, max_length=40)]
    wish: Literal["acknowledge-all", "stop", "verify"]


def replies_router(
    rosters: Rosters, silences: SilenceKeeper, database: Database, ids: Ids, may_reply: Reader
) -> APIRouter:
    router = APIRouter(tags=["noise"])

    @router.post("/v1/replies", summary="What the owner of a number was paged for")
    async def reply(body: ReplyBody, key: Annotated[ApiKey, Depends(may_reply)]) -> dict[str, Any]:
        found = None
        if body.org == key.org:
            found = await take_reply(
                key.org, body.sender, body.wish, rosters=rosters, silences=silences, database=database, ids=ids
            )
        if found is None:
            raise ProblemError(404, "Nobody of the roster has this number", code="number-unknown")
        pages = [{"case_id": one.case_id, "plan": one.plan, "number": one.number} for one in found.pages]
        return {"person": found.person, "pages": pages}

    return router
