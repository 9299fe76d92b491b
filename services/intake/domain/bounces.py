"""A mail that says what became of a mail: delivery status notifications. Pure; any bytes are read or refused.

Source: RFC 3464 (message/delivery-status) inside RFC 6522 (multipart/report).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import Final

from services.intake.domain.receipts import Receipt
from shared.contracts.receipts import ReceiptStatus

RECEIPT_HEADER: Final = "X-Fenghuo-Receipt"
_ACTIONS: Final[Mapping[str, ReceiptStatus]] = {
    "failed": ReceiptStatus.UNDELIVERED,
    "delayed": ReceiptStatus.BUFFERED,
    "delivered": ReceiptStatus.DELIVERED,
    "relayed": ReceiptStatus.ACCEPTED,
    "expanded": ReceiptStatus.ACCEPTED,
}
_MAX_CODE: Final = 60
_MAX_DETAIL: Final = 300
_MOST_PARTS: Final = 50


@dataclass(frozen=True, slots=True)
class Bounce:
    """`token` is the signed receipt address that our mail carried."""

    token: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class NoBounce:
    """A mail that reports nothing about a mail of ours; `reason` says why."""

    reason: str


def read_bounce(content: bytes) -> Bounce | NoBounce:
    """What the mail reports. A notification about several recipients counts by its worst: ours have one."""
    try:
        return _read(message_from_bytes(content))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return NoBounce(f"cannot be read as a mail: {type(error).__name__}")


def _read(mail: Message) -> Bounce | NoBounce:
    if mail.get_content_type() != "multipart/report":
        return NoBounce("is not a multipart/report")
    groups: list[Message] = []
    token = ""
    for part in _parts(mail):
        kind = part.get_content_type()
        payload = part.get_payload()
        if kind == "message/delivery-status" and isinstance(payload, list):
            groups += [one for one in payload if isinstance(one, Message) and one["Action"] is not None]
        elif kind == "message/rfc822" and isinstance(payload, list) and payload and isinstance(payload[0], Message):
            token = token or _token(payload[0])
        elif kind == "text/rfc822-headers":
            decoded = part.get_payload(decode=True)
            headers = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
            token = token or _token(message_from_string(headers))
    if not groups:
        return NoBounce("has no delivery status")
    if not token:
        return NoBounce("does not carry the receipt address of a mail of ours")
    return Bounce(token, _receipt(groups))


def _receipt(groups: list[Message]) -> Receipt:
    worst = next((one for one in groups if _word(one, "Action") == "failed"), groups[0])
    action = _word(worst, "Action")
    said = " ".join(_line(worst, name) for name in ("Diagnostic-Code", "Remote-MTA"))
    detail = f"{action} {said}".strip()[:_MAX_DETAIL]
    return Receipt(
        _ACTIONS.get(action, ReceiptStatus.UNKNOWN), None, _line(worst, "Status")[:_MAX_CODE] or None, detail
    )


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of the report itself; what lies inside the returned mail is not a report of ours."""
    payload = mail.get_payload()
    for part in payload[:_MOST_PARTS] if isinstance(payload, list) else ():
        if isinstance(part, Message):
            yield part


def _token(mail: Message) -> str:
    """Headers are folded and so hold spaces; the token holds none."""
    return "".join(str(mail.get(RECEIPT_HEADER, "")).split())


def _word(group: Message, name: str) -> str:
    return _line(group, name).split(" ", 1)[0].lower()


def _line(group: Message, name: str) -> str:
    """One harmless line."""
    text = str(group.get(name, "")).encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
