"""What differs between two rosters, entry by entry, and a roster as text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from services.notifier.domain.roster_file import WrittenFile

_NEXT_LINE: Final = "\x85"
_BY_ID: Final = ("people", "teams", "rotations", "roles")
_BY_CONTENT: Final = ("overrides", "swaps")
_PLAIN: Final = ("organisation", "timezone", "calendar", "owner", "page_unverified")


class Differs(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that differs. `before` and `after` have only the fields that do; empty where there is no entry."""

    how: Differs
    section: str
    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def differences(before: WrittenFile, after: WrittenFile) -> tuple[Difference, ...]:
    """Section by section, in the order of the file."""
    return tuple(_differences(_tree(before), _tree(after)))


def to_text(roster: WrittenFile) -> str:
    """YAML that reads back as the same roster; comments are not part of it."""
    yaml = YAML(typ="rt")
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(_quoted(_tree(roster)), stream)
    return stream.getvalue()


def _quoted(node: Any) -> Any:
    """Texts that the writer would leave bare and the reader takes for something else stand in quotes."""
    match node:
        case dict():
            return {key: _quoted(value) for key, value in node.items()}
        case list():
            return [_quoted(value) for value in node]
        case str() if node.startswith("?") or _NEXT_LINE in node:
            return DoubleQuotedScalarString(node)
        case _:
            return node


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in _PLAIN:
        if before.get(name) != after.get(name):
            yield Difference(Differs.CHANGED, name, name, {name: before.get(name)}, {name: after.get(name)})
    for section in _BY_ID:
        yield from _by_id(section, before.get(section, ()), after.get(section, ()))
    for section in _BY_CONTENT:
        gone, come = before.get(section, []), after.get(section, [])
        for entry in (one for one in gone if one not in come):
            yield Difference(Differs.REMOVED, section, _title(entry), entry, {})
        for entry in (one for one in come if one not in gone):
            yield Difference(Differs.ADDED, section, _title(entry), {}, entry)


def _by_id(section: str, before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]]) -> Iterator[Difference]:
    old = {entry["id"]: entry for entry in before}
    new = {entry["id"]: entry for entry in after}
    for name in (one for one in old if one not in new):
        yield Difference(Differs.REMOVED, section, name, old[name], {})
    for name, entry in new.items():
        if name not in old:
            yield Difference(Differs.ADDED, section, name, {}, entry)
        elif entry != old[name]:
            fields = [field for field in old[name] | entry if old[name].get(field) != entry.get(field)]
            yield Difference(Differs.CHANGED, section, name, _only(old[name], fields), _only(entry, fields))


def _only(entry: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    return {field: entry[field] for field in fields if field in entry}


def _title(entry: Mapping[str, Any]) -> str:
    what = entry.get("role") or "/".join(entry.get("between", ()))
    return f"{what} {entry['from']} – {entry['to']}"


def _tree(roster: WrittenFile) -> dict[str, Any]:
    written: dict[str, Any] = roster.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return written
