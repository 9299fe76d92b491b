"""JSON Schemas (draft 2020-12) of the data of every event, as a reader accepts it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.contracts.envelope import MODEL_BY_TYPE
from shared.contracts.topics import topic_of

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of one CloudEvents type. Fields it does not name are allowed, and ignored by readers.

    Raises KeyError for a type that is on no topic.
    """
    model = MODEL_BY_TYPE[kind]
    schema = model.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:fenghuo:schema:{kind}", "x-topic": topic_of(model).name, **schema}


def json_schemas() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every type with its schema, in the order of the topics."""
    for kind in MODEL_BY_TYPE:
        yield kind, json_schema(kind)
