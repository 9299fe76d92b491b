"""The OpenAPI document of routes that FastAPI does not see, because they are plain for speed."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.intake.domain.bodies import ComplaintBody, IncidentBody
from services.intake.domain.commands import CommandBody
from services.intake.domain.letters import LetterBody

_REFERENCE: Final = "#/components/schemas/{model}"
_PROBLEM: Final = {
    "description": "Problem details (RFC 9457) naming the field",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_SCHEMAS: Final[dict[str, Any]] = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
    },
    "Registered": {
        "type": "object",
        "required": ["case_id", "number", "sequence", "event_id", "duplicate", "status_url"],
        "properties": {
            "case_id": {"type": "string", "format": "uuid"},
            "number": {"type": "string", "examples": ["2026-11-000123"]},
            "sequence": {"type": "integer"},
            "event_id": {"type": "string"},
            "duplicate": {"type": "boolean"},
            "status_url": {"type": "string", "format": "uri"},
        },
    },
}
_BODIES: Final[tuple[type[BaseModel], ...]] = (ComplaintBody, IncidentBody, CommandBody, LetterBody)


def document(openapi: dict[str, Any]) -> dict[str, Any]:
    """The given document with the paths and schemas of the plain routes added."""
    _, definitions = models_json_schema([(model, "validation") for model in _BODIES], ref_template=_REFERENCE)
    components = openapi.setdefault("components", {})
    components["schemas"] = components.get("schemas", {}) | definitions["$defs"] | _SCHEMAS
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "API key `fh_…`; X-Api-Key works too"}
    }
    openapi.setdefault("paths", {}).update(_paths())
    return openapi


def _paths() -> dict[str, Any]:
    any_json: dict[str, Any] = {"type": "object"}
    many = {"200": "Nothing new", "201": "Registered", "207": "Some failed; see each result"}
    paths: dict[str, Any] = {}
    for name, model in (("complaints", "ComplaintBody"), ("incidents", "IncidentBody")):
        body = {"$ref": f"#/components/schemas/{model}"}
        paths[f"/v1/{name}"] = {"post": _operation(f"Register one of {name}", _REGISTERED, body)}
        batch = {"type": "array", "minItems": 1, "maxItems": 500, "items": body}
        paths[f"/v1/{name}:batch"] = {"post": _operation(f"Register up to 500 {name}", many, batch)}
    paths["/v1/events"] = {"post": _operation("CloudEvents 1.0: structured, binary or batched", _REGISTERED, any_json)}
    paths["/v1/hooks/{kind}"] = {
        "post": _operation(
            "A hook of another system", {"200": "Registered", "202": "Kept in quarantine"}, any_json, "kind"
        )
    }
    paths["/v1/cases/{case_id}"] = {"get": _operation("What the register holds", {"200": "The case"}, None, "case_id")}
    paths["/v1/cases/{case_id}/originals"] = {
        "get": _operation("What was posted, word for word", {"200": "The originals"}, None, "case_id")
    }
    paths["/v1/cases/{case_id}/complainant-address"] = {
        "get": _operation(
            "Where the complainant asked to be told", {"200": "Channel, address and language"}, None, "case_id"
        )
    }
    paths["/v1/cases/{case_id}/commands"] = {
        "post": _operation(
            "Ask for a change of the case",
            {"202": "Issued", "200": "Issued before"},
            {"$ref": "#/components/schemas/CommandBody"},
            "case_id",
        )
    }
    for verb in ("get", "post"):
        receipt = _operation("A provider's delivery receipt", {"200": "Stored"}, None, "token")
        paths.setdefault("/v1/receipts/{token}", {})[verb] = receipt | {"security": []}
    paths["/v1/receipts:alibaba"] = {
        "post": _operation("Delivery reports of Alibaba Cloud", {"200": "Stored"}, None) | {"security": []}
    }
    paths["/v1/receipts:tencent"] = {
        "post": _operation("Delivery reports of Tencent Cloud, with a key in `?key=`", {"200": "Stored"}, None)
    }
    paths["/v1/bounces"] = {
        "post": _operation("A returned mail, as message/rfc822", {"200": "Stored or ignored"}, None)
    }
    pressed = _operation("A key pressed in a call: 1 acknowledges", {"200": "Acknowledged"}, None, "token")
    paths["/v1/keys/{token}"] = {"post": pressed | {"security": []}}
    paths["/v1/sms/kannel"] = {
        "get": _operation("A text message from Kannel", {"200": "Acknowledged", "202": "Kept in quarantine"}, None)
    }
    paths["/v1/quarantine"] = {"get": _operation("Payloads nobody understood", {"200": "The list"}, None)}
    paths["/v1/quarantine/{quarantine_id}"] = {
        "get": _operation("One of them as it came", {"200": "The payload"}, None, "quarantine_id")
    }
    paths["/v1/quarantine/{quarantine_id}/replay"] = {
        "post": _operation("Try it again", {"200": "Registered"}, None, "quarantine_id")
    }
    paths["/v1/replays"] = {
        "post": _operation(
            "Send a dead letter's record again",
            {"202": "On its way", "200": "Sent before"},
            {"$ref": "#/components/schemas/LetterBody"},
        )
    }
    return paths


_REGISTERED: Final = {"200": "The same event again", "201": "Registered"}


def _operation(summary: str, answers: dict[str, str], body: dict[str, Any] | None, *parameters: str) -> dict[str, Any]:
    registered = {"application/json": {"schema": {"$ref": "#/components/schemas/Registered"}}}
    operation: dict[str, Any] = {
        "summary": summary,
        "security": [{"key": []}],
        "responses": {
            status: {"description": words} | ({"content": registered} if answers is _REGISTERED else {})
            for status, words in answers.items()
        }
        | {"4XX": _PROBLEM, "503": _PROBLEM},
    }
    if parameters:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in parameters
        ]
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
