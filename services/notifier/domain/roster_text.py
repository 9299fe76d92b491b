"""A roster as people write it: YAML in, a checked `Roster` out, or every problem with its line and field."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.roster_building import build_roster
from services.notifier.domain.roster_file import WrittenFile
from services.notifier.domain.roster_references import Path, problems_of

MAX_BYTES: Final = 4_000_000
_MAX_PROBLEMS: Final = 50
_WEEKEND: Final = 5


class RosterError(ValueError):
    """The text is not a roster. `problems` has one sentence each: `file:line: field: what is wrong`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class MondayToFriday:
    """Working days of a roster that names no calendar."""

    def is_working(self, day: date) -> bool:
        """No holidays are known."""
        return day.weekday() < _WEEKEND


def parse_roster(text: str, *, file: str, calendars: Mapping[str, WorkingDays] | None = None) -> Roster:
    """The roster in `text`; `file` only names it in messages. Raises RosterError with every problem found."""
    written = read_roster(text, file=file, calendars=calendars)
    calendar = (calendars or {})[written.calendar] if written.calendar is not None else MondayToFriday()
    return build_roster(written, calendar, hashlib.sha256(text.encode()).hexdigest())


def read_roster(text: str, *, file: str, calendars: Mapping[str, WorkingDays] | None = None) -> WrittenFile:
    """The entries as written, checked like those of `parse_roster`. Raises RosterError."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise RosterError([f"{file}:1: the file is larger than {MAX_BYTES} bytes"])
    tree = _tree(text, file)
    try:
        written = WrittenFile.model_validate(tree)
    except ValidationError as error:
        raise RosterError([_problem(tree, file, tuple(one["loc"]), one["msg"]) for one in _errors(error)]) from error
    problems = [_problem(tree, file, path, what) for path, what in problems_of(written)]
    if written.calendar is not None and written.calendar not in (calendars or {}):
        known = ", ".join(sorted(calendars or {})) or "none"
        what = f"there is no calendar '{written.calendar}' (known: {known})"
        problems.append(_problem(tree, file, ("calendar",), what))
    if problems:
        raise RosterError(problems[:_MAX_PROBLEMS])
    return written


class _Constructor(RoundTripConstructor):
    """Leaves days and times as written: the fields that hold them say what is wrong, with their line."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_scalar)


def _tree(text: str, file: str) -> CommentedMap:
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = _Constructor
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise RosterError([f"{file}:{line}: not YAML: {error.problem or error.context}"]) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise RosterError([f"{file}:1: not YAML: {error}"]) from error
    if not isinstance(tree, CommentedMap):
        raise RosterError([f"{file}:1: a roster is a mapping with organisation, timezone, people and roles"])
    return tree


def _errors(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_input=False))[:_MAX_PROBLEMS]


def _problem(tree: CommentedMap, file: str, path: Path, what: str) -> str:
    """A sentence with the line of the deepest written part of the path.

    The number of a list's only entry is left out where it was written without brackets.
    """
    node: Any = tree
    line = 1
    is_found = True
    named = []
    for step in path:
        if is_found and isinstance(step, int) and not isinstance(node, CommentedSeq):
            continue
        named.append(str(step))
        if is_found and isinstance(node, CommentedMap) and step in node:
            is_block = isinstance(node[step], CommentedMap | CommentedSeq)
            line = (node.lc.key(step) if is_block else node.lc.value(step))[0] + 1
        elif is_found and isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            is_found = False
            continue
        node = node[step]
    field = ".".join(named) or "roster"
    return f"{file}:{line}: {field}: {what}"
