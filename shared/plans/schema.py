"""Writes the JSON Schemas by which editors complete and check `plan.yaml` and `cases/*.yaml`.

`python -m shared.plans.schema` writes them to `deploy/plans/`, and the tables of keys into `docs/plan-language.md`;
`--check` only compares and fails with a diff.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from shared.contracts.generated_files import differences, write
from shared.plans.cases import Bounds, Case
from shared.plans.model import Plan
from shared.plans.reference import PAGE, with_key_tables

PACKS_DIR: Final = Path(__file__).resolve().parents[2] / "deploy" / "plans"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def plan_schema() -> dict[str, Any]:
    """JSON Schema of a `plan.yaml`."""
    return {"$schema": _DIALECT, **Plan.model_json_schema(by_alias=True)}


def case_schema() -> dict[str, Any]:
    """JSON Schema of a file under `cases/`: one case or one table of bounds."""
    either: TypeAdapter[Case | Bounds] = TypeAdapter(Case | Bounds)
    return {"$schema": _DIALECT, "title": "Fenghuo case", **either.json_schema(by_alias=True)}


def generated_files(folder: Path = PACKS_DIR) -> dict[Path, str]:
    """Both schemas as files of a folder."""
    return {
        folder / name: json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        for name, schema in (("plan.schema.json", plan_schema()), ("case.schema.json", case_schema()))
    }


def page_files() -> dict[Path, str]:
    """The page about the language with its tables of keys as the schemas say. Raises PageError, OSError."""
    return {PAGE: with_key_tables(PAGE.read_text("utf-8"), plan_schema(), case_schema())}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the files are as generated, 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m shared.plans.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; fail with a diff")
    chosen = parser.parse_args(arguments)
    owned = {PACKS_DIR: "*.schema.json"}
    if chosen.check:
        found = [*differences(generated_files(), owned=owned), *differences(page_files(), owned={})]
        sys.stdout.writelines(found)
        return 1 if found else 0
    written = [*write(generated_files(), owned=owned), *write(page_files(), owned={})]
    sys.stdout.writelines(f"written: {path}\n" for path in written)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
