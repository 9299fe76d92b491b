from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.plans.facts import FactProblem, FactSpec, FactType, fact_problem
from shared.plans.limits import Limit, LimitBase, parse_elapsed, parse_limit, parse_threshold


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("20s", Limit(LimitBase.ELAPSED, 20)),
        ("15m", Limit(LimitBase.ELAPSED, 900)),
        ("1h30m", Limit(LimitBase.ELAPSED, 5400)),
        ("1d", Limit(LimitBase.ELAPSED, 86_400)),
        ("2w", Limit(LimitBase.ELAPSED, 1_209_600)),
        ("4wh", Limit(LimitBase.WORKING_TIME, 14_400)),
        ("15wd", Limit(LimitBase.WORKING_DAYS, 15)),
        ("1mo", Limit(LimitBase.MONTHS, 1)),
    ],
)
def test_limits_keep_their_base(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("90m", "1h30m"), ("36h", "1d12h"), ("1w", "7d"), ("20s", "20s"), ("4wh", "4wh"), ("15wd", "15wd"),
        ("2cd", "2cd"), ("same-day", "same-day"), ("1mo", "1mo"),
    ],
)  # fmt: skip
def test_a_limit_is_written_as_a_plan_would(text: str, plain: str) -> None:
    assert parse_limit(text).text == plain
    assert parse_limit(plain) == parse_limit(text)


@pytest.mark.parametrize(
    "text",
    ["", "0s", "0wd", "3", "h", "-1h", "1.5h", "1 h", "15WD", "1h30", "9999999d", "999999wd", "999mo", "１h", "wd"],
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_limit(text)


def test_warnings_count_from_the_start_of_the_clock() -> None:
    limit = timedelta(hours=2)
    assert parse_threshold("80%").offset(limit) == timedelta(minutes=96)
    assert parse_threshold("-10m").offset(limit) == timedelta(minutes=110)
    assert parse_threshold("-3h").offset(limit) == timedelta()


@pytest.mark.parametrize("text", ["", "0%", "100%", "50", "10m", "-", "-0.5h", "5 %"])
def test_what_is_no_warning_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_threshold(text)


def test_a_length_is_bounded() -> None:
    assert parse_elapsed("3660d") == timedelta(days=3660)
    with pytest.raises(ValueError, match="longer than"):
        parse_elapsed("3661d")


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("bool", FactType.BOOL),
        ({"bool": {}}, FactType.BOOL),
        ({"int": None}, FactType.INT),
        ({"int": {"min": 0, "max": 9}}, FactType.INT),
        ({"number": {"min": 0.5}}, FactType.NUMBER),
        ({"enum": ["a", "b"], "zh": "甲", "en": "A"}, FactType.ENUM),
        ({"set": ["a"]}, FactType.SET),
        ("instant", FactType.INSTANT),
        ("duration", FactType.DURATION),
        ("text", FactType.TEXT),
    ],
)
def test_facts_are_written_short_or_long(written: object, type_: FactType) -> None:
    spec = FactSpec.model_validate(written)
    assert spec.type is type_
    assert FactSpec.model_validate_json(spec.model_dump_json(by_alias=True, exclude_defaults=True)) == spec


@pytest.mark.parametrize(
    "written",
    [
        "integer",
        "enum",
        {},
        {"int": {}, "bool": {}},
        {"int": {"min": 3, "max": 2}},
        {"int": {"min": 1.5}},
        {"enum": []},
        {"enum": ["a", "a"]},
        {"enum": ["it's"]},
        {"bool": {}, "zh": "甲"},
        {"bool": {}, "label": "x"},
        3,
    ],
)
def test_what_is_no_fact_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        FactSpec.model_validate(written)


def problem_of(spec: FactSpec, value: Any) -> FactProblem | None:
    return fact_problem("f", spec, value)


@pytest.mark.parametrize(
    ("written", "good", "bad"),
    [
        ("bool", [True, False], [1, "true", 0.0]),
        ({"int": {"min": 0, "max": 9}}, [0, 9], [-1, 10, True, 1.0, "3"]),
        ("int", [10**15, -(10**15)], [10**15 + 1]),
        ({"number": {"max": 1}}, [1, 0.5], [1.01, float("nan"), float("inf"), True]),
        ("text", ["", "x"], [3, ["x"]]),
        ({"enum": ["a"]}, ["a"], ["b", "", 3]),
        ({"set": ["a", "b"]}, [[], ["a"], ["b", "a"]], [["c"], "a", ["a", "c"]]),
        (
            "instant",
            ["2026-03-02T09:00:00Z", "2026-03-02T09:00:00+08:00"],
            ["2026-03-02", "x", 3, "1969-12-31T00:00:00Z"],
        ),
        ("duration", ["90s", "1h30m"], ["1mo", 90, "x"]),
    ],
)
def test_values_fit_or_are_named(written: object, good: list[object], bad: list[object]) -> None:
    spec = FactSpec.model_validate(written)
    assert [value for value in good if problem_of(spec, value)] == []
    for value in bad:
        problem = problem_of(spec, value)
        assert problem is not None
        assert problem.message.startswith("fact 'f' must be ")


def test_a_long_wrong_value_is_shown_shortened() -> None:
    problem = fact_problem("f", FactSpec.model_validate("int"), "x" * 5000)
    assert problem is not None
    assert len(problem.message) < 120
