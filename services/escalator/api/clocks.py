"""Door: why the clocks of a case are due when they are, for the console and for whoever asks."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.escalator.app.explain_clocks import ExplainClocks
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.runtime.problems import ProblemError


def clocks_router(explain: ExplainClocks, may_read: Reader) -> APIRouter:
    router = APIRouter(tags=["clocks"])

    @router.get("/v1/cases/{case}/clocks", summary="Why each clock of a case is due then, and why it fired or did not")
    async def clocks(case: str, key: Annotated[ApiKey, Depends(may_read)]) -> dict[str, Any]:
        """By id or number. Lengths of time in seconds; `gross` is the wall's, `net` what counted of it."""
        found = await explain(case[:64], org=key.org)
        if not found:
            raise ProblemError(404, "There is no such case", code="not-found")
        return {"cases": [one.as_json() for one in found]}

    return router
