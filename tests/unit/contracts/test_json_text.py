"""Values as JSON: the same to a reader as what Pydantic writes."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic_core import PydanticSerializationError, to_json

from shared.contracts.classifications import Holds
from shared.contracts.envelope import encode_data
from shared.contracts.example_records import ExampleRecord, examples_of
from shared.contracts.json_text import json_bytes
from shared.contracts.topics import TOPICS
from shared.contracts.values import Actor, ActorKind, Place
from shared.runtime.ids import FastUUID

EXAMPLES = [record for topic in TOPICS for record in examples_of(topic)]


class Pair(NamedTuple):
    left: str
    right: datetime


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda record: record.path.name)
def test_every_example_is_written_as_its_model_writes_itself(record: ExampleRecord) -> None:
    event = record.event()
    written = encode_data(event)
    assert json.loads(written) == json.loads(event.data.model_dump_json())
    assert type(event.data).model_validate_json(written) == event.data


@pytest.mark.parametrize(
    "value",
    [
        {"whole": 2**63 - 1, "least": -(2**63), "more": 2**70, "less": -(2**90)},
        {"numbers": [0.1, -0.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, 3]},
        {"text": '引号 " \\ / \n \t \x01 \x7f \u2028 \U0001f525'},
        {
            "times": [
                datetime(2026, 3, 2, 1, 2, 3, 45, tzinfo=UTC),
                datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=8))),
            ]
        },
        {"zone": datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Asia/Shanghai"))},
        {"ids": [UUID(int=7), FastUUID(UUID(int=8).bytes)]},
        {"pair": Pair("a", datetime(2026, 3, 2, tzinfo=UTC)), "tuple": ("a", 1, None, True, False)},
        {"model": Place(city="成都"), "deeper": [Actor(kind=ActorKind.LINK, ref="duty-a")], "word": Holds.NOT_KNOWN},
        {7: "a key that is no text", 8: {"deeper": {9: 2**64}}},
        {"one": frozenset({"a set"})},
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_value_is_written_as_pydantic_writes_it(value: dict[Any, Any]) -> None:
    assert json.loads(json_bytes(value)) == json.loads(to_json(value))


@pytest.mark.parametrize("value", [{"text": "\ud800"}, {"other": object()}])
def test_what_is_no_json_is_refused_as_pydantic_refuses_it(value: dict[str, Any]) -> None:
    with pytest.raises(PydanticSerializationError):
        to_json(value)
    with pytest.raises(PydanticSerializationError):
        json_bytes(value)
