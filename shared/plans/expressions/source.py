"""From a condition's text to Python's own expression tree, with hostile input refused before the parser sees it.

Lengths of time (`3h`, `1mo`) are no Python, so each is replaced by a reserved name and remembered. Columns of problems
always point into the text as written.
"""

import ast
import re
from dataclasses import dataclass
from typing import Final

MAX_LENGTH: Final = 2000
MAX_BRACKETS: Final = 24
MAX_TOKENS: Final = 600
MAX_DIGITS: Final = 16

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<text>'[^'\\\r\n]*'|\"[^\"\\\r\n]*\")"
    r"|(?P<length>[0-9]+(?:mo|[wdhms])(?![A-Za-z0-9_]))"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<mark><=|>=|==|!=|[<>+*,.-])"
)
_NO_SPACE_BETWEEN = {"text", "number", "length", "name"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where: `offset` counts characters from the start of the text."""

    offset: int
    message: str


class ExpressionError(ValueError):
    """The condition is refused; `problems` holds every reason that could be found at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.message} (at character {problem.offset + 1})" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed text: Python's tree, the lengths of time by reserved name, and the way back to columns."""

    tree: ast.expr
    lengths: dict[str, str]
    starts: tuple[tuple[int, int], ...]

    def offset(self, node: ast.AST) -> int:
        """Where the node begins in the text as written."""
        column = getattr(node, "col_offset", 0)
        return max((written_at for written_at, parsed_at in self.starts if parsed_at <= column), default=0)


def read_source(text: str) -> Source:
    """The expression tree of a condition. Raises ExpressionError; never runs anything and never recurses deeply."""
    if len(text) > MAX_LENGTH:
        raise _refused(MAX_LENGTH, f"a condition has at most {MAX_LENGTH} characters")
    parts: list[str] = []
    starts: list[tuple[int, int]] = []
    lengths: dict[str, str] = {}
    column = 0
    for kind, value, offset in _tokens(text):
        if kind == "length":
            name = f"_{len(lengths)}"
            lengths[name] = value
            value = name  # noqa: PLW2901  # the reserved name stands for the length from here on
        # Python counts columns in bytes of UTF-8; one blank between tokens keeps the text on one line.
        starts.append((offset, column))
        parts.append(value)
        column += len(value.encode("utf-8")) + 1
    if not parts:
        raise _refused(0, "the condition is empty")
    joined = " ".join(parts)
    try:
        parsed = ast.parse(joined, mode="eval")
    except SyntaxError as error:
        # An unfinished text is reported at its end, which Python gives as no offset at all.
        column = len(joined[: error.offset - 1].encode("utf-8")) if error.offset else column
        place = max((at for at, parsed_at in starts if parsed_at <= column), default=0)
        raise _refused(place, "this is not a complete condition") from error
    except (MemoryError, RecursionError, ValueError) as error:
        raise _refused(0, "the condition is nested too deeply") from error
    return Source(parsed.body, lengths, tuple(starts))


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    position = depth = 0
    before = ""
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _refused(position, _why_not(text[position]))
        kind, value = match.lastgroup, match.group()
        if kind == before == "text" or (kind == "text" and before == "name" and found[-1][1] not in _WORDS):
            raise _refused(position, "a text needs an operator before it")
        if kind in {"number", "length"} and len(value) > MAX_DIGITS:
            raise _refused(position, "the number is too long")
        depth += (kind == "open") - (kind == "close")
        if depth > MAX_BRACKETS:
            raise _refused(position, f"brackets are nested deeper than {MAX_BRACKETS}")
        if kind != "space":
            if len(found) == MAX_TOKENS:
                raise _refused(position, "the condition is too long")
            found.append((kind, value, position))
            before = kind
        position = match.end()
    return found


_WORDS: Final = frozenset({"and", "or", "not", "in"})


def _why_not(character: str) -> str:
    if character in "'\"":
        return "the text is not closed, or holds a backslash"
    if character == "=":
        return "use == to compare"
    if character in "/%":
        return "division is not part of the language"
    if character.isdigit():
        return "not a number or a length such as 3h"
    return f"'{character}' is not part of the language"


def _refused(offset: int, message: str) -> ExpressionError:
    return ExpressionError((Problem(offset, message),))
