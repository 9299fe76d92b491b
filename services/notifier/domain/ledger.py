"""Rows of the ledger as values: a request, and an intent to tell one person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.domain.delivery import Outcome, Verdict
from services.notifier.domain.noise import Ruling
from services.notifier.domain.urgency import Lane, Notice
from shared.contracts.notifications import NotificationRequestedV1
from shared.contracts.values import Bilingual, ChannelKind


@dataclass(frozen=True, slots=True)
class Request:
    """An accepted request with the event it came by."""

    event_id: UUID
    org: str
    case_id: UUID
    traceparent: str | None
    accepted_at: datetime
    body: NotificationRequestedV1


@dataclass(frozen=True, slots=True)
class Intent:
    """One person (or a role without anybody) to be told, and how far that has come.

    `published` is the last verdict that other services know. Without one `waits` is why nothing can be sent at this
    moment. Without `due_at` nothing is awaited. `noise` is why it
    waits, waited or was left out, `held_at` since when; `bundle` is the intent whose message carries this one too.
    """

    id: UUID
    request: Request
    role: str
    person: str | None
    person_label: str | None
    because: Bilingual
    lane: Lane
    urgency: int
    attempts: int = 0
    stopped: Bilingual | None = None
    published: Verdict | None = None
    settled_at: datetime | None = None
    next_channel: ChannelKind | None = None
    due_at: datetime | None = None
    noise: Ruling | None = None
    held_at: datetime | None = None
    bundle: UUID | None = None
    waits: Bilingual | None = None

    @property
    def is_carrier(self) -> bool:
        """True when its message tells other cases too."""
        return self.bundle == self.id

    @property
    def recipient(self) -> str:
        """Unique within the request."""
        return self.person if self.person is not None else f"role:{self.role}"

    @property
    def notice(self) -> Notice:
        """What supersession reads of it."""
        body = self.request.body
        return Notice(
            self.id, self.request.org, self.request.case_id, body.subject.plan, self.recipient, body.step, body.purpose
        )


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """An attempt about to be made. `address` is shortened so that the ledger holds no whole phone number."""

    id: UUID
    intent_id: UUID
    number: int
    channel: ChannelKind
    provider: str
    contact: str
    address: str
    token: str
    doubtful: bool
    started_at: datetime
    answer_until: datetime


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An outcome with what identifies it at the provider."""

    attempt_id: UUID
    outcome: Outcome
    provider_message_id: str | None = None
    code: str | None = None


def shortened(address: str) -> str:
    """Enough of an address to recognise it, too little to use it: `138****0001`, `d***@example.org`."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    head, tail = min(3, len(address) // 3), min(4, len(address) // 2)
    return f"{address[:head]}****{address[len(address) - tail :]}"
