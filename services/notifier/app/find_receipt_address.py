"""The receipt address of a message, by the id its provider gave it."""

from collections.abc import Sequence

from services.notifier.app.rules import Links
from services.notifier.store.provider_days import address_of
from shared.access.links import ReceiptAddress, sign_receipt_address
from shared.db.engine import Database


async def find_receipt_address(
    message_ids: Sequence[str], *, provider: str, database: Database, links: Links
) -> str | None:
    """Signed anew; None when the ledger knows no such message. Raises the database's errors."""
    async with database.transaction() as tx:
        found = await address_of(tx, provider, message_ids)
    if found is None:
        return None
    attempt, case, org = found
    address = ReceiptAddress(case, attempt, org, provider)
    return f"{links.receipts}/v1/receipts/{sign_receipt_address(address, links.secret)}"
