"""Door: where the receipts of messages go, by the ids of their provider, as intake asks for reports in batches."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.notifier.app.find_receipt_addresses import find_receipt_addresses
from services.notifier.app.rules import Links
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Name
from shared.db.engine import Database


class AddressesWanted(BaseModel):
    """`provider` as the provider file names it."""

    model_config = ConfigDict(extra="forbid")

    provider: Name
    message_ids: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=1, max_length=1000)
    ]


def receipt_addresses_router(links: Links, database: Database, may_reply: Reader) -> APIRouter:
    router = APIRouter(tags=["deliveries"])

    @router.post("/v1/receipt-addresses", summary="Receipt addresses by the provider's message ids")
    async def addresses(wanted: AddressesWanted, key: Annotated[ApiKey, Depends(may_reply)]) -> dict[str, Any]:
        found = await find_receipt_addresses(
            key.org, wanted.message_ids, provider=wanted.provider, database=database, links=links
        )
        return {"addresses": found}

    return router
