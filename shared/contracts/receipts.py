"""What providers said about a message later: topic `receipts-received`."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.values import ChannelKind, Contract, Instant, Name, Text


class ReceiptStatus(StrEnum):
    ACCEPTED = "accepted"  # by the operator's message centre; not yet on the phone
    BUFFERED = "buffered"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class ReceiptReceivedV1(Contract):
    """A delivery receipt. Receipts may arrive in any order and more than once."""

    TYPE: ClassVar[str] = "fenghuo.receipt.received.v1"

    attempt_id: UUID
    provider: Name
    channel: ChannelKind
    status: ReceiptStatus
    provider_message_id: Annotated[str | None, Field(max_length=200)] = None
    code: Annotated[str | None, Field(max_length=60)] = None
    detail: Text | None = None
    received_at: Instant
