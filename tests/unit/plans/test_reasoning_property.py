"""What the lint claims to have proved about conditions, against what the compiled conditions answer."""

from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.plans.expressions import Kind, Type, Vocabulary, type_amount, type_condition
from shared.plans.expressions.closures import FIRST_SLOT
from shared.plans.expressions.source import ExpressionError
from shared.plans.lint_bands import band_problems
from shared.plans.reasoning import can_hold, forms_of, implies
from tests.support.plans import NOW

MEMBERS = ("a", "b", "c")
VOCABULARY = Vocabulary(
    inputs={
        "n": Type(Kind.INT, low=-3, high=9),
        "x": Type(Kind.NUMBER),
        "flag": Type(Kind.BOOL),
        "word": Type(Kind.ENUM, MEMBERS),
        "bag": Type(Kind.SET, MEMBERS),
    }
)
SLOTS = {name: FIRST_SLOT + index for index, name in enumerate(VOCABULARY.inputs)}
ZONE = ZoneInfo("Asia/Shanghai")

LEAVES = st.one_of(
    st.builds("n {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-2, 6)),
    st.builds("x {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-2, 3)),
    st.builds("word {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(MEMBERS)),
    st.builds("word {} ['{}', 'c']".format, st.sampled_from(["in", "not in"]), st.sampled_from(["a", "b"])),
    st.builds("'{}' {} bag".format, st.sampled_from(MEMBERS), st.sampled_from(["in", "not in"])),
    st.builds("known({})".format, st.sampled_from(["n", "flag", "word"])),
    st.just("flag"),
    st.just("n + 1 > x"),
    st.just("count(bag) >= 2"),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=5,
)
GIVEN = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-3, 9),
        "x": st.none() | st.integers(-3, 4) | st.floats(-3, 4),
        "flag": st.none() | st.booleans(),
        "word": st.none() | st.sampled_from(MEMBERS),
        "bag": st.none() | st.frozensets(st.sampled_from(MEMBERS)),
    }
)


def answers(text: str, values: dict[str, Any]) -> bool | None:
    env: list[Any] = [NOW, [], *(values[name] for name in SLOTS)]
    return type_condition(text, VOCABULARY).compile(SLOTS, ZONE)(env)


@settings(max_examples=600, deadline=None)
@given(CONDITIONS, CONDITIONS, st.lists(GIVEN, min_size=5, max_size=12))
def test_what_is_implied_holds_whenever_the_other_does(
    one: str, other: str, given_values: list[dict[str, Any]]
) -> None:
    first, second = (type_condition(text, VOCABULARY).tree for text in (one, other))
    if implies(forms_of(first), forms_of(second)):
        assert all(answers(other, values) is True for values in given_values if answers(one, values))
    if not can_hold(first):
        assert all(answers(one, values) is not True for values in given_values)


@pytest.mark.parametrize(
    ("one", "other", "proved"),
    [
        ("n >= 5", "n >= 3", True),
        ("n >= 3", "n >= 5", False),
        ("n > 2", "n >= 3", True),
        ("n >= 5 and flag", "n >= 3", True),
        ("n >= 5", "n >= 3 and flag", False),
        ("n >= 5", "n >= 3 or flag", False),
        ("n >= 5 and known(flag)", "n >= 3 or flag", True),
        ("word == 'a'", "word in ['a', 'b']", True),
        ("word != 'c'", "word in ['a', 'b']", True),
        ("n >= 5 or n <= 0", "n >= 5 or n < 1", True),
        ("3 <= n < 5", "n in [3, 4]", True),
        ("x > 1", "x >= 1", True),
        ("x >= 1", "x > 1", False),
        ("n + 1 > x", "n + 1 > x", False),
    ],
)
def test_what_can_be_proved(one: str, other: str, *, proved: bool) -> None:
    first, second = (forms_of(type_condition(text, VOCABULARY).tree) for text in (one, other))
    assert implies(first, second) is proved


@given(st.lists(st.integers(-2, 8), min_size=2, max_size=5, unique=True), st.data())
def test_bands_that_meet_are_sound_and_a_missing_one_is_a_gap(cuts: list[int], data: st.DataObject) -> None:
    cuts.sort()
    bands = [f"{low} <= n < {high}" for low, high in pairwise(cuts)] + [f"n >= {cuts[-1]}"]
    levels = [f"l{index}" for index in range(len(bands))]

    def problems(left_out: int | None) -> list[str]:
        kept = [(index, text) for index, text in enumerate(bands) if index != left_out]
        typed = [(index, levels[index], type_condition(text, VOCABULARY).tree) for index, text in kept]
        return [message for _, message in band_problems(levels, typed)]

    assert problems(None) == []
    inner = range(1, len(bands) - 1)
    if inner:
        left_out = data.draw(st.sampled_from(inner))
        low, high = cuts[left_out], cuts[left_out + 1] - 1
        shown = str(low) if low == high else f"{low} to {high}"
        assert problems(left_out) == [f"a gap: no level for n of {shown}"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200 + "n" + ")" * 200,
        "n + " * 600 + "n",
        "9" * 30 + " * n",
        "n ** 2",
        "__import__('os')",
        "n if flag else 1",
        "'a'",
    ],
)
def test_a_hostile_amount_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        type_amount(text, VOCABULARY)


def test_an_amount_beyond_all_bounds_is_not_known() -> None:
    amount = type_amount("n * n * n * 999999999999999 * 999999999999999", VOCABULARY).compile(SLOTS, ZONE)
    assert amount([NOW, [], 9, None, None, None, None]) is None
    assert amount([NOW, [], 0, None, None, None, None]) == 0
    assert amount([NOW, [], None, None, None, None, None]) is None
