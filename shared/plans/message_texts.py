"""Texts with named places, as plans and installations write them for messages: `{level} {case}[，{place}]`.

`{name}` is replaced; what stands in `[…]` is left out when one of its places has nothing to say. No code, no nesting.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "case": ("编号", "the case's number"),
    "level": ("等级", "the level as the plan calls it"),
    "purpose": ("用意，如“请立即处理并确认”", "what the message is for, such as 'Act now and acknowledge'"),
    "what": ("事项标题", "the title of what was reported"),
    "topic": ("主题", "the topic"),
    "place": ("地点", "the place"),
    "because": ("触发的判据及读到的数值", "the criterion that fired, with the values it read"),
    "occurred": ("发生时间", "when it occurred"),
    "expected": ("要求做什么", "what is expected of the reader"),
    "due": ("时限", "by when"),
    "next": ("未确认将升级至谁", "who is told next without an acknowledgement"),
    "late": ("迟到多久", "how late the message is, if it is"),
    "plan": ("预案名称", "the plan's title"),
}
"""Every place with what is put there, in Chinese and English."""

_TOKEN: Final = re.compile(r"\{([^{}]*)\}|[\[\]{}]")
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class MessageText:
    """Pieces of text; those of one group stand or fall together. A piece is fixed text or the name of a place."""

    groups: tuple[tuple[tuple[str, bool], ...], ...]

    @classmethod
    def parse(cls, text: str) -> "MessageText":
        """Raises ValueError naming what is wrong."""
        groups: list[tuple[tuple[str, bool], ...]] = []
        current: list[tuple[str, bool]] = []
        is_open, end = False, 0
        for found in _TOKEN.finditer(text):
            current.append((text[end : found.start()], False))
            end, name = found.end(), found[1]
            if name is not None:
                if name not in PLACES:
                    raise ValueError(f"there is no place '{{{name[:40]}}}' (there are {', '.join(sorted(PLACES))})")
                current.append((name, True))
            elif found[0] in "{}":
                raise ValueError("a brace stands alone")
            elif (found[0] == "[") == is_open:
                raise ValueError("brackets do not fit together")
            else:
                # Outside brackets every piece is a group of its own: none takes another with it.
                groups += [tuple(current)] if is_open else [(piece,) for piece in current]
                current, is_open = [], found[0] == "["
        if is_open:
            raise ValueError("brackets do not fit together")
        current.append((text[end:], False))
        return cls((*groups, *((piece,) for piece in current)))

    @property
    def places(self) -> frozenset[str]:
        """Every place it names."""
        return frozenset(piece for group in self.groups for piece, is_place in group if is_place)

    @property
    def always(self) -> frozenset[str]:
        """The places outside brackets."""
        return frozenset(group[0][0] for group in self.groups if len(group) == 1 and group[0][1])

    @property
    def fixed(self) -> str:
        """What stands there whatever the values, with what is in brackets."""
        return "".join(piece for group in self.groups for piece, is_place in group if not is_place)

    def put(self, values: Mapping[str, str]) -> str:
        """One text. A group with a place that has no value, or an empty one, is left out."""
        said: list[str] = []
        for group in self.groups:
            if all(not is_place or values.get(piece) for piece, is_place in group):
                said += [values[piece] if is_place else piece for piece, is_place in group]
        return "".join(said).strip()


@lru_cache(maxsize=_REMEMBERED)
def understood(text: str) -> MessageText | None:
    """The text, or None for one that cannot be read: a reader of events must not fail on what a plan of later says."""
    try:
        return MessageText.parse(text)
    except ValueError:
        return None
