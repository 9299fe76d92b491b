"""CloudEvents 1.0 over HTTP: structured, binary and batched, down to a report. Pure.

Source: CloudEvents 1.0.2, JSON event format and HTTP protocol binding.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from services.intake.domain.bodies import Route
from shared.contracts.json_guard import UnreadableError, read_json, storable

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
_PREFIX: Final = "ce-"
_REQUIRED: Final = ("specversion", "id", "source", "type")
_STRINGS: Final = frozenset({"id", "source", "type", "subject", "datacontenttype", "dataschema", "time"})
_NAME: Final = re.compile(r"^[a-z0-9]{1,40}$")
_MEDIA: Final = re.compile(r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+\s*(?:;.*)?$", re.DOTALL)
_URI: Final = re.compile(r"^[^\s<>\"{}|\\^`]+$")
_TIME: Final = re.compile(
    r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:(?:[0-5]\d|60)(?:\.\d{1,12})?(?:[Zz]|[+-]\d{2}:\d{2})$", re.ASCII
)
_WORD: Final = re.compile(r"[./_:\-]+")
_KINDS: Final[Mapping[str, Route]] = {
    "complaint": Route.COMPLAINT,
    "complaints": Route.COMPLAINT,
    "incident": Route.INCIDENT,
    "incidents": Route.INCIDENT,
    "alert": Route.INCIDENT,
    "alerts": Route.INCIDENT,
}
_MAX_INTEGER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event's attributes and its data: a JSON value, bytes that are not JSON, or None."""

    attributes: Mapping[str, Any]
    data: Any

    @property
    def traceparent(self) -> str | None:
        value = self.attributes.get("traceparent")
        return value if isinstance(value, str) else None


def read_structured(value: Any) -> CloudEvent:
    """One event in the JSON format. Raises UnreadableError naming the attribute."""
    if not isinstance(value, dict):
        raise UnreadableError("must be a JSON object")
    if value.get("data") is not None and value.get("data_base64") is not None:
        raise UnreadableError("only one of data and data_base64 may be given", field="data_base64")
    attributes = {
        name: given for name, given in value.items() if name not in {"data", "data_base64"} and given is not None
    }
    _check(attributes)
    data = value.get("data")
    if value.get("data_base64") is not None:
        data = _bytes_of(value["data_base64"])
    return CloudEvent(attributes, data)


def read_batch(value: Any) -> list[CloudEvent | UnreadableError]:
    """The events of a batch; one that is wrong does not spoil the others. Raises UnreadableError when not a batch."""
    if not isinstance(value, list):
        raise UnreadableError("a batch must be a JSON array")
    events: list[CloudEvent | UnreadableError] = []
    for item in value:
        try:
            events.append(read_structured(item))
        except UnreadableError as error:
            events.append(error)
    return events


def read_binary(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """Attributes from `ce-` headers, data from the body. Raises UnreadableError naming the header."""
    attributes: dict[str, Any] = {}
    for name, raw in headers.items():
        if name.startswith(_PREFIX):
            text = unquote(raw, errors="replace")
            if not storable(text):
                raise UnreadableError("not valid text", field=name)
            attributes[name.removeprefix(_PREFIX)] = text
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    _check(attributes)
    return CloudEvent(attributes, body or None)


def to_report(event: CloudEvent) -> tuple[Route, dict[str, Any]]:
    """The report the event stands for: its type says complaint or incident, its data is the body.

    The event's own id, source, subject and time stand in for `id`, `source`, `reference` and `occurred_at` where the
    data does not give them. Raises UnreadableError.
    """
    route = _route_of(event.attributes["type"])
    data = event.data
    if isinstance(data, bytes):
        content = str(event.attributes.get("datacontenttype", "application/json")).partition(";")[0].strip().lower()
        if content != "application/json" and not content.endswith("+json"):
            raise UnreadableError("the data must be JSON", field="datacontenttype")
        data = read_json(data)
    if not isinstance(data, dict):
        raise UnreadableError("must be a JSON object", field="data")
    body = dict(data)
    for field, attribute in (("id", "id"), ("source", "source"), ("reference", "subject"), ("occurred_at", "time")):
        if body.get(field) is None and attribute in event.attributes:
            body[field] = event.attributes[attribute]
    return route, body


def _route_of(kind: str) -> Route:
    for word in reversed(_WORD.split(kind.lower())):
        if word in _KINDS:
            return _KINDS[word]
    raise UnreadableError(
        "must contain the word complaint or incident, as in com.example.complaint.created", field="type"
    )


def _check(attributes: Mapping[str, Any]) -> None:
    for name in _REQUIRED:
        if name not in attributes:
            raise UnreadableError("is required", field=name)
    for name, value in attributes.items():
        if not _NAME.match(name):
            raise UnreadableError("attribute names are lower-case letters and digits", field=name[:40] or "attribute")
        if name in _STRINGS | {"specversion"} and not isinstance(value, str):
            raise UnreadableError("must be text", field=name)
        if not isinstance(value, str | bool | int) or value == "":
            raise UnreadableError("must be non-empty text, a number or a truth value", field=name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MAX_INTEGER:
            raise UnreadableError("must fit 32 bits", field=name)
    if attributes["specversion"] != "1.0":
        raise UnreadableError("must be 1.0", field="specversion")
    _check_forms(attributes)


def _check_forms(attributes: Mapping[str, Any]) -> None:
    if not _URI.match(attributes["source"]):
        raise UnreadableError("must be a URI reference", field="source")
    schema = attributes.get("dataschema")
    if schema is not None and not (_URI.match(schema) and ":" in schema):
        raise UnreadableError("must be an absolute URI", field="dataschema")
    content = attributes.get("datacontenttype")
    if content is not None and not _MEDIA.match(content):
        raise UnreadableError("must be a media type", field="datacontenttype")
    time = attributes.get("time")
    if time is not None and not _is_moment(time):
        raise UnreadableError("must be an RFC 3339 instant", field="time")


def _is_moment(text: str) -> bool:
    if not _TIME.match(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _bytes_of(value: Any) -> bytes:
    if not isinstance(value, str):
        raise UnreadableError("must be base64 text", field="data_base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError("must be base64 text", field="data_base64") from error
