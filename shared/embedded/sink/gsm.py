"""How a gateway turns the text of a request into what a phone shows (3GPP TS 23.038)."""

from typing import Final

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = "\f^{}\\[~]|€"
_SEVEN_BIT: Final = frozenset(_BASIC + _EXTENDED)
UCS2: Final = 2


def shown_text(raw: bytes, coding: int, charset: str | None) -> str:
    """The text a phone would show.

    As in Kannel, the 7-bit alphabet is the default and what it lacks (all Chinese) becomes `?`, unless the request asks
    for `coding=2`; then the bytes are UTF-16BE unless `charset` says otherwise. Raises ValueError for bytes that are
    not in the charset and LookupError for a charset that does not exist.
    """
    text = raw.decode(charset or ("utf-16-be" if coding == UCS2 else "utf-8"))
    if coding == UCS2:
        return text
    return "".join(sign if sign in _SEVEN_BIT else "?" for sign in text)
