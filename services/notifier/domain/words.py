"""Text from outside made harmless before it is put into a message that people trust."""

import unicodedata
from typing import Final

from shared.contracts.values import Language

_ZERO_WIDTH_JOINER: Final = "\u200d"
_REMOVED: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_SPACED: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})
# Brackets of this form mark drills and our name; a look-alike in a title must not.
_REPLACED: Final = str.maketrans({"【": "[", "】": "]"})
_READ_AT_MOST: Final = 4000
_IN_GSM: Final = str.maketrans(
    {"[": "(", "]": ")", "【": "[", "】": "]", "…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"}
)


def for_phones(text: str, language: Language) -> str:
    """An SMS as it is sent. English keeps to signs of the GSM alphabet, in which a message costs less than half.

    Our marks are in square brackets there, and nothing else is.
    """
    return text.translate(_IN_GSM) if language == "en" else text


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
