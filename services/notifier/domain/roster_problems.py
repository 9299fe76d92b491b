"""What is wrong with a roster's text: the line, the field, and whose entry it is, as people call it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml.comments import CommentedMap, CommentedSeq

Path = tuple[str | int, ...]
_ENTRIES: Final = {
    "people": "person",
    "teams": "team",
    "rotations": "rotation",
    "roles": "role",
    "overrides": "override of",
    "swaps": "swap of",
    "layers": "layer",
    "contacts": "contact",
}
_NAMED: Final = 60


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """`field` is the path of keys; `entry` says whose it is by id and both names, empty outside every entry."""

    file: str
    line: int
    field: str
    entry: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}{f' ({self.entry})' if self.entry else ''}: {self.what}"

    @property
    def detail(self) -> str:
        """What stands beside the field where the file is known."""
        return f"line {self.line}{f', {self.entry}' if self.entry else ''}: {self.what}"


class RosterError(ValueError):
    """The text is not a roster. `problems` has one sentence each: `file:line: field (entry): what is wrong`."""

    def __init__(self, problems: Sequence[str | RosterProblem]) -> None:
        super().__init__("; ".join(str(one) for one in problems))
        self.problems = tuple(str(one) for one in problems)
        self._told = tuple(problems)

    @property
    def by_field(self) -> Mapping[str, str]:
        """What is wrong by field; what is wrong with the text as a whole under `body`."""
        found: dict[str, list[str]] = {}
        for one in self._told:
            field, what = (one.field, one.detail) if isinstance(one, RosterProblem) else ("body", one)
            found.setdefault(field, []).append(what)
        return {field: "; ".join(dict.fromkeys(some)) for field, some in found.items()}


def problem_at(tree: CommentedMap, file: str, path: Path, what: str) -> RosterProblem:
    """The problem with the line of the deepest written part of the path.

    The number of a list's only entry is left out where it was written without brackets.
    """
    node: Any = tree
    line = 1
    is_found = True
    named: list[str] = []
    entries: list[str] = []
    for step in path:
        if is_found and isinstance(step, int) and not isinstance(node, CommentedSeq):
            continue
        section = named[-1] if named else ""
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
        if isinstance(step, int) and section in _ENTRIES and (called := _called(node)):
            entries.append(f"{_ENTRIES[section]} {called}")
    return RosterProblem(file, line, ".".join(named) or "roster", ", ".join(entries), what)


def _called(entry: Any) -> str:
    """What people know the entry by; empty for what has nothing of the kind."""
    if not isinstance(entry, Mapping):
        return ""
    name = entry.get("name")
    written = [name.get(language) for language in ("zh", "en")] if isinstance(name, Mapping) else []
    labels = [one[:_NAMED] for one in written if isinstance(one, str) and one.strip()]
    if isinstance(between := entry.get("between"), list):
        return " / ".join(str(one)[:_NAMED] for one in between[:2])
    known = entry.get("id") or entry.get("role") or entry.get("channel")
    told = str(known)[:_NAMED] if isinstance(known, str) else ""
    return f"{told} {' / '.join(labels)}".strip()
