"""YAML 1.2 as plain data, with the place of every value: bounded, no duplicate keys, nothing of YAML's magic.

Texts stay texts (`on`, `no`, dates); only plain whole numbers, decimals, `true`, `false` and `null` are anything else.
"""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from shared.plans.problems import PlanLibraryError, Problem

MAX_BYTES: Final = 256 * 1024
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 24

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_QUOTED: Final = frozenset({"'", '"'})
_BLOCK: Final = frozenset({"|", ">"})

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each value of a file stands. `at` answers for the nearest value above when the path leads nowhere."""

    file: str
    values: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    plain_texts: dict[KeyPath, int] = field(default_factory=dict)
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def at(self, path: KeyPath, offset: int = 0) -> tuple[int, int]:
        """Line and column, from 1, of a value, or of a character of its text where it is written on one line."""
        steps = tuple(path)
        while steps not in self.values:
            if not steps:
                return 1, 1
            steps = steps[:-1]
            offset = 0
        line, column = self.values[steps]
        return line, column + self.plain_texts[steps] + offset if steps in self.plain_texts and offset else column

    def problem(self, path: KeyPath, message: str, offset: int = 0) -> Problem:
        line, column = self.at(path, offset)
        return Problem(self.file, line, column, message, ".".join(str(step) for step in path))

    def key_problem(self, path: KeyPath, message: str) -> Problem:
        """A problem with the key itself rather than with its value."""
        line, column = self.keys.get(path, self.at(path))
        return Problem(self.file, line, column, message, ".".join(str(step) for step in path))


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with a byte order mark or without.

    Raises PlanLibraryError: cannot be opened, or written otherwise, with the place of the first byte that is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise PlanLibraryError([Problem(str(path), 1, 1, f"cannot be read: {reason}", "")]) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        kind = "UTF-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else f"byte 0x{data[error.start]:02x}"
        message = f"this is not UTF-8 ({kind}): save the file as UTF-8"
        raise PlanLibraryError([Problem(str(path), line, column, message, "")]) from error


def read_yaml(text: str, file: str) -> tuple[Any, Positions]:
    """Plain data (dict, list, str, int, float, bool, None) and the place of every value.

    Raises PlanLibraryError: too large, not YAML, a duplicate key, a tag, nested or repeated beyond the bounds.
    """
    data, positions, problems = read_yaml_parts(text, file)
    if problems:
        raise PlanLibraryError(problems)
    return data, positions


def read_yaml_parts(text: str, file: str) -> tuple[Any, Positions, list[Problem]]:
    """The same, with what is wrong in places beside what can be read: a key standing twice has its first value.

    Raises PlanLibraryError where nothing can be read.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise PlanLibraryError([Problem(file, 1, 1, f"the file is larger than {MAX_BYTES // 1024} KiB", "")])
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except RecursionError as error:
        raise PlanLibraryError([Problem(file, *_too_deep(text), f"nested deeper than {MAX_DEPTH}", "")]) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = error.problem or "this is not YAML"
        raise PlanLibraryError([Problem(file, line, column, message, "")]) from error
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the character U+{ord(text[error.position]):04X} cannot stand in a plan"
        raise PlanLibraryError([Problem(file, line, column, message, "")]) from error
    except (YAMLError, ValueError) as error:
        raise PlanLibraryError([Problem(file, 1, 1, f"this is not YAML: {error}", "")]) from error
    if root is None:
        raise PlanLibraryError([Problem(file, 1, 1, "the file is empty", "")])
    reader = _Reader(file)
    data = reader.read(root, ())
    if reader.bounds_passed:
        raise PlanLibraryError(reader.problems)
    return data, reader.positions, reader.problems


def _too_deep(text: str) -> tuple[int, int]:
    """Line and column of the first value that is nested too deeply."""
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            return event.start_mark.line + 1, event.start_mark.column + 1
    return 1, 1


class _TooLargeError(Exception):
    """Stops reading: an alias bomb or a runaway file."""

    def __init__(self, node: Node, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.path = path
        self.message = message


class _Reader:
    def __init__(self, file: str) -> None:
        self.positions = Positions(file)
        self.problems: list[Problem] = []
        self.bounds_passed = False
        self._left = MAX_NODES

    def read(self, node: Node, path: KeyPath) -> Any:
        try:
            return self._read(node, path)
        except _TooLargeError as error:
            self.bounds_passed = True
            self._note(error.node, error.path[:1], error.message)
            return None

    def _note(self, node: Node, path: KeyPath, message: str) -> None:
        mark = node.start_mark
        shown = ".".join(str(step) for step in path)
        self.problems.append(Problem(self.positions.file, mark.line + 1, mark.column + 1, message, shown))

    def _read(self, node: Node, path: KeyPath) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _TooLargeError(node, path, f"more than {MAX_NODES} values, aliases counted each time")
        if len(path) > MAX_DEPTH:
            raise _TooLargeError(node, path, f"nested deeper than {MAX_DEPTH}")
        self.positions.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._note(key, path, "a key must be a text")
                continue
            name = str(key.value)
            if name in found:
                self._note(key, (*path, name), f"the key '{name}' stands twice")
                continue
            if name == "<<" and key.style is None:
                self._note(key, path, "merge keys are not part of the plan language")
                continue
            self.positions.keys[(*path, name)] = (key.start_mark.line + 1, key.start_mark.column + 1)
            found[name] = self._read(value, (*path, name))
        return found

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        text = str(node.value)
        if node.style not in _BLOCK and node.start_mark.line == node.end_mark.line:
            self.positions.plain_texts[path] = 1 if node.style in _QUOTED else 0
        if node.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text
