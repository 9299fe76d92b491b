"""Receipt addresses of many messages, by the ids their provider gave them: for reports that carry nothing of ours."""

from collections.abc import Sequence

from services.notifier.app.rules import Links
from services.notifier.store.provider_days import addresses_of
from shared.access.links import ReceiptAddress, sign_receipt_address
from shared.db.engine import Database


async def find_receipt_addresses(
    org: str, message_ids: Sequence[str], *, provider: str, database: Database, links: Links
) -> dict[str, str]:
    """The signed part of each address by message id; ids that the organisation's ledger does not know are left out."""
    async with database.transaction() as tx:
        found = await addresses_of(tx, org, provider, message_ids)
    return {
        message: sign_receipt_address(ReceiptAddress(case, attempt, org, provider), links.secret)
        for message, attempt, case in found
    }
