"""The one interface to providers: a message goes in, and exactly one of three answers comes out.

An adapter never raises for what a provider does, never retries (delivery decides that) and answers within its own
time limit. Raising means a fault of ours; the attempt then counts as not answered.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from services.notifier.domain.delivery import Answer
from services.notifier.domain.texts import Rendered
from shared.contracts.values import ChannelKind


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one address. `token` is the same for every call about the same intent and route.

    `receipt_url` is where the provider may report later; it names the attempt and is signed. `key_url` is where a voice
    provider reports the key that was pressed; it acknowledges as the link does.
    """

    token: str
    attempt_id: UUID
    case_id: UUID
    channel: ChannelKind
    to: str
    text: Rendered
    link: str | None
    receipt_url: str
    drill: bool
    key_url: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message over."""

    provider_id: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. `answer` says whether it may work soon, whether the provider is out of service, or is not known."""

    after: timedelta
    why: str
    code: str | None = None
    answer: Answer = Answer.TRANSIENT


@dataclass(frozen=True, slots=True)
class Reject:
    """Never for this address."""

    why: str
    code: str | None = None


Reply = Accepted | Retry | Reject


class Channel(Protocol):
    """A provider of one channel. `name` is what the ledger and receipts call it."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> ChannelKind: ...

    async def send(self, message: OutgoingMessage) -> Reply: ...

    async def close(self) -> None: ...
