"""How many SMS a text costs: GSM 7-bit or UCS-2, single or concatenated.

Source: 3GPP TS 23.038 §6.2.1 (default alphabet and its extension table) and TS 23.040 §9.2.3.24.1 (a concatenated
message gives up 6 octets of each part for the user data header).
"""

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
GSM_SINGLE: Final = 160
GSM_PART: Final = 153
UCS2_SINGLE: Final = 70
UCS2_PART: Final = 67


def is_gsm(text: str) -> bool:
    """True when every character is in the GSM default alphabet or its extension."""
    return all(char in _BASIC or char in _EXTENDED for char in text)


def segments(text: str) -> int:
    """Messages on the wire; 0 for an empty text. Pairs (escape sequences, surrogates) are never split."""
    if is_gsm(text):
        return _count([2 if char in _EXTENDED else 1 for char in text], GSM_SINGLE, GSM_PART)
    return _count([2 if ord(char) > 0xFFFF else 1 for char in text], UCS2_SINGLE, UCS2_PART)  # noqa: PLR2004  # beyond the BMP


def _count(widths: list[int], single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1 if widths else 0
    parts, room = 1, part
    for width in widths:
        if width > room:
            parts, room = parts + 1, part
        room -= width
    return parts
