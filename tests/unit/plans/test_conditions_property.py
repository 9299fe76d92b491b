"""The compiled closures against an interpreter that knows nothing of them: it walks the generated tree itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.plans.expressions import Kind, Type, Vocabulary, type_condition
from shared.plans.expressions.closures import FIRST_SLOT

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MEMBERS = ("a", "b", "c")
VOCABULARY = Vocabulary(
    inputs={
        "n": Type(Kind.INT),
        "m": Type(Kind.INT),
        "flag": Type(Kind.BOOL),
        "word": Type(Kind.ENUM, MEMBERS),
        "bag": Type(Kind.SET, MEMBERS),
        "at": Type(Kind.INSTANT),
    }
)
SLOTS = {name: FIRST_SLOT + index for index, name in enumerate(VOCABULARY.inputs)}
Values = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A condition's text with what it means."""

    text: str
    meaning: Callable[[Values, datetime], bool | None]


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda one, two: one == two,
    "!=": lambda one, two: one != two,
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
}
ORDERS = [sign for sign in COMPARE if sign not in {"==", "!="}]


def of(name: str, then: Callable[[Any], bool]) -> Callable[[Values, datetime], bool | None]:
    return lambda values, _: None if values[name] is None else then(values[name])


numbers = st.integers(-5, 5)
signs = st.sampled_from(sorted(COMPARE))
members = st.sampled_from(MEMBERS)


@st.composite
def bounds(draw: st.DrawFn) -> Written:
    sign, bound = draw(signs), draw(numbers)
    if draw(st.booleans()):
        return Written(f"n {sign} {bound}", of("n", lambda n: COMPARE[sign](n, bound)))
    return Written(f"{bound} {sign} n", of("n", lambda n: COMPARE[sign](bound, n)))


@st.composite
def bands(draw: st.DrawFn) -> Written:
    low, high = draw(numbers), draw(numbers)
    return Written(f"{low} <= n < {high}", of("n", lambda n: low <= n < high))


@st.composite
def sums(draw: st.DrawFn) -> Written:
    sign, factor, bound = draw(signs), draw(numbers), draw(numbers)

    def meaning(values: Values, _: datetime) -> bool | None:
        if values["n"] is None or values["m"] is None:
            return None
        return COMPARE[sign](values["n"] * factor + values["m"], bound - values["n"])

    return Written(f"n * {factor} + m {sign} {bound} - n", meaning)


@st.composite
def lists(draw: st.DrawFn) -> Written:
    wanted, negated = draw(st.lists(members, min_size=1, max_size=3)), draw(st.booleans())
    text = f"word {'not in' if negated else 'in'} {wanted!r}"
    return Written(text, of("word", lambda word: (word in wanted) is not negated))


@st.composite
def sets(draw: st.DrawFn) -> Written:
    member, least = draw(members), draw(st.integers(0, 3))
    if draw(st.booleans()):
        return Written(f"'{member}' in bag", of("bag", lambda bag: member in bag))
    return Written(f"count(bag) >= {least}", of("bag", lambda bag: len(bag) >= least))


@st.composite
def lead_times(draw: st.DrawFn) -> Written:
    sign, hours, word = (
        draw(st.sampled_from(ORDERS)),
        draw(st.integers(0, 6)),
        draw(st.sampled_from(["since", "until"])),
    )

    def meaning(values: Values, now: datetime) -> bool | None:
        if values["at"] is None:
            return None
        length = values["at"] - now if word == "until" else now - values["at"]
        return COMPARE[sign](length, timedelta(hours=hours))

    return Written(f"{word}(at) {sign} {hours}h", meaning)


names = st.sampled_from(sorted(VOCABULARY.inputs))
leaves = st.one_of(
    st.just(Written("flag", of("flag", bool))),
    names.map(lambda name: Written(f"known({name})", lambda values, _: values[name] is not None)),
    bounds(),
    bands(),
    sums(),
    lists(),
    sets(),
    lead_times(),
)

RANK = {False: 0, None: 1, True: 2}
BACK = {0: False, 1: None, 2: True}


def negation(item: Written) -> Written:
    return Written(f"not ({item.text})", lambda values, now: BACK[2 - RANK[item.meaning(values, now)]])


def conjunction(items: list[Written]) -> Written:
    text = " and ".join(f"({item.text})" for item in items)
    return Written(text, lambda values, now: BACK[min(RANK[item.meaning(values, now)] for item in items)])


def disjunction(items: list[Written]) -> Written:
    text = " or ".join(f"({item.text})" for item in items)
    return Written(text, lambda values, now: BACK[max(RANK[item.meaning(values, now)] for item in items)])


conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(negation),
        st.lists(inner, min_size=2, max_size=4).map(conjunction),
        st.lists(inner, min_size=2, max_size=4).map(disjunction),
    ),
    max_leaves=10,
)
inputs = st.fixed_dictionaries(
    {
        "n": st.none() | numbers,
        "m": st.none() | numbers,
        "flag": st.none() | st.booleans(),
        "word": st.none() | members,
        "bag": st.none() | st.frozensets(members),
        "at": st.none() | st.integers(-8, 8).map(lambda hours: NOW + timedelta(hours=hours)),
    }
)


def run(condition: Written, values: Values, now: datetime) -> tuple[bool | None, list[datetime]]:
    test = type_condition(condition.text, VOCABULARY).compile(SLOTS, ZoneInfo("Asia/Shanghai"))
    env: list[Any] = [now, [], *(values[name] for name in SLOTS)]
    return test(env), env[1]


@settings(max_examples=700, deadline=None)
@given(condition=conditions, values=inputs)
def test_compiled_conditions_agree_with_a_naive_interpreter(condition: Written, values: Values) -> None:
    assert run(condition, values, NOW)[0] is condition.meaning(values, NOW), condition.text


@settings(max_examples=400, deadline=None)
@given(condition=conditions, values=inputs, share=st.floats(0, 1))
def test_no_answer_changes_before_the_first_announced_flip(condition: Written, values: Values, share: float) -> None:
    held, flips = run(condition, values, NOW)
    until = min(flips, default=NOW + timedelta(days=2)) - timedelta(microseconds=1)
    later = NOW + (until - NOW) * share
    assert all(flip > NOW for flip in flips)
    assert condition.meaning(values, later) is held, (condition.text, later)
