"""Personal data out of free text before it is published: phones, identity cards, bank cards, mail addresses.

Checks what can be checked (GB 11643 check digit, ISO/IEC 7812 Luhn) so that order numbers stay readable. Digits may
be full-width. Every pattern is linear in the length of the text.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from shared.contracts.values import Language

_WORTH_A_LOOK: Final = re.compile(r"\d[\d \-\u2010-\u2015()（）]{4,}[\dXxＸｘ]|[@＠]")
_MAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{1,64}[@＠][A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,5}"
)
_SEPARATOR: Final = r"[ \-\u2010-\u2015]?"
_NUMBER: Final = re.compile(
    rf"(?<![\dA-Za-z])[+＋]?\d(?:{_SEPARATOR}[\d]){{5,22}}(?:{_SEPARATOR}[XxＸｘ])?(?![\dA-Za-z])"
)
_SPLIT: Final = re.compile(r"([ \-\u2010-\u2015])")
_LANDLINE: Final = re.compile(r"(?<!\d)[(（]?0\d{2,3}[)）]?[ \-\u2010-\u2015]?\d{7,8}(?:[ \-转]\d{1,6})?(?!\d)")
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK: Final = "10X98765432"
_ID_DIGITS: Final = 18
_CARD_DIGITS: Final = range(13, 20)
_MOBILE: Final = re.compile(r"^(?:00?86|86)?1[3-9]\d{9}$")
_INTERNATIONAL_DIGITS: Final = range(7, 16)
_SHORTEST_NAME: Final = 2
_NINE: Final = 9

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"phone": "【电话】", "id": "【证件】", "card": "【卡号】", "mail": "【邮箱】", "person": "【本人】"},
    "en": {"phone": "[phone]", "id": "[id]", "card": "[card]", "mail": "[mail]", "person": "[person]"},
}


def redact(text: str, language: Language, known: Sequence[str] = ()) -> str:
    """The text with personal data replaced by its kind. `known` particulars are replaced literally."""
    words = _WORDS[language]
    for particular in known:
        text = text.replace(particular, words["person"])
    if not _WORTH_A_LOOK.search(text):
        return text
    text = _MAIL.sub(words["mail"], text)
    text = _NUMBER.sub(lambda match: _replaced(match[0], words), text)
    return _LANDLINE.sub(words["phone"], text)


def known_particulars(values: Iterable[str | None]) -> tuple[str, ...]:
    """What may be replaced literally, longest first; a single character would mangle the text."""
    found = {value.strip() for value in values if value and len(value.strip()) >= _SHORTEST_NAME}
    return tuple(sorted(found, key=len, reverse=True))


def _replaced(written: str, words: dict[str, str]) -> str:
    """The run of digits with what is recognised in it replaced; numbers in a row are told apart by their separators."""
    pieces = _SPLIT.split(written)
    out: list[str] = []
    first = 0
    while first < len(pieces):
        for last in range(len(pieces), first, -2):
            kind = _kind_of("".join(pieces[first:last]))
            if kind is not None:
                out.append(words[kind])
                break
        else:
            last = first + 1
            out.append(pieces[first])
        if last < len(pieces):
            out.append(pieces[last])
        first = last + 1
    return "".join(out)


def _kind_of(written: str) -> str | None:
    digits = "".join(str(int(char)) if char.isdecimal() else "X" for char in written if char.isalnum())
    if _is_identity_card(digits):
        return "id"
    if _MOBILE.match(digits) or (written[0] in "+＋" and len(digits) in _INTERNATIONAL_DIGITS):
        return "phone"
    if len(digits) in _CARD_DIGITS and digits.isdigit() and _passes_luhn(digits):
        return "card"
    return None


def _is_identity_card(digits: str) -> bool:
    """GB 11643-1999: eighteen places, the last one is ISO 7064 MOD 11-2 over the first seventeen."""
    if len(digits) != _ID_DIGITS or not digits[:-1].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:-1], _ID_WEIGHTS, strict=True))
    return _ID_CHECK[total % 11] == digits[-1]


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - _NINE if value * 2 > _NINE else value * 2
        total += value
    return total % 10 == 0
