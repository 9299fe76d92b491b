"""Protocol data units of SMPP as bytes and back. Pure; nothing read from the network is trusted.

Source: SMPP 3.4 Issue 1.2, §3.2 and §4; SMPP 5.0 differs for what is used here only in the version announced.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

BIND_TRANSCEIVER: Final = 0x00000009
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
ENQUIRE_LINK: Final = 0x00000015
RESPONSE: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000

OK: Final = 0x00000000
INVALID_LENGTH: Final = 0x00000002
INVALID_COMMAND: Final = 0x00000003
THROTTLED: Final = 0x00000058
QUEUE_FULL: Final = 0x00000014
NOT_NOW: Final = 0x00000064  # temporary error of the receiving application: to be delivered again
NEVER: Final = 0x00000065  # permanent error of the receiving application

MESSAGE_PAYLOAD: Final = 0x0424
RECEIPTED_MESSAGE_ID: Final = 0x001E
MESSAGE_STATE: Final = 0x0427
NETWORK_ERROR: Final = 0x0423
SAR_REFERENCE: Final = 0x020C
SAR_TOTAL: Final = 0x020E
SAR_NUMBER: Final = 0x020F

HEADER: Final = struct.Struct(">IIII")
MAX_LENGTH: Final = 64 * 1024
USER_DATA_HEADER: Final = 0x40
_RECEIPT_BITS: Final = 0x3C
_IS_RECEIPT: Final = 0x04
_SHORT_MESSAGE: Final = 254
_TLV: Final = struct.Struct(">HH")


class SmppFormatError(ValueError):
    """The bytes are not what SMPP says."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit. `body` is everything after the header."""

    command: int
    sequence: int
    status: int = OK
    body: bytes = b""

    def encoded(self) -> bytes:
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


def read_header(header: bytes) -> tuple[int, int, int, int]:
    """Length of the body, command, status, sequence. Raises SmppFormatError for a length no peer should send."""
    length, command, status, sequence = HEADER.unpack(header)
    if not HEADER.size <= length <= MAX_LENGTH:
        raise SmppFormatError(f"a unit of {length} bytes")
    return length - HEADER.size, command, status, sequence


def bind_body(*, system_id: str, password: str, system_type: str, version: int, address_range: str = "") -> bytes:
    """Raises SmppFormatError for a field longer than the protocol allows."""
    return (
        _text(system_id, 16, "system_id")
        + _text(password, 9, "password")
        + _text(system_type, 13, "system_type")
        + bytes((version, 0, 0))
        + _text(address_range, 41, "address_range")
    )


@dataclass(frozen=True, slots=True)
class Address:
    """A number with its type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6)."""

    number: str
    ton: int
    npi: int


@dataclass(frozen=True, slots=True)
class Submission:
    """One `submit_sm`. `receipt`: 1 every final outcome, 2 failures only. `content` above 254 octets is a payload."""

    source: Address
    destination: Address
    content: bytes
    coding: int
    esm_class: int
    receipt: int
    validity: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)
    payload: bool = False


def submit_body(one: Submission) -> bytes:
    """Raises SmppFormatError for an address or content that does not fit."""
    short = b"" if one.payload else one.content
    if len(short) > _SHORT_MESSAGE:
        raise SmppFormatError(f"a short message of {len(short)} octets")
    tlvs = dict(one.tlvs) | ({MESSAGE_PAYLOAD: one.content} if one.payload else {})
    return b"".join(
        (
            b"\x00",  # service type: the default
            bytes((one.source.ton, one.source.npi)),
            _text(one.source.number, 21, "source_addr"),
            bytes((one.destination.ton, one.destination.npi)),
            _text(one.destination.number, 21, "destination_addr"),
            bytes((one.esm_class, 0, 0)),
            b"\x00",  # delivery at once
            _text(one.validity, 17, "validity_period"),
            bytes((one.receipt, 0, one.coding, 0, len(short))),
            short,
            *(_TLV.pack(tag, len(value)) + value for tag, value in tlvs.items()),
        )
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """A `deliver_sm`: a receipt, or a message from a phone. `content` without its user data header."""

    source: str
    destination: str
    coding: int
    is_receipt: bool
    content: bytes
    tlvs: Mapping[int, bytes]


def read_delivery(body: bytes) -> Delivery:
    """Raises SmppFormatError."""
    reader = _Reader(body)
    reader.text()
    reader.octets(2)
    source = reader.text()
    reader.octets(2)
    destination = reader.text()
    esm_class = reader.octets(3)[0]
    reader.text()
    reader.text()
    coding = reader.octets(4)[2]
    content = reader.octets(reader.octets(1)[0])
    tlvs = reader.tlvs()
    content = content or tlvs.get(MESSAGE_PAYLOAD, b"")
    if esm_class & USER_DATA_HEADER and content:
        content = content[content[0] + 1 :]
    return Delivery(source, destination, coding, esm_class & _RECEIPT_BITS == _IS_RECEIPT, content, tlvs)


def read_message_id(body: bytes) -> str:
    """Of a `submit_sm_resp`; empty when there is none, as with a refusal."""
    return _Reader(body).text() if body else ""


def c_text(value: bytes) -> str:
    """A TLV's C-octet string."""
    return value.partition(b"\x00")[0].decode("ascii", "replace")


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octets(self, count: int) -> bytes:
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise SmppFormatError("the unit ends too early")
        self._at += count
        return found

    def text(self) -> str:
        end = self._body.find(b"\x00", self._at)
        if end < 0:
            raise SmppFormatError("a text without its end")
        found = self._body[self._at : end]
        self._at = end + 1
        return found.decode("ascii", "replace")

    def tlvs(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, length = _TLV.unpack(self.octets(_TLV.size))
            found[tag] = self.octets(length)
        return found


def _text(value: str, size: int, name: str) -> bytes:
    """A C-octet string of at most `size` octets with its end."""
    if not value.isascii() or "\x00" in value or len(value) >= size:
        raise SmppFormatError(f"{name} must be ASCII and shorter than {size} characters")
    return value.encode() + b"\x00"
