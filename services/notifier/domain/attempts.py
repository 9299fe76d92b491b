"""What was tried to tell one person, as recorded: calls, answers, receipts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import ChannelKind

NEGATIVE: Final = frozenset({ReceiptStatus.UNDELIVERED, ReceiptStatus.REJECTED})


class Answer(StrEnum):
    """How a provider answered one attempt."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"  # the same call may work soon
    UNAVAILABLE = "unavailable"  # the provider does not serve us now: try others first
    PERMANENT = "permanent"  # never for this address
    UNKNOWN = "unknown"  # no answer was recorded: it may have been sent


@dataclass(frozen=True, slots=True)
class Route:
    """One way to one address."""

    channel: ChannelKind
    provider: str
    contact: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The recorded answer. `retry_after` is the provider's own wish."""

    answer: Answer
    ended_at: datetime
    why: str = ""
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider said later."""

    status: ReceiptStatus
    received_at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, as recorded before and after it. Until `answer_until` its worker may still answer.

    `unconfirmed` is concluded by `decide`: accepted, and so long without a receipt.
    """

    id: UUID
    route: Route
    answer_until: datetime
    outcome: Outcome | None = None
    receipts: tuple[Receipt, ...] = ()
    unconfirmed: timedelta | None = None


def delivered(attempt: Attempt) -> bool:
    return any(receipt.status is ReceiptStatus.DELIVERED for receipt in attempt.receipts)


def negative(attempt: Attempt) -> bool:
    """True when a receipt says it did not arrive and none says it did."""
    return not delivered(attempt) and any(receipt.status in NEGATIVE for receipt in attempt.receipts)
