"""JSON from strangers: what RFC 8259 leaves open is refused here, with a reason, before anything else looks at it.

Refused: more than 32 levels, NaN and infinities, integers beyond 64 bits, duplicate keys, text that is not UTF-8, lone
surrogates and NUL characters (neither PostgreSQL nor Kafka can carry them).
"""

import json
import math
import re
from typing import Any, Final

MAX_DEPTH: Final = 32
_MAX_INTEGER: Final = 2**63 - 1
_MAX_DIGITS: Final = 19
_SHOWN: Final = 80
# A string is consumed whole even when it never ends, so that the scan is linear for any input.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class UnreadableError(ValueError):
    """The bytes cannot be taken as they are. `field` names the place, `reason` says what is wrong."""

    def __init__(self, reason: str, *, field: str = "body") -> None:
        super().__init__(f"{field}: {reason}")
        self.reason = reason
        self.field = field


def read_json(body: bytes) -> Any:
    """The value. Raises UnreadableError for anything that is not one JSON text within the limits above."""
    _refuse_depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start} is not valid UTF-8") from error
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    if b"\\u" in body:
        _refuse_unstorable(value, "")
    return value


def read_object(body: bytes) -> dict[str, Any]:
    """As `read_json`, and the value must be an object."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise UnreadableError("must be a JSON object")
    return value


def canonical(value: Any) -> bytes:
    """The same bytes for equal values, whatever the order of keys and the spacing were."""
    return _ENCODER.encode(value).encode("utf-8")


def _refuse_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(body):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                if depth > MAX_DEPTH:
                    raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels")
            case b"]" | b"}":
                depth -= 1
            case _:
                continue


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise UnreadableError("the key is given twice", field=_shown(name))
            seen.add(name)
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS + 1 or abs(number := int(digits)) > _MAX_INTEGER:
        raise UnreadableError(f"the number {digits[:12]}… does not fit 64 bits")
    return number


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise UnreadableError(f"the number {digits[:12]}… is too large")
    return number


def _constant(name: str) -> float:
    raise UnreadableError(f"{name} is not a JSON number")


def _refuse_unstorable(value: Any, path: str) -> None:
    if isinstance(value, str):
        if not storable(value):
            raise UnreadableError("text must be valid Unicode without NUL characters", field=_shown(path) or "body")
    elif isinstance(value, dict):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            _refuse_unstorable(name, where)
            _refuse_unstorable(inner, where)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_unstorable(inner, f"{path}.{index}" if path else str(index))


def storable(text: str) -> bool:
    """True when PostgreSQL and Kafka can carry the text."""
    if "\x00" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(name: str) -> str:
    return name[:_SHOWN].encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
