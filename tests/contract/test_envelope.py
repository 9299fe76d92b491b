"""CloudEvents on Kafka: read alike by another implementation of the standard, and safe against any bytes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import example, given
from hypothesis import strategies as st

from shared.contracts.envelope import MODEL_BY_TYPE, Event, UndecodableError, decode, encode
from shared.contracts.example_records import ExampleRecord, examples_of
from shared.contracts.reports import ComplaintReceivedV1
from shared.contracts.topics import TOPICS

EXAMPLES = [record for topic in TOPICS for record in examples_of(topic)]
HEADERS = dict(EXAMPLES[0].headers)
VALUE = EXAMPLES[0].value


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: record.path.name)
def test_the_cloudevents_package_reads_what_we_send(record: ExampleRecord) -> None:
    event = record.event()
    headers, value = encode(event)
    read = from_binary(KafkaMessage(dict(headers), event.key, value), JSONFormat())
    assert read.get_id() == str(event.id)
    assert read.get_source() == event.source
    assert read.get_type() == event.type
    assert read.get_time() == event.time
    assert read.get_specversion() == "1.0"
    assert read.get_datacontenttype() == "application/json"
    assert read.get_extension("org") == event.org
    assert read.get_extension("caseid") == str(event.case_id)
    assert read.get_extension("partitionkey") == event.key.decode()
    assert read.get_extension("causation") == event.causation
    assert read.get_extension("traceparent") == event.traceparent
    assert type(event.data).model_validate(read.get_data()) == event.data


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: record.path.name)
def test_we_read_what_the_cloudevents_package_sends(record: ExampleRecord) -> None:
    attributes: dict[str, Any] = {**record.attributes, "time": datetime.fromisoformat(record.attributes["time"])}
    sent = to_binary(CloudEvent(attributes, dict(record.data)), JSONFormat())
    assert decode(list(sent.headers.items()), sent.value) == record.event()
    assert sent.key == record.key.decode()


texts = st.text(max_size=40).filter(lambda text: "\x00" not in text).map(lambda text: text.encode("utf-8", "ignore"))
facts = st.dictionaries(
    st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z"),
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        texts.map(bytes.decode),
        st.lists(texts.map(bytes.decode), max_size=5),
    ),
    max_size=10,
)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive


@given(
    uuids=st.tuples(st.uuids(), st.uuids()),
    at=instants,
    given_facts=facts,
    title=st.none() | texts.map(bytes.decode),
    causation=st.none() | st.uuids().map(str),
)
def test_any_event_comes_back_as_it_was(
    uuids: tuple[UUID, UUID], at: datetime, given_facts: dict[str, Any], title: str | None, causation: str | None
) -> None:
    event = Event(
        id=uuids[0],
        source="/fenghuo/intake",
        time=at,
        org="demo",
        case_id=uuids[1],
        data=ComplaintReceivedV1(
            number="2026-11-000001",
            sequence=1,
            source="web",
            reference="1",
            occurred_at=at - timedelta(hours=1) if at.year > 1970 else at,
            received_at=at,
            title=title,
            facts=given_facts,
        ),
        causation=causation,
    )
    headers, value = encode(event)
    assert decode(headers, value) == event
    json.loads(value)


header_values = st.one_of(st.binary(max_size=60), st.sampled_from(list(HEADERS.values())), texts)
header_lists = st.lists(st.tuples(st.sampled_from([*HEADERS, "other", ""]) | st.text(max_size=8), header_values))
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())


@given(headers=header_lists, value=st.none() | st.binary(max_size=200) | json_values)
@example(headers=[], value=None)
def test_any_bytes_are_an_event_or_undecodable(headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    _decodes_or_says_why(headers, value)


@given(name=st.sampled_from(list(HEADERS)), raw=header_values | st.just(b""))
def test_any_value_of_one_attribute_is_an_event_or_undecodable(name: str, raw: bytes) -> None:
    _decodes_or_says_why(list({**HEADERS, name: raw}.items()), VALUE)


@given(kind=st.sampled_from(list(MODEL_BY_TYPE)), value=json_values | st.binary(max_size=400))
@example(kind="fenghuo.complaint.received.v1", value=b"[" * 100_000)
@example(kind="fenghuo.complaint.received.v1", value=b'{"number": ' + b"9" * 10_000 + b"}")
@example(kind="fenghuo.complaint.received.v1", value=b'{"number": "\\ud800"}')
@example(kind="fenghuo.complaint.received.v1", value=b'{"facts": {"a": "\\u0000"}}')
@example(kind="fenghuo.complaint.received.v1", value=b"\xff\xfe{")
def test_any_data_of_any_type_is_an_event_or_undecodable(kind: str, value: bytes) -> None:
    _decodes_or_says_why(list({**HEADERS, "ce_type": kind.encode()}.items()), value)


@given(
    record=st.sampled_from(EXAMPLES),
    field=st.integers(0, 40),
    replacement=st.none() | st.booleans() | st.floats() | st.text(max_size=10) | st.just([]) | st.just({}),
)
def test_any_field_replaced_is_an_event_or_undecodable(record: ExampleRecord, field: int, replacement: object) -> None:
    names = list(record.data)
    broken = {**record.data, names[field % len(names)]: replacement}
    _decodes_or_says_why(record.headers, json.dumps(broken).encode())


@pytest.mark.parametrize(
    ("headers", "value", "said"),
    [
        ({"ce_specversion": b"0.3"}, VALUE, "'specversion' must be 1.0"),
        ({"ce_type": b"fenghuo.complaint.received.v9"}, VALUE, "unknown event type 'fenghuo.complaint.received.v9'"),
        ({"ce_id": b"7"}, VALUE, "'id' is not a UUID"),
        ({"ce_time": b"yesterday"}, VALUE, "'time' is not an RFC 3339 instant"),
        ({"ce_time": b"2026-11-22T00:00:00"}, VALUE, "'time' has no offset"),
        ({"ce_org": b"\xff"}, VALUE, "'org' is not UTF-8"),
        ({"ce_org": b""}, VALUE, "'org' is missing"),
        ({}, None, "the record has no value"),
        ({}, b"{", "value"),
        ({}, json.dumps({**EXAMPLES[0].data, "sequence": 0}).encode(), "field 'sequence'"),
        ({}, json.dumps({**EXAMPLES[0].data, "place": {"city": 5}}).encode(), "field 'place.city'"),
    ],
)
def test_what_is_wrong_is_named(headers: dict[str, bytes], value: bytes | None, said: str) -> None:
    with pytest.raises(UndecodableError) as refused:
        decode(list({**HEADERS, **headers}.items()), value)
    assert said in str(refused.value)


def test_a_field_we_do_not_know_is_ignored() -> None:
    newer = json.dumps({**EXAMPLES[0].data, "added_later": {"a": 1}}).encode()
    assert decode(EXAMPLES[0].headers, newer) == EXAMPLES[0].event()


def _decodes_or_says_why(headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    try:
        event = decode(headers, value)
    except UndecodableError:
        return
    assert decode(*encode(event)) == event
