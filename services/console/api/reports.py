"""Registered reports over HTTP, oldest first: what a back-test of a plan replays."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from services.console.api.access import ApiParts, needs
from services.console.app.list_reports import BadCursorError, list_reports
from shared.access.api_keys import ApiKey, Scope
from shared.runtime.problems import ProblemError

_Since = Annotated[AwareDatetime | None, Query(alias="from", description="Received then or later, with its offset")]
_Until = Annotated[AwareDatetime | None, Query(alias="to", description="Received before then, with its offset")]


def reports_router(parts: ApiParts) -> APIRouter:
    router = APIRouter(tags=["reports"])
    reader = Depends(needs(parts, Scope.READ))

    @router.get("/reports", summary="Registered reports, oldest first, redacted as they were published")
    async def reports(
        since: _Since = None,
        until: _Until = None,
        after: Annotated[str | None, Query(max_length=300, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        key: ApiKey = reader,
    ) -> dict[str, Any]:
        if since is not None and until is not None and until <= since:
            raise ProblemError(422, "The span is empty", code="span", fields={"query.to": "not later than 'from'"})
        try:
            found, following = await list_reports(
                key.org, since=since, until=until, limit=limit, after=after, database=parts.database
            )
        except BadCursorError as error:
            raise ProblemError(422, "The cursor is wrong", code="cursor", fields={"query.after": str(error)}) from error
        return {"reports": found, "next": following}

    return router
