"""The JSON Schemas for editors: as generated, and of one mind with the models."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.plans import schema
from shared.plans.yaml_text import read_yaml
from tests.support.plans import PACKS, SOUND

BROKEN = Path(__file__).parent / "broken"


def errors(name: str, text: str) -> list[str]:
    written: dict[str, Any] = json.loads((PACKS / name).read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(written)
    return [error.message for error in validator.iter_errors(read_yaml(text, name)[0])]


def test_the_committed_schemas_are_as_generated() -> None:
    for path, text in schema.generated_files().items():
        assert path.read_text("utf-8") == text, f"run python -m shared.plans.schema: {path.name} has drifted"


def test_a_drifted_schema_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "PACKS_DIR", tmp_path)
    monkeypatch.setattr(schema, "generated_files", lambda: {tmp_path / "plan.schema.json": "{}\n"})
    assert schema.main(["--check"]) == 1
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    (tmp_path / "plan.schema.json").write_text("{ }\n", encoding="utf-8")
    assert schema.main(["--check"]) == 1


def test_schemas_accept_what_the_models_accept() -> None:
    for path in sorted(PACKS.glob("*/plan.yaml")):
        assert errors("plan.schema.json", path.read_text("utf-8")) == [], path
    assert errors("plan.schema.json", SOUND) == []
    for path in sorted(PACKS.glob("*/cases/*.yaml")):
        assert errors("case.schema.json", path.read_text("utf-8")) == [], path


@pytest.mark.parametrize(
    "name", ["unknown-key", "missing-translation", "window-counts-two-things", "tree-with-two-keys", "several-at-once"]
)
def test_schemas_refuse_what_is_wrong_in_shape(name: str) -> None:
    assert errors("plan.schema.json", (BROKEN / f"{name}.yaml").read_text("utf-8"))
