"""No change of a contract breaks its readers: the committed schemas against the released ones."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts.compatibility import breaking_changes
from shared.contracts.generate import RELEASED_DIR, SCHEMAS_DIR

RELEASED = sorted(RELEASED_DIR.glob("*.json"))
Schema = dict[str, Any]

REPORT: Schema = {
    "$defs": {
        "Kind": {"enum": ["sms", "email"], "type": "string"},
        "Place": {
            "properties": {"city": {"anyOf": [{"maxLength": 120, "minLength": 1, "type": "string"}, {"type": "null"}]}},
            "type": "object",
        },
    },
    "properties": {
        "number": {"pattern": "^[0-9]+$", "type": "string"},
        "count": {"minimum": 0, "type": "integer"},
        "ratio": {"type": "number"},
        "kind": {"$ref": "#/$defs/Kind"},
        "place": {"$ref": "#/$defs/Place"},
        "title": {"anyOf": [{"maxLength": 500, "type": "string"}, {"type": "null"}]},
        "roles": {"items": {"type": "string", "maxLength": 60}, "minItems": 1, "type": "array"},
        "facts": {"additionalProperties": {"type": "string"}, "maxProperties": 200, "type": "object"},
        "at": {"format": "date-time", "type": "string"},
    },
    "required": ["number", "kind"],
    "type": "object",
}


def _released(kind: str) -> Schema:
    schema: Schema = json.loads((RELEASED_DIR / kind).read_text("utf-8"))
    return schema


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_committed_schemas_keep_what_was_released(path: Any) -> None:
    proposed = SCHEMAS_DIR / path.name
    assert proposed.is_file(), f"{path.stem} was released and is gone; keep it beside its successor"
    assert breaking_changes(_released(path.name), json.loads(proposed.read_text("utf-8"))) == []


def test_something_was_released() -> None:
    assert len(RELEASED) >= 8


def _remove(schema: Schema) -> None:
    del schema["properties"]["title"]


def _rename(schema: Schema) -> None:
    schema["properties"]["case_number"] = schema["properties"].pop("number")
    schema["required"] = ["case_number", "kind"]


def _require(schema: Schema) -> None:
    schema["required"].append("title")


def _require_new(schema: Schema) -> None:
    schema["properties"]["severity"] = {"type": "string"}
    schema["required"].append("severity")


def _free(schema: Schema) -> None:
    schema["required"].remove("kind")


def _drop_null(schema: Schema) -> None:
    schema["properties"]["title"] = {"maxLength": 500, "type": "string"}


def _retype(schema: Schema) -> None:
    schema["properties"]["count"] = {"minimum": 0, "type": "string"}


def _number_to_integer(schema: Schema) -> None:
    schema["properties"]["ratio"] = {"type": "integer"}


def _drop_value(schema: Schema) -> None:
    schema["$defs"]["Kind"]["enum"] = ["sms"]


def _shorten(schema: Schema) -> None:
    schema["$defs"]["Place"]["properties"]["city"]["anyOf"][0]["maxLength"] = 20


def _raise_minimum(schema: Schema) -> None:
    schema["properties"]["count"]["minimum"] = 1


def _bound(schema: Schema) -> None:
    schema["properties"]["ratio"]["maximum"] = 1


def _new_pattern(schema: Schema) -> None:
    schema["properties"]["number"]["pattern"] = "^[0-9-]+$"


def _new_format(schema: Schema) -> None:
    schema["properties"]["at"]["format"] = "date"


def _narrow_items(schema: Schema) -> None:
    schema["properties"]["roles"]["items"]["maxLength"] = 30


def _fewer_facts(schema: Schema) -> None:
    schema["properties"]["facts"]["maxProperties"] = 100


def _retype_facts(schema: Schema) -> None:
    schema["properties"]["facts"]["additionalProperties"] = {"type": "integer"}


def _close(schema: Schema) -> None:
    schema["additionalProperties"] = False


def _restrict_to_values(schema: Schema) -> None:
    schema["properties"]["at"]["enum"] = ["now"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_remove, "data.title was removed"),
        (_rename, "data.number was removed"),
        (_require, "data.title became required"),
        (_require_new, "data.severity is new and required"),
        (_free, "data.kind may now be absent"),
        (_drop_null, "data.title was null and is now string"),
        (_retype, "data.count was integer and is now string"),
        (_number_to_integer, "data.ratio was number and is now integer"),
        (_drop_value, "data.kind: value 'email' was removed"),
        (_shorten, "data.place.city: maxLength narrowed from 120 to 20"),
        (_raise_minimum, "data.count: minimum narrowed from 0 to 1"),
        (_bound, "data.ratio: maximum narrowed from none to 1"),
        (_new_pattern, "data.number: pattern changed from ^[0-9]+$ to ^[0-9-]+$"),
        (_new_format, "data.at: format changed from date-time to date"),
        (_narrow_items, "data.roles[]: maxLength narrowed from 60 to 30"),
        (_fewer_facts, "data.facts: maxProperties narrowed from 200 to 100"),
        (_retype_facts, "data.facts.* was string and is now integer"),
        (_close, "data.* was free and is now restricted"),
        (_restrict_to_values, "data.at took any value and now only ['now']"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_breaking_change_is_refused_with_its_field(change: Callable[[Schema], None], sentence: str) -> None:
    proposed = copy.deepcopy(REPORT)
    change(proposed)
    assert sentence in breaking_changes(REPORT, proposed)


def _add_field(schema: Schema) -> None:
    schema["properties"]["severity"] = {"type": "string"}


def _add_value(schema: Schema) -> None:
    schema["$defs"]["Kind"]["enum"].append("voice")


def _widen(schema: Schema) -> None:
    schema["properties"]["count"]["minimum"] = -1
    schema["properties"]["facts"]["maxProperties"] = 400
    schema["properties"]["count"]["type"] = "number"


def _allow_null(schema: Schema) -> None:
    schema["properties"]["at"] = {"anyOf": [{"format": "date-time", "type": "string"}, {"type": "null"}]}


def _describe(schema: Schema) -> None:
    schema["properties"]["number"]["description"] = "What people say aloud"


def _inline(schema: Schema) -> None:
    schema["properties"]["kind"] = schema["$defs"].pop("Kind")


@pytest.mark.parametrize("change", [_add_field, _add_value, _widen, _allow_null, _describe, _inline])
def test_an_additive_change_is_allowed(change: Callable[[Schema], None]) -> None:
    proposed = copy.deepcopy(REPORT)
    change(proposed)
    assert breaking_changes(REPORT, proposed) == []


def test_a_seeded_break_of_a_real_contract_is_refused() -> None:
    released = _released("fenghuo.complaint.received.v1.json")
    proposed = copy.deepcopy(released)
    del proposed["properties"]["complainant_ref"]
    proposed["$defs"]["Place"]["properties"]["city"]["anyOf"][0]["maxLength"] = 60
    assert breaking_changes(released, proposed) == [
        "data.place.city: maxLength narrowed from 120 to 60",
        "data.complainant_ref was removed",
    ]


def test_a_recursive_schema_ends() -> None:
    tree: Schema = {
        "$defs": {"Node": {"properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}},
        "$ref": "#/$defs/Node",
    }
    assert breaking_changes(tree, tree) == []
