"""The OpenAPI documents are committed as generated, fit OpenAPI 3.1 and describe the routes that exist."""

import asyncio
import importlib
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from starlette.routing import Match

from services.openapi import DESCRIBED, OPENAPI_DIR, _environment_of_nowhere, generated_files, openapi_document
from shared.contracts.generated_files import differences

SPECIFICATION = Path(__file__).parents[1] / "data" / "specifications" / "openapi-3.1.json"
METHODS = {"get", "post", "put", "patch", "delete"}


def _committed(service: str) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(OPENAPI_DIR / f"{service}.yaml")
    return document


def _application(service: str) -> FastAPI:
    async def build() -> FastAPI:
        create_app = importlib.import_module(f"services.{service}.main").create_app
        app: FastAPI = create_app(typing.get_type_hints(create_app)["settings"]())
        return app

    with _environment_of_nowhere():
        return asyncio.run(build())


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_committed_documents_are_as_generated() -> None:
    assert "".join(differences(generated_files(), owned={OPENAPI_DIR: "*.yaml"})) == ""


@pytest.mark.parametrize("service", DESCRIBED)
def test_the_document_fits_openapi_3_1(service: str) -> None:
    schema = json.loads(SPECIFICATION.read_text("utf-8"))
    document = _committed(service)
    assert document["openapi"].startswith("3.1.")
    problems = [
        f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft202012Validator(schema).iter_errors(document)
    ]
    assert problems == []
    assert list(Draft202012Validator(schema).iter_errors({**document, "paths": {"no-slash": {}}}))


@pytest.mark.parametrize("service", DESCRIBED)
def test_every_reference_leads_somewhere(service: str) -> None:
    document = _committed(service)
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target


@pytest.mark.parametrize("service", DESCRIBED)
def test_every_operation_says_what_it_is_and_what_goes_wrong(service: str) -> None:
    operations = _operations(_committed(service))
    assert operations
    for path, method, operation in operations:
        assert operation.get("summary"), f"{method} {path}"
        answers = operation["responses"]
        assert any(code.startswith("2") for code in answers), f"{method} {path}"


@pytest.mark.parametrize("service", DESCRIBED)
def test_every_documented_operation_is_a_route(service: str) -> None:
    app = _application(service)
    for path, method, _ in _operations(_committed(service)):
        scope = {"type": "http", "path": re.sub(r"\{[^}]+\}", "00000000-0000-7000-8000-000000000000", path)}
        scope["method"] = method.upper()
        assert any(route.matches({**scope, "headers": []})[0] is Match.FULL for route in app.routes), f"{method} {path}"


def test_the_documents_do_not_depend_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_PUBLIC_URL", "https://elsewhere.example.org")
    monkeypatch.setenv("FENGHUO_DATABASE_URL", "postgresql://real@db/real")
    assert openapi_document("intake") == json.loads(json.dumps(_committed("intake")))
