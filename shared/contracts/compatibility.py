"""Says which changes of a JSON Schema would break somebody.

Readers are upgraded before writers, so a schema may widen: everything valid before must stay valid, and everything
readers could count on must stay. Refused are removed or renamed fields, fields that become required or stop being
so, types, formats or patterns that change, narrower bounds and vanished enum values. A change that needs one of
these is a new version of the event beside the old.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]

_LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT: Final = ("pattern", "format", "uniqueItems", "multipleOf")


def breaking_changes(released: Schema, proposed: Schema) -> list[str]:
    """One sentence for each break between two schemas of one event, naming the field; empty when there is none."""
    return list(_Comparison(released, proposed).compare(released, proposed, "data"))


class _Comparison:
    """Two documents side by side. References are followed once per pair, so recursive schemas end."""

    def __init__(self, released: Schema, proposed: Schema, followed: Iterable[tuple[str, str]] = ()) -> None:
        self._released = released
        self._proposed = proposed
        self._followed = set(followed)

    def compare(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        pair = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if any(pair):
            if pair in self._followed and all(pair):
                return
            self._followed.add(pair)
        old = _resolve(self._released, old)
        new = _resolve(self._proposed, new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._compare_choices(old, new, where)
            return
        yield from _types(old, new, where)
        yield from _bounds(old, new, where)
        yield from _values(old, new, where)
        yield from self._compare_fields(old, new, where)
        yield from self._compare_inner(old, new, where)

    def _compare_choices(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        choices: Sequence[Schema] = new.get("anyOf", (new,))
        for choice in old.get("anyOf", (old,)):
            problems = [list(self._fork().compare(choice, candidate, where)) for candidate in choices]
            if all(problems):
                # The branch that comes closest tells the reader most.
                yield from min(problems, key=len)

    def _fork(self) -> "_Comparison":
        return _Comparison(self._released, self._proposed, self._followed)

    def _compare_fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            if name not in after:
                yield f"{where}.{name} was removed"
                continue
            if name in required_after - required_before:
                yield f"{where}.{name} became required"
            if name in required_before - required_after:
                yield f"{where}.{name} may now be absent"
            yield from self.compare(schema, after[name], f"{where}.{name}")
        for name in sorted(required_after - set(before)):
            yield f"{where}.{name} is new and required"

    def _compare_inner(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        for keyword, suffix in (("items", "[]"), ("additionalProperties", ".*"), ("propertyNames", " (names)")):
            before, after = old.get(keyword, True), new.get(keyword, True)
            if after is True or before is False:
                continue
            if before is True or after is False:
                yield f"{where}{suffix} was free and is now restricted"
            else:
                yield from self.compare(before, after, f"{where}{suffix}")
        for pattern, schema in new.get("patternProperties", {}).items():
            before = old.get("patternProperties", {})
            if pattern in before:
                yield from self.compare(before[pattern], schema, f"{where}.*")
            else:
                yield f"{where} has a new rule for names like {pattern}"


def _resolve(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        target: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def _types(old: Schema, new: Schema, where: str) -> Iterator[str]:
    before, after = _as_set(old.get("type")), _as_set(new.get("type"))
    if after and not before:
        yield f"{where} was of any type and is now {_words(after)}"
        return
    lost = before - after if after else set()
    if "integer" in lost and "number" in after:
        lost.remove("integer")
    if lost:
        yield f"{where} was {_words(before)} and is now {_words(after)}"


def _bounds(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for keyword in _UPPER_BOUNDS:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            yield f"{where}: {keyword} narrowed from {old.get(keyword, 'none')} to {new[keyword]}"
    for keyword in _LOWER_BOUNDS:
        if keyword in new and (keyword not in old or new[keyword] > old[keyword]):
            yield f"{where}: {keyword} narrowed from {old.get(keyword, 'none')} to {new[keyword]}"
    for keyword in _EXACT:
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{where}: {keyword} changed from {old.get(keyword, 'none')} to {new[keyword]}"


def _values(old: Schema, new: Schema, where: str) -> Iterator[str]:
    allowed = _enum(new)
    if allowed is None:
        return
    before = _enum(old)
    if before is None:
        yield f"{where} took any value and now only {sorted(map(str, allowed))}"
        return
    for value in before:
        if value not in allowed:
            yield f"{where}: value {value!r} was removed"


def _enum(schema: Schema) -> Sequence[Any] | None:
    if "const" in schema:
        return (schema["const"],)
    values: Sequence[Any] | None = schema.get("enum")
    return values


def _as_set(declared: Any) -> set[str]:
    if declared is None:
        return set()
    return {declared} if isinstance(declared, str) else set(declared)


def _words(types: set[str]) -> str:
    return " or ".join(sorted(types))
