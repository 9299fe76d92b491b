"""Take delivery receipts in groups and pass them on."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.app.register_reports import SOURCE
from services.intake.domain.receipts import Receipt
from shared.access.links import ReceiptAddress
from shared.contracts.envelope import Event
from shared.contracts.receipts import ReceiptReceivedV1
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.tracing import next_span


@dataclass(frozen=True, slots=True)
class AddressedReceipt:
    """A receipt with the attempt it speaks of."""

    address: ReceiptAddress
    channel: ChannelKind
    receipt: Receipt
    traceparent: str | None = None


class ReceiveReceipts:
    """One call is one transaction; call it through a GroupCommit. Receipts may repeat; the notifier decides."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    async def __call__(self, receipts: Sequence[AddressedReceipt]) -> list[None]:
        """All on their way when this returns. Raises the database's errors when nothing was written."""
        async with self._database.transaction() as tx:
            for one in receipts:
                data = ReceiptReceivedV1(
                    attempt_id=one.address.attempt_id,
                    provider=one.address.provider,
                    channel=one.channel,
                    status=one.receipt.status,
                    provider_message_id=one.receipt.provider_message_id,
                    code=one.receipt.code,
                    detail=one.receipt.detail,
                    received_at=tx.now,
                )
                tx.outbox.add(
                    Event(
                        id=self._ids.new(),
                        source=SOURCE,
                        time=tx.now,
                        org=one.address.org,
                        case_id=one.address.case_id,
                        data=data,
                        causation=str(one.address.attempt_id),
                        traceparent=next_span(one.traceparent),
                    )
                )
        return [None] * len(receipts)
