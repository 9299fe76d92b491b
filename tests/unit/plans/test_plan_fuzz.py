"""Whatever stands in a plan's file, the answer is a plan that can decide or problems with their places."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.plans.compiled import CompiledPlan, Scope
from shared.plans.library import parse_plan
from shared.plans.problems import PlanLibraryError
from shared.plans.yaml_text import read_yaml
from tests.support.plans import NOW
from tests.unit.plans.test_asks import FULL

DATA: Any = read_yaml(FULL, "plan.yaml")[0]
Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


PATHS = [path for path in paths(DATA) if path]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["15m", "3wd", "same-day", "mild", "grave", "people", "today", "hurt", "answered", "first", "wait"]
    ),
    st.sampled_from(
        ["people >= 3", "today > usual", "(" * 60, "9" * 400, "a.b.c", "count(", "now >= expected_at", "not"]
    ),
)
KEYS = ["id", "zh", "en", "when", "parameter", "fact", "limit", "any"]
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "zh", "en", "when", "parameter", "fact", "limit", "any"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)


def changed(data: Any, path: Path, value: Any) -> Any:
    """A copy with one value replaced."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(data, dict):
        return {key: changed(inner, rest, value) if key == head else inner for key, inner in data.items()}
    return [changed(inner, rest, value) if index == head else inner for index, inner in enumerate(data)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=2))
def test_a_changed_plan_decides_or_is_refused_with_places(changes: list[tuple[Path, Any]]) -> None:
    data = DATA
    for path, value in changes:
        data = changed(data, path, value)
    text = json.dumps(data, ensure_ascii=False, indent=1)
    try:
        plan = CompiledPlan.of(parse_plan(text, "plan.yaml"))
    except PlanLibraryError as error:
        refused = error
    else:
        assert decides(plan)
        return
    assert refused.problems
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in refused.problems)


def decides(plan: CompiledPlan) -> bool:
    """Every accessor answers for every level."""
    facts: dict[str, Any] = {"people": 12, "hurt": True, "media": "province", "loss": 3.5, "accused": "head"}
    windows = {"today": 4, "by_person": 2, "usual": 1.5}
    plan.evaluate(facts, windows, NOW, Scope.CASE)
    plan.evaluate(plan.group_inputs((("topic", "x"),)), windows, NOW, Scope.TOPIC)
    for level in (None, *(level.id for level in plan.plan.levels)):
        plan.clocks_for(level, facts)
        plan.tiers_for(level, facts)
        plan.activation_for(level, facts)
        plan.approvals_for(level, facts)
        plan.checklist_for(level, facts)
        plan.record_for(level, facts)
        plan.opens_for(level, facts, windows)
        plan.consequences_for(level, facts, windows)
    plan.warning_ends(facts, windows)
    plan.signals_in("受伤", "not injured")
    return bool(plan.snapshot())
