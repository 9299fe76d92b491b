"""Requests nobody should send, made from what an OpenAPI document says a door takes."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

METHODS: Final = ("get", "post", "put", "patch", "delete")
_JSON: Final = "application/json"
_DEEPEST: Final = 6
_AN_ID: Final = "00000000-0000-7000-8000-000000000000"
_WORDS: Final = (_AN_ID, "%00", "%FF", "%ud800", "..", "x" * 3000, "%F0%9F%94%A5", "-1", "2026-11-000001", "'", "1e999")
_QUERIES: Final = (
    "",
    "%00",
    "%ff%fe",
    "-1",
    "9" * 40,
    "1e999",
    "NaN",
    "x" * 3000,
    "2026-01-01",
    "0001-01-01T00:00:00-14:00",
    "9999-12-31T23:59:59%2B14:00",
    "'%20OR%201=1",
)
ODD_BODIES: Final = (
    b"",
    b"\x00",
    b"\xff\xfe\xfa",
    b"null",
    b"[]",
    b"{}",
    b"[{}]",
    b'""',
    b'"\\ud800"',
    b'{"a":"\\u0000"}',
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b"1e999",
    b"9" * 5000,
    b"[" * 5000,
    b'{"a":' * 5000,
    b"x" * 1_200_000,
    b"a=%00&%zz=%ff&a",
    "烽火".encode("utf-16"),
    b"\xef\xbb\xbf{}",
)
_TYPES: Final = (
    _JSON,
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain; charset=\xff",
    "text/yaml",
    "text/calendar",
    "",
)
_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    2**63,
    -(2**63) - 1,
    1e308,
    "",
    " ",
    "x" * 100_000,
    "\x00",
    "\ud800",
    "\u202e",
    [],
    {},
    [[]],
    ["x"] * 2000,
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00-14:00",
    _AN_ID,
    "-P1D",
    "PT99999999999H",
)


@dataclass(frozen=True)
class OddRequest:
    """What to send; `path` is encoded already."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = ""

    @property
    def headers(self) -> dict[str, bytes]:
        return {"content-type": self.content_type.encode("latin-1")} if self.content_type else {}

    def __str__(self) -> str:
        return f"{self.method} {self.path[:120]} {self.content_type} {(self.body or b'')[:200]!r}"


@dataclass
class OddRequests:
    """For every operation of a document. The same seed gives the same requests."""

    document: dict[str, Any]
    seed: int = 20261122
    examples: int = 4
    changes: int = 15
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311  # repeatable, nothing secret

    def __iter__(self) -> Iterator[OddRequest]:
        for path, item in self.document["paths"].items():
            # A stream answers for ever; what is odd about its address is seen by the rest.
            if path.endswith("/stream"):
                continue
            for method, operation in item.items():
                if method in METHODS:
                    yield from self._operation(method.upper(), path, operation)

    def _operation(self, method: str, path: str, operation: dict[str, Any]) -> Iterator[OddRequest]:
        if "{" in path:
            yield from (OddRequest(method, re.sub(r"\{[^}]+\}", word, path)) for word in _WORDS)
        plain = re.sub(r"\{[^}]+\}", _AN_ID, path.replace("{kind}", "generic"))
        yield from self._queries(method, plain, operation)
        if method in {"GET", "DELETE"}:
            return
        for number, body in enumerate(ODD_BODIES):
            yield OddRequest(method, plain, body, _JSON)
            yield OddRequest(method, plain, body, _TYPES[number % len(_TYPES)])
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        for content_type, spoken in content.items():
            if content_type.endswith("json") and "schema" in spoken:
                yield from self._json_bodies(method, plain, content_type, spoken)
            else:
                for length in (1, 20, 200):
                    yield OddRequest(method, plain, self._chance.randbytes(length), content_type)

    def _queries(self, method: str, path: str, operation: dict[str, Any]) -> Iterator[OddRequest]:
        names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
        usual = {
            one["name"]: str(self._sample(one.get("schema", {})))
            for one in operation.get("parameters", ())
            if one["in"] == "query" and one.get("required")
        }
        for name in names:
            others = "".join(f"&{other}={value}" for other, value in usual.items() if other != name)
            for odd in _QUERIES:
                yield OddRequest(method, f"{path}?{name}={odd}{others}")

    def _json_bodies(self, method: str, path: str, content_type: str, spoken: dict[str, Any]) -> Iterator[OddRequest]:
        given = [one.get("value", one) for one in spoken.get("examples", {}).values()]
        for number in range(self.examples):
            value = given[number % len(given)] if given and number % 2 else self._sample(spoken["schema"])
            whole = json.dumps(value).encode()
            yield OddRequest(method, path, whole, content_type)
            places = list(_places(value))
            for _ in range(self.changes):
                changed = _replaced(value, self._chance.choice(places), self._chance.choice(_VALUES))
                yield OddRequest(method, path, json.dumps(changed).encode(), content_type)
            for _ in range(self.changes):
                broken = bytearray(whole)
                place = self._chance.randrange(len(broken))
                broken[place : place + self._chance.randrange(3)] = self._chance.randbytes(self._chance.randrange(3))
                yield OddRequest(method, path, bytes(broken), content_type)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _sample(self, schema: dict[str, Any], depth: int = 0) -> Any:  # noqa: C901, PLR0911, PLR0912  # one line a kind
        """A value that fits, more or less: patterns are not kept."""
        schema = self._resolved(schema)
        if depth > _DEEPEST:
            return None
        if schema.get("examples"):
            return self._chance.choice(schema["examples"])
        for name in ("const", "example"):
            if name in schema:
                return schema[name]
        for name in ("enum", "oneOf", "anyOf", "allOf"):
            if name in schema:
                chosen = self._chance.choice(schema[name])
                return chosen if name == "enum" else self._sample(chosen, depth + 1)
        match schema.get("type"):
            case "object":
                wanted = schema.get("required", ())
                return {
                    name: self._sample(inner, depth + 1)
                    for name, inner in schema.get("properties", {}).items()
                    if name in wanted or self._chance.random() < 0.5
                }
            case "array":
                return [self._sample(schema.get("items", {}), depth + 1)]
            case "integer":
                return schema.get("minimum", 1)
            case "number":
                return 1.5
            case "boolean":
                return self._chance.random() < 0.5
            case "null":
                return None
            case _:
                formats = {"uuid": _AN_ID, "date-time": "2026-11-22T09:00:00+08:00", "date": "2026-11-22"}
                return formats.get(schema.get("format", ""), "liaison")


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*place, key))


def _replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = _replaced(copy[place[0]], place[1:], new)
    return copy
