"""What a message centre reports about a message: from the parameters of `deliver_sm`, else from its text. Pure.

Source: SMPP 3.4 §5.2.28 (message state), §5.3.2.12 (receipted message id) and Appendix B (text of a receipt).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.notifier.domain.smpp_pdu import (
    MESSAGE_STATE,
    NETWORK_ERROR,
    RECEIPTED_MESSAGE_ID,
    Delivery,
    c_text,
)

_STATES: Final = {
    1: "enroute",
    2: "delivered",
    3: "expired",
    4: "deleted",
    5: "undeliverable",
    6: "accepted",
    7: "unknown",
    8: "rejected",
}
_WORDS: Final = {
    "ENROUTE": "enroute",
    "DELIVRD": "delivered",
    "EXPIRED": "expired",
    "DELETED": "deleted",
    "UNDELIV": "undeliverable",
    "ACCEPTD": "accepted",
    "UNKNOWN": "unknown",
    "REJECTD": "rejected",
}
# What intake's door for receipts calls them.
_AS_RECEIPT: Final = {"undeliverable": "undelivered", "enroute": "buffered"}
_FIELD: Final = re.compile(r"\b(id|stat|err):\s?([^\s:]{1,66})", re.IGNORECASE)
_MAX_TEXT: Final = 400
_MAX_ID: Final = 65


class ReceiptIds(StrEnum):
    """How a centre writes, in its receipts, the id it gave at submission."""

    SAME = "same"
    DECIMAL = "decimal"  # the receipt has the decimal form of a hexadecimal id
    HEX = "hex"  # the other way round


@dataclass(frozen=True, slots=True)
class SmppReceipt:
    """`message_id` as the receipt writes it; `status` in the words of intake's door."""

    message_id: str
    status: str
    code: str | None = None


def read_receipt(delivery: Delivery) -> SmppReceipt | None:
    """None when it does not say which message it is about."""
    text = delivery.content[:_MAX_TEXT].decode("ascii", "replace")
    # What follows `text:` quotes the message itself.
    report = re.split(r"\btext:", text, maxsplit=1, flags=re.IGNORECASE)[0]
    named = {match[1].lower(): match[2] for match in _FIELD.finditer(report)}
    message_id = c_text(delivery.tlvs.get(RECEIPTED_MESSAGE_ID, b"")) or named.get("id", "")
    if not message_id or len(message_id) > _MAX_ID:
        return None
    state = delivery.tlvs.get(MESSAGE_STATE, b"")
    status = _STATES.get(state[0], "unknown") if state else _WORDS.get(named.get("stat", "").upper(), "unknown")
    return SmppReceipt(message_id, _AS_RECEIPT.get(status, status), _code(delivery, named.get("err")))


def submitted_ids(receipt_id: str, ids: ReceiptIds) -> tuple[str, ...]:
    """How the id may have been written at submission, by what is known of the centre; never a guess beyond that."""
    try:
        match ids:
            case ReceiptIds.DECIMAL:
                plain = f"{int(receipt_id):x}"
                return tuple(dict.fromkeys((plain, plain.upper(), plain.rjust(8, "0"), plain.upper().rjust(8, "0"))))
            case ReceiptIds.HEX:
                return (str(int(receipt_id, 16)),)
            case ReceiptIds.SAME:
                return (receipt_id,)
    except ValueError:
        return (receipt_id,)


def _code(delivery: Delivery, written: str | None) -> str | None:
    network = delivery.tlvs.get(NETWORK_ERROR, b"")
    if len(network) == 3:  # noqa: PLR2004  # one octet of network type, two of code
        return str(int.from_bytes(network[1:]))
    return written
