"""Printing what strangers wrote: titles, reasons and names reach an operator's terminal as text and nothing else."""

import re
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# What a terminal obeys instead of showing: C0 but the end of a line, C1, and the marks that turn the direction of text.
_ACTING: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN_AS: Final = "\N{REPLACEMENT CHARACTER}"


class Terminal(Console):
    """A console that reads no markup in strings and shows characters that would steer the terminal as U+FFFD.

    Colours are given as styles. What rich itself sends to steer the terminal goes through.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False, **given})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich does, with every piece of text made harmless."""
        for segment in super().render(renderable, options):
            if segment.control or not _ACTING.search(segment.text):
                yield segment
            else:
                yield Segment(_ACTING.sub(_SHOWN_AS, segment.text), segment.style)
