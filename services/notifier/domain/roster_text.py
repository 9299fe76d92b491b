"""A roster as people write it: YAML in, a checked `Roster` out, or every problem with its line, field and entry."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.roster_building import build_roster
from services.notifier.domain.roster_file import WrittenFile
from services.notifier.domain.roster_problems import RosterError, problem_at
from services.notifier.domain.roster_references import problems_of

MAX_BYTES: Final = 4_000_000
_MAX_PROBLEMS: Final = 50
_WEEKEND: Final = 5


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
        raise RosterError([problem_at(tree, file, tuple(one["loc"]), one["msg"]) for one in _errors(error)]) from error
    problems = [problem_at(tree, file, path, what) for path, what in problems_of(written)]
    if written.calendar is not None and written.calendar not in (calendars or {}):
        known = ", ".join(sorted(calendars or {})) or "none"
        what = f"there is no calendar '{written.calendar}' (known: {known})"
        problems.append(problem_at(tree, file, ("calendar",), what))
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
