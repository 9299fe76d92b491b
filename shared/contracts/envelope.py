"""Events as CloudEvents 1.0, Kafka binary content mode: attributes in `ce_*` headers, the JSON data as the value.

Source: CloudEvents 1.0.2 and its Kafka protocol binding §3.2. Extension attributes: `org` (tenant), `caseid`,
`partitionkey` (equal to the record's key), `causation` (id of the event that led to this one) and `traceparent`
(W3C Trace Context).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from shared.contracts.immutable import immutable
from shared.contracts.json_text import json_bytes
from shared.contracts.topics import TOPICS, Topic, topic_of
from shared.contracts.values import Contract

C = TypeVar("C", bound=Contract)
C_co = TypeVar("C_co", bound=Contract, covariant=True)
Header = tuple[str, bytes]

CONTENT_TYPE: Final = b"application/json"
_INSTANT: Final = TypeAdapter(datetime)
MODEL_BY_TYPE: Final[Mapping[str, type[Contract]]] = {
    model.TYPE: model  # type: ignore[attr-defined]  # every model on a topic names its type; tested
    for topic in TOPICS
    for model in topic.models
}


class UndecodableError(ValueError):
    """The record is not one of our events: missing attribute, unknown type or data that breaks its contract."""


@immutable
class Event(Generic[C_co]):
    """A contract with its attributes. `time` is when the fact was recorded, UTC."""

    id: UUID
    source: str
    time: datetime
    org: str
    case_id: UUID
    data: C_co
    causation: str | None = None
    traceparent: str | None = None

    @property
    def type(self) -> str:
        """CloudEvents type, such as `fenghuo.complaint.received.v1`."""
        kind: str = self.data.TYPE  # type: ignore[attr-defined]  # every model on a topic names its type; tested
        return kind

    @property
    def topic(self) -> Topic:
        return topic_of(type(self.data))

    @property
    def key(self) -> bytes:
        return str(self.case_id).encode()


def encode(event: Event[Contract]) -> tuple[list[Header], bytes]:
    """Headers and value of the Kafka record. What is not known travels as an explicit null: a reader may require it."""
    headers = record_headers(
        event_id=event.id,
        source=event.source,
        kind=event.type,
        time=event.time,
        org=event.org,
        case_id=event.case_id,
        causation=event.causation,
        traceparent=event.traceparent,
    )
    return headers, encode_data(event)


def encode_data(event: Event[Contract]) -> bytes:
    """The value of the record alone."""
    return json_bytes(event.data)


def record_headers(
    *,
    event_id: UUID,
    source: str,
    kind: str,
    time: datetime,
    org: str,
    case_id: UUID,
    causation: str | None,
    traceparent: str | None,
) -> list[Header]:
    """The attributes of one event, as they travel beside its data."""
    key = str(case_id).encode()
    headers: list[Header] = [
        ("content-type", CONTENT_TYPE),
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_source", source.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", time.isoformat().encode()),
        ("ce_subject", key),
        ("ce_partitionkey", key),
        ("ce_org", org.encode()),
        ("ce_caseid", key),
    ]
    if causation is not None:
        headers.append(("ce_causation", causation.encode()))
    if traceparent is not None:
        headers.append(("ce_traceparent", traceparent.encode()))
    return headers


def decode(headers: Iterable[Header], value: bytes | None, *, make_id: Callable[[str], UUID] = UUID) -> Event[Contract]:
    """The event of a Kafka record. Raises UndecodableError saying which attribute or field is wrong.

    `make_id` makes the event's and the case's id of their text, and raises ValueError for what is none.
    """
    attributes = {name: raw for name, raw in headers if name.startswith("ce_")}

    def attribute(name: str) -> str:
        raw = attributes.get(f"ce_{name}")
        if not raw:
            raise UndecodableError(f"CloudEvents attribute '{name}' is missing")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UndecodableError(f"CloudEvents attribute '{name}' is not UTF-8") from error

    if attribute("specversion") != "1.0":
        raise UndecodableError("CloudEvents attribute 'specversion' must be 1.0")
    kind = attribute("type")
    model = MODEL_BY_TYPE.get(kind)
    if model is None:
        raise UndecodableError(f"unknown event type '{kind[:120]}'")
    if value is None:
        raise UndecodableError("the record has no value")
    try:
        data = model.model_validate_json(value)
    except ValidationError as error:
        raise UndecodableError(_first_problem(error)) from error
    except ValueError as error:
        raise UndecodableError(f"the value is not JSON: {error}") from error
    return Event(
        id=_uuid(attribute("id"), "id", make_id),
        source=attribute("source"),
        time=_instant(attribute("time")),
        org=attribute("org"),
        case_id=_uuid(attribute("caseid"), "caseid", make_id),
        data=data,
        causation=_optional(attributes.get("ce_causation")),
        traceparent=_optional(attributes.get("ce_traceparent")),
    )


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in problem["loc"]) or "value"
    return f"field '{path}': {problem['msg']}"


def _uuid(text: str, name: str, make_id: Callable[[str], UUID]) -> UUID:
    try:
        return make_id(text)
    except ValueError as error:
        raise UndecodableError(f"CloudEvents attribute '{name}' is not a UUID") from error


def _instant(text: str) -> datetime:
    try:
        instant = _INSTANT.validate_python(text)
    except ValidationError as error:
        raise UndecodableError("CloudEvents attribute 'time' is not an RFC 3339 instant") from error
    if instant.tzinfo is None:
        raise UndecodableError("CloudEvents attribute 'time' has no offset")
    return instant


def _optional(raw: bytes | None) -> str | None:
    return raw.decode("utf-8", "replace") if raw else None
