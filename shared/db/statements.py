"""SQL with named parameters: as the driver wants it, and several statements as one."""

import re
from functools import lru_cache
from typing import Any, Final

_NAME: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_LITERAL: Final = re.compile(r"('(?:[^']|'')*')")
_NUMBER: Final = re.compile(r"\$(\d+)")
_WRITES: Final = ("INSERT ", "UPDATE ", "DELETE ")


class MissingParameterError(KeyError):
    """A statement names a parameter that was not given."""


class NotAWriteError(ValueError):
    """Only INSERT, UPDATE and DELETE can be part of one statement."""


@lru_cache(maxsize=2048)
def positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2` … for its `:names`, and the names in that order. Literals and `::casts` stay."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    parts = [part if part.startswith("'") else _NAME.sub(number, part) for part in _LITERAL.split(sql)]
    return "".join(parts), tuple(names)


def bound(sql: str, parameters: dict[str, Any]) -> tuple[str, list[Any]]:
    """`positional` with the values. Raises MissingParameterError."""
    statement, names = positional(sql)
    try:
        return statement, [parameters[name] for name in names]
    except KeyError as error:
        raise MissingParameterError(f"parameter {error} of the statement is not given") from error


@lru_cache(maxsize=512)
def together(statements: tuple[str, ...]) -> str:
    """One statement that writes all of it; the answer is the last one's.

    The parts, with positional parameters numbered anew one after the other, see the database as it was before any of
    them. Raises NotAWriteError for anything but plain writes.
    """
    if not all(statement.startswith(_WRITES) for statement in statements):
        raise NotAWriteError(statements)
    numbered: list[str] = []
    taken = 0
    for statement in statements:
        numbered.append(_raised(statement, taken))
        taken += max((int(number) for number in _NUMBER.findall(statement)), default=0)
    *first, last = numbered
    if not first:
        return last
    parts = ", ".join(f"w{place} AS ({statement})" for place, statement in enumerate(first))
    return f"WITH {parts} {last}"


def _raised(statement: str, by: int) -> str:
    parts = _LITERAL.split(statement)
    return "".join(
        part if part.startswith("'") else _NUMBER.sub(lambda match: f"${int(match[1]) + by}", part) for part in parts
    )
