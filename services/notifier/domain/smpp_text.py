"""A text as the octets of one or more short messages. Pure.

Source: 3GPP TS 23.038 §6.2.1 (default alphabet, one octet a character on SMPP), TS 23.040 §9.2.3.24.1 (concatenation
with an 8-bit reference), SMPP 3.4 §5.2.19 (data coding).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.notifier.domain.smpp_pdu import SAR_NUMBER, SAR_REFERENCE, SAR_TOTAL, USER_DATA_HEADER
from shared.plans.sms_segments import GSM_PART, GSM_SINGLE, UCS2_PART, UCS2_SINGLE, is_gsm

GSM: Final = 0x00
LATIN1: Final = 0x03
UCS2: Final = 0x08
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_CODES: Final = {char: bytes((code,)) for code, char in enumerate(_BASIC) if char != "\x1b"} | {
    char: bytes((0x1B, code))
    for char, code in zip("\f^{}\\[~]|€", (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), strict=True)
}
_EXTENDED: Final = {code[1]: char for char, code in _CODES.items() if len(code) == 2}  # noqa: PLR2004  # escape and code
_ESCAPE: Final = 0x1B
_MAX_PARTS: Final = 255
_MAX_PAYLOAD: Final = 60_000


class LongTexts(StrEnum):
    """How a message centre wants texts that need several messages."""

    UDH = "udh"  # parts with a user data header
    SAR = "sar"  # parts with the sar_* parameters
    PAYLOAD = "payload"  # whole, as message_payload; the centre splits it


@dataclass(frozen=True, slots=True)
class Part:
    """The content of one `submit_sm`."""

    content: bytes
    coding: int
    esm_class: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()
    payload: bool = False


def parts_of(text: str, *, reference: int, long_texts: LongTexts) -> tuple[Part, ...]:
    """The text in as few messages as possible; characters and pairs are never split. Raises ValueError beyond 255.

    `reference` ties the parts together on the phone; any number, used modulo 256.
    """
    plain = is_gsm(text)
    encode, coding = (_gsm, GSM) if plain else (_ucs2, UCS2)
    single, part = (GSM_SINGLE, GSM_PART) if plain else (UCS2_SINGLE * 2, UCS2_PART * 2)
    whole = encode(text)
    if len(whole) <= single:
        return (Part(whole, coding),)
    if long_texts is LongTexts.PAYLOAD:
        if len(whole) > _MAX_PAYLOAD:
            raise ValueError("the text is too long for one payload")
        return (Part(whole, coding, payload=True),)
    pieces = _pieces(text, part, encode)
    if len(pieces) > _MAX_PARTS:
        raise ValueError("the text needs more than 255 messages")
    return tuple(
        _part(piece, coding, reference % 256, len(pieces), number, long_texts)
        for number, piece in enumerate(pieces, start=1)
    )


def _part(  # noqa: PLR0917  # one call, above
    piece: bytes, coding: int, reference: int, total: int, number: int, long_texts: LongTexts
) -> Part:
    if long_texts is LongTexts.SAR:
        tlvs = ((SAR_REFERENCE, reference.to_bytes(2)), (SAR_TOTAL, bytes((total,))), (SAR_NUMBER, bytes((number,))))
        return Part(piece, coding, tlvs=tlvs)
    return Part(bytes((5, 0, 3, reference, total, number)) + piece, coding, USER_DATA_HEADER)


def _pieces(text: str, room: int, encode: Callable[[str], bytes]) -> Sequence[bytes]:
    pieces: list[bytes] = []
    piece = bytearray()
    for char in text:
        coded = encode(char)
        if len(piece) + len(coded) > room:
            pieces.append(bytes(piece))
            piece.clear()
        piece += coded
    return [*pieces, bytes(piece)]


def _gsm(text: str) -> bytes:
    return b"".join(_CODES[char] for char in text)


def _ucs2(text: str) -> bytes:
    return text.encode("utf-16-be", "replace")


def decoded(content: bytes, coding: int) -> str:
    """The text of a message from a phone; what cannot be read becomes a replacement character."""
    if coding == UCS2:
        return content.decode("utf-16-be", "replace")
    if coding == LATIN1:
        return content.decode("latin-1")
    if coding != GSM:
        return content.decode("ascii", "replace")
    found: list[str] = []
    octets = iter(content)
    for octet in octets:
        if octet == _ESCAPE:
            found.append(_EXTENDED.get(next(octets, 0), " "))
        else:
            found.append(_BASIC[octet] if octet < len(_BASIC) else "\ufffd")
    return "".join(found)
