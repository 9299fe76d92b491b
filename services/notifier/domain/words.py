"""Text from outside made harmless before it is put into a message that people trust."""

import re
import unicodedata
from typing import Final

from shared.contracts.values import Language

_ZERO_WIDTH_JOINER: Final = "\u200d"
_REMOVED: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_SPACED: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})
# Brackets of this form mark drills and our name; a look-alike in a title must not.
_REPLACED: Final = str.maketrans({"【": "[", "】": "]"})
_READ_AT_MOST: Final = 4000
# A dot that a telephone takes for part of an address: before a top-level domain, and in an address of four numbers.
_DOT: Final = re.compile(r"(?<=[\w\-])[.．｡․](?=[^\W\d_]{2,})")
_DOT_OF_NUMBER: Final = re.compile(r"[.．｡․]")
_FOUR_NUMBERS: Final = re.compile(r"(?<![A-Za-z0-9_.])\d{1,3}(?:[.．｡․]\d{1,3}){3}(?![\w.])")
_DIALLED: Final = re.compile(
    r"(?<![A-Za-z0-9_\-])(?:\+\d[\d ()\-]{5,20}\d|1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}|0\d{2,3}[ \-]?\d{7,8}"
    r"|[48]00[ \-]?\d{3,4}[ \-]?\d{3,4}|00\d{8,15})(?![\d])"
)
_APART: Final = re.compile(r"[ ()\-]+")
_DIGITS_TOGETHER: Final = 4
_IN_GSM: Final = str.maketrans(
    {"[": "(", "]": ")", "【": "[", "】": "]", "…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"}
)


def for_phones(text: str, language: Language) -> str:
    """An SMS as it is sent. English keeps to signs of the GSM alphabet, in which a message costs less than half.

    Our marks are in square brackets there, and nothing else is.
    """
    return text.translate(_IN_GSM) if language == "en" else text


def harmless(text: str, limit: int) -> str:
    """As `clean`; besides, no telephone or chat makes a link or a number to dial of it. Every word can still be read.

    `evil.example.com` becomes `evil[.]example[.]com`, `400-800-1234` becomes `400_800_1234`.
    """
    plain = _FOUR_NUMBERS.sub(lambda found: _DOT_OF_NUMBER.sub("[.]", found[0]), clean(text, _READ_AT_MOST))
    plain = _DIALLED.sub(_apart, _DOT.sub("[.]", plain))
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def _apart(found: re.Match[str]) -> str:
    groups = (part for part in _APART.split(found[0]) if part)
    return "_".join(part[at : at + _DIGITS_TOGETHER] for part in groups for at in range(0, len(part), _DIGITS_TOGETHER))


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` characters: no controls, no direction overrides, no links, no marks of ours.

    Reads at most the first 4 000 characters, so a hostile length costs nothing.
    """
    kept: list[str] = []
    for char in text[:_READ_AT_MOST]:
        category = unicodedata.category(char)
        if category in _SPACED:
            kept.append(" ")
        elif category not in _REMOVED or char == _ZERO_WIDTH_JOINER:
            kept.append(char)
    plain = " ".join("".join(kept).split()).translate(_REPLACED)
    # A link of somebody else next to ours would borrow our trust: without the scheme phones do not follow it.
    plain = plain.replace("://", " ")
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
