"""A description leaves nothing out, in either language."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.plans.compiled import CompiledPlan
from shared.plans.description import describe
from shared.plans.description_words import Said, length
from shared.plans.flow_picture import flow_picture
from shared.plans.library import PlanLibrary, parse_plan
from tests.support.plans import PACKS, SOUND


@pytest.fixture(scope="module")
def library() -> PlanLibrary:
    return PlanLibrary.load(PACKS)


def _texts(plan: CompiledPlan) -> tuple[set[str], set[str]]:
    said = describe(plan)
    cells = [cell for section in said.sections for row in section.rows for cell in row]
    cells += [text for _, text in said.head]
    return {cell.zh for cell in cells}, {cell.en for cell in cells}


def _words_in(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if isinstance(node.get("zh"), str) and isinstance(node.get("en"), str):
            yield node["zh"], node["en"]
        for value in node.values():
            yield from _words_in(value)
    elif isinstance(node, list):
        for one in node:
            yield from _words_in(one)


def test_every_text_of_every_pack_is_told_in_both_languages(library: PlanLibrary) -> None:
    missing = []
    for plan in library.plans:
        zh, en = _texts(plan)
        written = plan.plan.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"title", "owner", "milestones"}
        )
        for said_zh, said_en in _words_in(written):
            if not any(said_zh in text for text in zh) or not any(said_en in text for text in en):
                missing.append(f"{plan.name}: {said_zh} / {said_en}")
    assert not missing


def test_every_condition_of_every_pack_is_told_as_written(library: PlanLibrary) -> None:
    for plan in library.plans:
        zh, _ = _texts(plan)
        for criterion in plan.plan.criteria:
            if isinstance(criterion.when, str):
                assert criterion.when in zh, (plan.name, criterion.id)


def test_an_assumed_parameter_is_called_assumed_where_it_is_used() -> None:
    zh, en = _texts(CompiledPlan.of(parse_plan(SOUND, "sample")))
    assert any("（假定）" in text for text in zh)
    assert any("(assumed)" in text for text in en)


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("1h30m", "1小时30分钟", "1 hour 30 minutes"),
        ("15wd", "15个工作日", "15 working days"),
        ("1mo", "1个月", "1 month"),
        ("same-day", "当日内", "the same day"),
        ("4wh", "4个工作小时", "4 working hours"),
        ("first", "first", "first"),
    ],
)
def test_lengths_are_said_as_people_say_them(text: str, zh: str, en: str) -> None:
    assert length(text) == Said(zh, en)


def test_the_picture_shows_every_level_and_every_tier_and_escapes_what_it_shows(library: PlanLibrary) -> None:
    plan = library.get("telecom-service-quality")
    picture = flow_picture(plan, "zh")
    for level in plan.plan.levels:
        assert level.zh in picture
    for tier in plan.plan.tiers:
        assert tier.zh in picture
    hostile = SOUND.replace("zh: 严重", 'zh: "<script>x"')
    assert "<script>" not in flow_picture(CompiledPlan.of(parse_plan(hostile, "sample")), "zh")
