"""The page about the language keeps up with the language: every key stands on it, every whole example is sound."""

import re
from pathlib import Path
from typing import Any

import pytest

from shared.plans.cases import Bounds, parse_case_file
from shared.plans.compiled import CompiledPlan
from shared.plans.inputs import BUILT_INS
from shared.plans.judging import judge_bounds
from shared.plans.library import parse_plan
from shared.plans.reading import read_plan
from shared.plans.schema import case_schema, plan_schema

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "plan-language.md").read_text("utf-8")
EXAMPLES: list[str] = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


def example(first_key: str) -> str:
    return next(text for text in EXAMPLES if text.startswith(f"{first_key}:"))


def keys(schema: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    pending: list[Any] = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            found |= set(part.get("properties", {}))
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return found


@pytest.mark.parametrize("key", sorted(keys(plan_schema()) | keys(case_schema())))
def test_every_key_stands_on_the_page(key: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(key)}(:|`)", PAGE), f"docs/plan-language.md does not mention '{key}'"


@pytest.mark.parametrize("name", sorted(BUILT_INS))
def test_every_built_in_name_stands_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_whole_plan_on_the_page_is_sound_and_does_what_its_table_says() -> None:
    plan = CompiledPlan.of(parse_plan(example("plan"), "plan-language.md"))
    table = parse_case_file(example("bounds"), "plan-language.md")
    assert isinstance(table, Bounds)
    assert judge_bounds(plan, table) == []


@pytest.mark.parametrize("text", [text for text in EXAMPLES if re.match(r"[a-z_]+:", text)])
def test_every_example_has_the_right_shape(text: str) -> None:
    if text.startswith(("case:", "bounds:", "when:", "telecom-service-quality:")):
        return
    head = "" if text.startswith("plan:") else "plan: page\n"
    whole = re.sub(r"^(extends|without):.*\n", "", text, flags=re.MULTILINE)
    problems = read_plan(f"{head}abstract: true\n{whole}", "page").problems
    assert problems == ()


def test_the_cases_on_the_page_can_be_read() -> None:
    cases = [text for text in EXAMPLES if text.startswith("case:")]
    assert len(cases) == 2
    for text in cases:
        parse_case_file(text, "plan-language.md")
