"""The AsyncAPI 3.0 document of the line: topics as channels, who sends and who receives as operations."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from shared.contracts.envelope import MODEL_BY_TYPE
from shared.contracts.example_records import ExampleRecord, examples_of
from shared.contracts.topics import DEAD_LETTER_RETENTION, TOPICS, Topic
from shared.contracts.values import Contract

ASYNCAPI: Final = "3.0.0"
CONTRACTS_VERSION: Final = "0.1.0"
_BINDING: Final = "0.5.0"
_MILLISECOND: Final = timedelta(milliseconds=1)

ATTRIBUTES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "ce_specversion": ("Version of CloudEvents", {"type": "string", "const": "1.0"}),
    "ce_id": ("The event's UUIDv7; an event is applied once per id", {"type": "string", "format": "uuid"}),
    "ce_source": ("The service that recorded the fact", {"type": "string", "format": "uri-reference"}),
    "ce_type": ("The contract and its version", {"type": "string", "enum": list(MODEL_BY_TYPE)}),
    "ce_time": ("When the fact was recorded", {"type": "string", "format": "date-time"}),
    "ce_subject": ("The case", {"type": "string", "format": "uuid"}),
    "ce_partitionkey": ("Equal to the record's key", {"type": "string", "format": "uuid"}),
    "ce_org": ("The organisation the case belongs to", {"type": "string"}),
    "ce_caseid": ("The case", {"type": "string", "format": "uuid"}),
    "ce_causation": ("Id of the event that led to this one", {"type": "string"}),
    "ce_traceparent": ("W3C Trace Context", {"type": "string"}),
}
OPTIONAL_ATTRIBUTES: Final = frozenset({"ce_causation", "ce_traceparent"})
LETTER_HEADERS: Final[Mapping[str, str]] = {
    "dlq_reason": "Why the record could not be applied",
    "dlq_consumer": "The consumer group that gave it up",
    "dlq_topic": "Where it stood: topic without the cluster's prefix",
    "dlq_partition": "Where it stood: partition",
    "dlq_offset": "Where it stood: offset",
    "dlq_attempts": "How often it was tried",
    "dlq_first_failed_at": "When it failed first",
}


def asyncapi_document() -> dict[str, Any]:
    """The whole document, built from the topics, their models and their examples; the same every time."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in MODEL_BY_TYPE.values()], ref_template="#/components/schemas/{model}"
    )
    messages = {_name(model): _message(model, topic) for topic in TOPICS for model in topic.models}
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Fenghuo 烽火",
            "version": CONTRACTS_VERSION,
            "description": (
                "What travels between the services. CloudEvents 1.0 in Kafka's binary content mode: attributes in "
                "`ce_` headers, the data as a JSON value. The key of every record is the case id, so the facts of one "
                "case stay in order. Delivery is at least once: readers skip an id they have applied, and ignore "
                "fields they do not know."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "Any Kafka-compatible broker, named by FENGHUO_KAFKA",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "host:port of a broker"}},
            }
        },
        "channels": {name: channel for topic in TOPICS for name, channel in _channels(topic)},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic)},
        "components": {
            "messages": {**messages, "DeadLetter": _dead_letter()},
            "schemas": {**definitions["$defs"], "Attributes": _attributes()},
        },
    }


def _channels(topic: Topic) -> Iterable[tuple[str, dict[str, Any]]]:
    yield (
        topic.name,
        {
            "address": topic.name,
            "title": topic.summary,
            "description": f"Owned by {topic.owner}. Read by {' and '.join(topic.consumers)}. Key: {topic.key}.",
            "messages": {_name(model): {"$ref": f"#/components/messages/{_name(model)}"} for model in topic.models},
            "bindings": _kafka(topic.name, topic.partitions, topic.retention),
        },
    )
    yield (
        topic.dead_letters,
        {
            "address": topic.dead_letters,
            "title": f"Records of {topic.name} that could not be applied",
            "description": "The record as it was, with `dlq_` headers that say why; replayable.",
            "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
            "bindings": _kafka(topic.dead_letters, 1, DEAD_LETTER_RETENTION),
        },
    )


def _kafka(name: str, partitions: int, retention: timedelta) -> dict[str, Any]:
    return {
        "kafka": {
            "topic": name,
            "partitions": partitions,
            "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": retention // _MILLISECOND},
            "bindingVersion": _BINDING,
        }
    }


def _operations(topic: Topic) -> Iterable[tuple[str, dict[str, Any]]]:
    yield (
        f"{topic.owner}-sends-{topic.name}",
        {
            "action": "send",
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "summary": f"{topic.owner} publishes through its outbox",
            "bindings": {"kafka": {"clientId": _text(f"fenghuo-{topic.owner}"), "bindingVersion": _BINDING}},
        },
    )
    for consumer in topic.consumers:
        yield (
            f"{consumer}-receives-{topic.name}",
            {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"{consumer} applies each record once",
            },
        )
        yield (
            f"{consumer}-buries-{topic.name}",
            {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic.dead_letters}"},
                "summary": f"{consumer} gives up a record and says why",
            },
        )


def _text(value: str) -> dict[str, Any]:
    return {"type": "string", "const": value}


def _message(model: type[Contract], topic: Topic) -> dict[str, Any]:
    kind: str = model.TYPE  # type: ignore[attr-defined]  # every model on a topic names its type; tested
    return {
        "name": kind,
        "title": _name(model),
        "summary": (model.__doc__ or "").strip().split("\n", maxsplit=1)[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Attributes"},
        "payload": {"$ref": f"#/components/schemas/{_name(model)}"},
        "correlationId": {"description": "The case", "location": "$message.header#/ce_caseid"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "format": "uuid", "description": "The case id"},
                "bindingVersion": _BINDING,
            }
        },
        "examples": [_example(record) for record in examples_of(topic) if record.attributes["type"] == kind],
    }


def _example(record: ExampleRecord) -> dict[str, Any]:
    headers = {name: value.decode() for name, value in record.headers if name.startswith("ce_")}
    return {"name": record.path.stem, "headers": headers, "payload": json.loads(record.value)}


def _attributes() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "CloudEvents attributes as Kafka headers, UTF-8",
        "required": [name for name in ATTRIBUTES if name not in OPTIONAL_ATTRIBUTES],
        "properties": {name: {**schema, "description": what} for name, (what, schema) in ATTRIBUTES.items()},
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "dead-letter",
        "title": "A record that could not be applied",
        "summary": "Key, headers and value as they were; `dlq_` headers added",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": list(LETTER_HEADERS),
            "properties": {name: {"type": "string", "description": what} for name, what in LETTER_HEADERS.items()},
        },
        "payload": {"description": "Any bytes: often, but not always, the JSON data of an event"},
    }


def _name(model: type[Contract]) -> str:
    return model.__name__
