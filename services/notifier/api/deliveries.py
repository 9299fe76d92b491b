"""Door: the ledger of a case, for the console and for whoever asks why somebody was (not) told."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from services.notifier.app.show_deliveries import show_deliveries
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.db.engine import Database


def deliveries_router(database: Database, may_read: Reader) -> APIRouter:
    router = APIRouter(tags=["deliveries"])

    @router.get("/v1/cases/{case_id}/deliveries", summary="Who was told about a case, and what came of it")
    async def deliveries(case_id: UUID, key: Annotated[ApiKey, Depends(may_read)]) -> dict[str, Any]:
        return {"case_id": case_id, "requests": await show_deliveries(key.org, case_id, database=database)}

    return router
