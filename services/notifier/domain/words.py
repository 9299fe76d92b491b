"""Text from outside made harmless before it is put into a message that people trust."""

import unicodedata
from typing import Final

_ZERO_WIDTH_JOINER: Final = "\u200d"
_REMOVED: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_SPACED: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})
# Brackets of this form mark drills and our name; a look-alike in a title must not.
_REPLACED: Final = str.maketrans({"【": "[", "】": "]"})
_READ_AT_MOST: Final = 4000


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
