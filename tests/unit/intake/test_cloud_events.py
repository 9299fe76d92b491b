"""CloudEvents 1.0 over HTTP against the public examples and the corners of the specification."""

from typing import Any

import pytest

from services.intake.domain.bodies import Route
from services.intake.domain.cloud_events import read_batch, read_binary, read_structured, to_report
from shared.contracts.json_guard import UnreadableError
from tests.support.samples import sample_json

_EVENT = {"specversion": "1.0", "id": "1", "source": "/x", "type": "com.example.complaint.created"}


def _tests(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sample_json("conformance", "cloudevents", "format", "json", name)["tests"]
    assert found
    return found


def test_public_valid_events_are_read() -> None:
    for case in _tests("valid-events.json"):
        event = read_structured(case["event"])
        assert event.attributes["id"] == case["event"]["id"], case["id"]


def test_public_invalid_events_are_refused() -> None:
    for case in _tests("invalid-events.json"):
        with pytest.raises(UnreadableError):
            read_structured(case["event"])


def test_public_valid_batches_are_read() -> None:
    for case in _tests("valid-batches.json"):
        events = read_batch(case["batch"])
        assert not [event for event in events if isinstance(event, UnreadableError)], case["id"]


def test_public_invalid_batches_are_refused_whole_or_in_part() -> None:
    for case in _tests("invalid-batches.json"):
        try:
            events = read_batch(case["batch"])
        except UnreadableError:
            continue
        assert [event for event in events if isinstance(event, UnreadableError)], case["id"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_binary_mode_as_in_the_public_scenario(content_type: str) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "com.example.someevent",
        "ce-time": "2018-04-05T03:56:24Z",
        "ce-id": "1234-1234-1234",
        "ce-source": "/mycontext/subcontext",
        "content-type": content_type,
        "content-length": "33",
    }
    event = read_binary(headers, b'{"message": "Hello World!"}')
    assert event.attributes == {
        "specversion": "1.0",
        "type": "com.example.someevent",
        "time": "2018-04-05T03:56:24Z",
        "id": "1234-1234-1234",
        "source": "/mycontext/subcontext",
        "datacontenttype": content_type,
    }


def test_percent_encoded_headers_are_decoded() -> None:
    headers = {f"ce-{name}": value for name, value in _EVENT.items()} | {"ce-subject": "%E7%83%BD%E7%81%AB"}
    assert read_binary(headers, b"{}").attributes["subject"] == "烽火"


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        ("com.example.complaint.created", Route.COMPLAINT),
        ("fenghuo.incident.reported.v1", Route.INCIDENT),
        ("alert", Route.INCIDENT),
        ("incidents/complaint", Route.COMPLAINT),
    ],
)
def test_the_type_decides_what_it_is(kind: str, route: Route) -> None:
    assert to_report(read_structured(_EVENT | {"type": kind, "data": {}}))[0] is route


def test_attributes_stand_in_for_what_the_data_leaves_out() -> None:
    event = read_structured(_EVENT | {"subject": "S-1", "time": "2026-11-21T01:00:00Z", "data": {"title": "t"}})
    assert to_report(event)[1] == {
        "title": "t",
        "id": "1",
        "source": "/x",
        "reference": "S-1",
        "occurred_at": "2026-11-21T01:00:00Z",
    }
    own = read_structured(_EVENT | {"data": {"source": "mine", "reference": "R"}})
    assert to_report(own)[1]["source"] == "mine"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "com.example.weather"}, "type"),
        ({"data": "text"}, "data"),
        ({"data_base64": "%%"}, "data_base64"),
        ({"data": {}, "data_base64": "e30="}, "data_base64"),
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-13-01T00:00:00Z"}, "time"),
        ({"Bad_Name": "x"}, "Bad_Name"),
        ({"extension": 2**40}, "extension"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        to_report(read_structured(_EVENT | changes))
    assert caught.value.field == field


def test_base64_data_that_is_json_is_taken() -> None:
    event = read_structured(_EVENT | {"data_base64": "eyJ0aXRsZSI6InQifQ=="})
    assert to_report(event)[1]["title"] == "t"
