"""Receipts of notices to complainants: confirmed, or tried again by another provider."""

from collections.abc import Sequence
from uuid import UUID

from services.notifier.app.settle_complainant import settle_complainant
from services.notifier.domain.complainant_notices import MOST_TRIES, ComplainantNotice, Following, Told
from services.notifier.store import complainant_notices as rows
from shared.contracts.envelope import Event
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.db.tx import Tx
from shared.runtime.ids import Ids

_NEGATIVE = frozenset({ReceiptStatus.UNDELIVERED, ReceiptStatus.REJECTED})


async def receive_for_complainants(tx: Tx, events: Sequence[Event[ReceiptReceivedV1]], ids: Ids) -> frozenset[UUID]:
    """The attempts among these that are notices to complainants. Applying a receipt again changes nothing."""
    notices = {one.id: one for one in await rows.lock(tx, [event.data.attempt_id for event in events])}
    ours = {event.id: event for event in events if event.data.attempt_id in notices}
    first = await tx.first_seen(list(ours))
    for event in ours.values():
        if event.id in first:
            await _receive(tx, notices[event.data.attempt_id], event.data, ids)
    return frozenset(notices)


async def _receive(tx: Tx, notice: ComplainantNotice, receipt: ReceiptReceivedV1, ids: Ids) -> None:
    if receipt.status is ReceiptStatus.DELIVERED:
        following = Following(Told.DELIVERED, None, "the provider confirmed delivery")
    elif receipt.status in _NEGATIVE:
        why = f"{receipt.status.value} {receipt.code or ''}".strip()
        again = notice.attempts < MOST_TRIES
        following = Following(None if again else Told.FAILED, tx.now if again else None, why)
    else:
        return
    await settle_complainant(tx, notice, following, ids=ids, channel=receipt.channel, provider=receipt.provider)
