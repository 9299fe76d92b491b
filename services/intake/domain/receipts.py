"""What providers say about a message, in their own words, as one of our statuses. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import ChannelKind

# Kannel's `type` in delivery reports; a gateway may add several as bits, the most final one counts.
_KANNEL: Final = (
    (1, ReceiptStatus.DELIVERED),
    (2, ReceiptStatus.UNDELIVERED),
    (16, ReceiptStatus.REJECTED),
    (4, ReceiptStatus.BUFFERED),
    (8, ReceiptStatus.ACCEPTED),
)
_WORDS: Final[Mapping[str, ReceiptStatus]] = {
    "accepted": ReceiptStatus.ACCEPTED,
    "queued": ReceiptStatus.ACCEPTED,
    "sending": ReceiptStatus.ACCEPTED,
    "sent": ReceiptStatus.ACCEPTED,
    "buffered": ReceiptStatus.BUFFERED,
    "enroute": ReceiptStatus.BUFFERED,
    "delivered": ReceiptStatus.DELIVERED,
    "delivrd": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "completed": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.UNDELIVERED,
    "undeliv": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.UNDELIVERED,
    "expired": ReceiptStatus.UNDELIVERED,
    "deleted": ReceiptStatus.UNDELIVERED,
    "busy": ReceiptStatus.UNDELIVERED,
    "no-answer": ReceiptStatus.UNDELIVERED,
    "bounced": ReceiptStatus.UNDELIVERED,
    "rejected": ReceiptStatus.REJECTED,
    "rejectd": ReceiptStatus.REJECTED,
}
_STATUS_NAMES: Final = ("status", "MessageStatus", "SmsStatus", "CallStatus", "stat", "event")
_ID_NAMES: Final = ("message_id", "provider_message_id", "MessageSid", "SmsSid", "CallSid", "id")
_CODE_NAMES: Final = ("code", "ErrorCode", "err", "error_code")
_DETAIL_NAMES: Final = ("detail", "reason", "ErrorMessage", "smsc")
_TEXT_FIELD: Final = re.compile(r"\b(id|err|stat):\s?([^\s]{1,60})")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_CHANNELS: Final[Mapping[str | None, ChannelKind]] = {kind.value: kind for kind in ChannelKind}
_MAX_ID: Final = 200
_MAX_CODE: Final = 60
_MAX_DETAIL: Final = 300


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as understood; UNKNOWN when its words are new to us, never a guess."""

    status: ReceiptStatus
    provider_message_id: str | None = None
    code: str | None = None
    detail: str | None = None


def read_kannel(query: Mapping[str, str]) -> Receipt:
    """A delivery report of Kannel: `type`, `text` (the operator's report) and `smsc`."""
    text = query.get("text", "")
    # The report quotes the message after `text:`; what we sent is nobody's business here.
    report = re.split(r"\s?\btext:", text, maxsplit=1, flags=re.IGNORECASE)[0]
    named = {match[1]: match[2] for match in _TEXT_FIELD.finditer(report)}
    detail = " ".join(part for part in (report, f"smsc {query['smsc']}" if query.get("smsc") else "") if part)
    return Receipt(
        _kannel_status(query.get("type", ""), named.get("stat", "")),
        _clean(named.get("id"), _MAX_ID),
        _clean(named.get("err"), _MAX_CODE),
        _clean(detail, _MAX_DETAIL),
    )


def read_fields(fields: Mapping[str, Any]) -> Receipt:
    """A receipt as JSON or form fields, under any of the usual names."""
    word = _first(fields, _STATUS_NAMES)
    status = _WORDS.get((word or "").strip().lower().replace("_", "-"), ReceiptStatus.UNKNOWN)
    detail = _first(fields, _DETAIL_NAMES)
    if status is ReceiptStatus.UNKNOWN:
        detail = f"status '{word}' is not known" if word else "no status given"
    return Receipt(
        status,
        _clean(_first(fields, _ID_NAMES), _MAX_ID),
        _clean(_first(fields, _CODE_NAMES), _MAX_CODE),
        _clean(detail, _MAX_DETAIL),
    )


def channel_of(provider: str, stated: str | None) -> ChannelKind:
    """The channel stated, or the one before a colon in the provider's name; SMS is what receipts are mostly about."""
    for word in (stated, provider.partition(":")[0], provider.partition("-")[0]):
        if word in _CHANNELS:
            return _CHANNELS[word]
    return ChannelKind.SMS


def _kannel_status(kind: str, stat: str) -> ReceiptStatus:
    bits = int(kind) if kind.isascii() and kind.isdigit() and len(kind) <= len("999") else 0
    for bit, status in _KANNEL:
        if bits & bit:
            return status
    return _WORDS.get(stat.lower(), ReceiptStatus.UNKNOWN)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)
    return None


def _clean(text: str | None, limit: int) -> str | None:
    if text is None:
        return None
    cleaned = _UNPRINTABLE.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))[:limit].strip()
    return cleaned or None
