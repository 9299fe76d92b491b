"""Door: what the auditor of this process found when it looked last."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.escalator.app.audit_timers import AuditTimers
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader


def audit_router(audit: AuditTimers, may_operate: Reader) -> APIRouter:
    router = APIRouter(tags=["audit"])

    @router.get("/v1/timers/audit", summary="Deadlines about to be missed, or told of by nobody, of the last look")
    async def last(key: Annotated[ApiKey, Depends(may_operate)]) -> dict[str, Any]:
        """Counts are of all organisations; the cases named are those of the key's own."""
        return audit.shown(key.org)

    return router
