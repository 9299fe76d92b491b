"""Door: which case goes on for one that was merged, as intake tells whoever answers for it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.notifier.app.find_survivor import find_survivor
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Slug
from shared.db.engine import Database
from shared.runtime.problems import ProblemError


def merged_cases_router(database: Database, may_reply: Reader) -> APIRouter:
    router = APIRouter(tags=["deliveries"])

    @router.get("/v1/cases/{case_id}/survivor", summary="Which case goes on for one that was merged")
    async def survivor(
        case_id: UUID, key: Annotated[ApiKey, Depends(may_reply)], plan: Annotated[Slug | None, Query()] = None
    ) -> dict[str, Any]:
        """404 for a case that stands by itself, and for one of another organisation."""
        found = await find_survivor(key.org, case_id, plan, database=database)
        if found is None:
            raise ProblemError(404, "No other case goes on for it", code="not-merged")
        return {"case_id": found.case_id, "number": found.number}

    return router
