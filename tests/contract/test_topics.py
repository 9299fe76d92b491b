"""Every topic is complete: schema, examples, owner, readers, dead-letter twin; and nothing lies about without one."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from shared.contracts.asyncapi import ATTRIBUTES, LETTER_HEADERS, OPTIONAL_ATTRIBUTES, asyncapi_document
from shared.contracts.envelope import MODEL_BY_TYPE, encode
from shared.contracts.example_records import EXAMPLES_DIR, ExampleRecord, examples_of
from shared.contracts.generate import RELEASED_DIR, SCHEMAS_DIR
from shared.contracts.topics import DEAD_LETTER_RETENTION, TOPICS, Topic, topic_of
from shared.contracts.values import Contract
from shared.db.migrate import services_with_a_schema
from shared.db.partitions import INBOX_KEPT, OUTBOX_KEPT

SERVICES = {"intake", "classifier", "escalator", "notifier", "console"}
EXAMPLES = [record for topic in TOPICS for record in examples_of(topic)]


def _id(value: object) -> str | None:
    if isinstance(value, Topic):
        return value.name
    return value.path.name if isinstance(value, ExampleRecord) else None


def _schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS_DIR / f"{kind}.json").read_text("utf-8"))
    return schema


@pytest.mark.parametrize("topic", TOPICS, ids=_id)
def test_every_topic_names_its_owner_its_readers_and_its_twin(topic: Topic) -> None:
    assert topic.owner in SERVICES
    assert topic.consumers
    assert set(topic.consumers) <= SERVICES - {topic.owner}
    assert len(set(topic.consumers)) == len(topic.consumers)
    assert topic.summary
    assert topic.models
    assert topic.key == "case_id"
    assert topic.dead_letters == f"{topic.name}-dlq"


@pytest.mark.parametrize("topic", TOPICS, ids=_id)
def test_every_model_of_a_topic_has_two_examples_that_decode(topic: Topic) -> None:
    records = examples_of(topic)
    for model in topic.models:
        mine = [record for record in records if isinstance(record.event().data, model)]
        assert len(mine) >= 2, f"{model.__name__} needs a normal and an edge example"
    assert {type(record.event().data) for record in records} == set(topic.models)


@pytest.mark.parametrize("record", EXAMPLES, ids=_id)
def test_an_example_survives_encoding_and_decoding(record: ExampleRecord) -> None:
    event = record.event()
    headers, value = encode(event)
    again = ExampleRecord(
        record.path,
        {name.removeprefix("ce_"): raw.decode() for name, raw in headers if name.startswith("ce_")},
        json.loads(value),
    )
    assert again.event() == event
    assert event.key == record.key
    assert record.attributes["subject"] == record.attributes["caseid"] == record.attributes["partitionkey"]


@pytest.mark.parametrize("record", EXAMPLES, ids=_id)
def test_an_example_and_what_we_send_fit_the_committed_schema(record: ExampleRecord) -> None:
    validator = Draft202012Validator(_schema(record.attributes["type"]), format_checker=FormatChecker())
    validator.validate(record.data)
    validator.validate(json.loads(encode(record.event())[1]))


def test_a_model_lives_on_exactly_one_topic() -> None:
    carried = [model for topic in TOPICS for model in topic.models]
    assert len(set(carried)) == len(carried)
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    for model in carried:
        assert model in topic_of(model).models


def test_every_event_that_is_declared_is_carried() -> None:
    declared = {model for model in _subclasses(Contract) if "TYPE" in vars(model)}
    assert declared == set(MODEL_BY_TYPE.values())


def test_types_are_versioned_and_frozen() -> None:
    for kind, model in MODEL_BY_TYPE.items():
        assert kind.startswith("fenghuo."), kind
        assert kind.endswith(".v1"), kind
        assert model.__name__.endswith("V1")
        assert model.model_config["frozen"]
        assert model.model_config["extra"] == "ignore"
        assert model.__doc__


@pytest.mark.parametrize("kind", MODEL_BY_TYPE)
def test_every_schema_is_valid_json_schema(kind: str) -> None:
    schema = _schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    with pytest.raises(Exception, match="required property"):
        Draft202012Validator(schema).validate({})


def test_no_file_lies_about_without_a_topic() -> None:
    assert {path.name for path in EXAMPLES_DIR.iterdir()} == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        for path in (EXAMPLES_DIR / topic.name).iterdir():
            kind, number, suffix = path.name.split(".")
            assert suffix == "json"
            assert number.isdecimal()
            assert f"fenghuo.{kind.replace('-', '.')}.v1" in MODEL_BY_TYPE, path
    for folder in (SCHEMAS_DIR, RELEASED_DIR):
        assert {path.name for path in folder.iterdir()} == {f"{kind}.json" for kind in MODEL_BY_TYPE}, "make contracts"


def test_examples_carry_no_real_number() -> None:
    for record in EXAMPLES:
        text = record.path.read_text("utf-8")
        assert not re.search(r"(?<![0-9a-f-])1[3-9]\d{9}(?!\d)", text)
        assert "@" not in text.replace("@example.org", "").replace("@example.com", "")


def test_a_record_published_again_is_still_known_by_its_readers() -> None:
    for topic in TOPICS:
        assert max(topic.retention, OUTBOX_KEPT) < INBOX_KEPT, topic.name
        assert topic.retention < DEAD_LETTER_RETENTION


def test_the_document_describes_the_headers_we_really_send() -> None:
    record = max(EXAMPLES, key=lambda one: len(one.attributes))
    sent = {name for name, _ in encode(record.event())[0] if name.startswith("ce_")}
    assert sent == set(ATTRIBUTES)
    smallest = min(EXAMPLES, key=lambda one: len(one.attributes))
    assert {name for name, _ in encode(smallest.event())[0]} >= set(ATTRIBUTES) - OPTIONAL_ATTRIBUTES


def test_the_document_has_every_topic_its_twin_and_every_reader() -> None:
    document = asyncapi_document()
    assert set(document["channels"]) == {name for topic in TOPICS for name in (topic.name, topic.dead_letters)}
    for topic in TOPICS:
        assert document["operations"][f"{topic.owner}-sends-{topic.name}"]["action"] == "send"
        for consumer in topic.consumers:
            assert document["operations"][f"{consumer}-receives-{topic.name}"]["action"] == "receive"
            assert f"{consumer}-buries-{topic.name}" in document["operations"]
    assert len(LETTER_HEADERS) == 7


def test_services_of_the_contracts_are_the_services_of_the_line() -> None:
    assert set(services_with_a_schema()) <= SERVICES


def _subclasses(base: type[Contract]) -> set[type[Contract]]:
    direct = set(base.__subclasses__())
    return direct.union(*(_subclasses(one) for one in direct)) if direct else direct
