"""Signed texts that leave the product and come back: acknowledgement links and receipt addresses.

An acknowledgement link is bound to one person, one case and one notification, expires, and is used once (intake
keeps its id). It is short enough for an SMS. A receipt address is bound to one delivery attempt.
"""

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from itsdangerous import BadSignature, Signer

_HEAD: Final = struct.Struct(">16s16sI")
_SEPARATOR: Final = b"\x00"
_MAX_TEXT: Final = 400


class LinkInvalidError(ValueError):
    """The text was not signed by us or is damaged."""


class LinkExpiredError(ValueError):
    """The link was genuine and is too old."""


@dataclass(frozen=True, slots=True)
class AcknowledgementLink:
    """What following the link means: this person acknowledges this case. `expires_at` has whole seconds, UTC."""

    case_id: UUID
    intent_id: UUID  # unique per person and notification: the link's own id
    org: str
    plan: str
    person: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptAddress:
    """Which attempt a provider's receipt speaks of."""

    case_id: UUID
    attempt_id: UUID
    org: str
    provider: str


def sign_acknowledgement(link: AcknowledgementLink, secret: bytes) -> str:
    """URL-safe text, about 130 characters."""
    head = _HEAD.pack(link.case_id.bytes, link.intent_id.bytes, int(link.expires_at.timestamp()))
    return _sign(head + _SEPARATOR.join(part.encode() for part in (link.org, link.plan, link.person)), secret, b"ack")


def read_acknowledgement(text: str, secret: bytes, now: datetime) -> AcknowledgementLink:
    """Raises LinkInvalidError or LinkExpiredError."""
    (case_id, intent_id, expires), (org, plan, person) = _read(text, secret, b"ack", parts=3)
    link = AcknowledgementLink(case_id, intent_id, org, plan, person, datetime.fromtimestamp(expires, UTC))
    if now >= link.expires_at:
        raise LinkExpiredError("the link has expired")
    return link


def sign_receipt_address(address: ReceiptAddress, secret: bytes) -> str:
    """URL-safe text for the address a provider calls back."""
    head = _HEAD.pack(address.case_id.bytes, address.attempt_id.bytes, 0)
    return _sign(head + _SEPARATOR.join((address.org.encode(), address.provider.encode())), secret, b"receipt")


def read_receipt_address(text: str, secret: bytes) -> ReceiptAddress:
    """Raises LinkInvalidError."""
    (case_id, attempt_id, _), (org, provider) = _read(text, secret, b"receipt", parts=2)
    return ReceiptAddress(case_id, attempt_id, org, provider)


def _signer(secret: bytes, purpose: bytes) -> Signer:
    return Signer(secret, salt=b"fenghuo." + purpose, sep=".", key_derivation="hmac", digest_method=hashlib.sha256)


def _sign(body: bytes, secret: bytes, purpose: bytes) -> str:
    return _signer(secret, purpose).sign(base64.urlsafe_b64encode(body).rstrip(b"=")).decode()


def _read(text: str, secret: bytes, purpose: bytes, *, parts: int) -> tuple[tuple[UUID, UUID, int], list[str]]:
    if len(text) > _MAX_TEXT or not text.isascii():
        raise LinkInvalidError("the link is damaged")
    try:
        encoded = _signer(secret, purpose).unsign(text)
        body = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        first, second, number = _HEAD.unpack(body[: _HEAD.size])
        texts = body[_HEAD.size :].decode().split(_SEPARATOR.decode())
    except (BadSignature, binascii.Error, struct.error, UnicodeDecodeError) as error:
        raise LinkInvalidError("the link is damaged or not ours") from error
    if len(texts) != parts:
        raise LinkInvalidError("the link is damaged")
    return (UUID(bytes=first), UUID(bytes=second), number), texts
