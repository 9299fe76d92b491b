from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.plans.expressions import Constant, ExpressionError, Kind, Type, Vocabulary, type_condition
from shared.plans.expressions.closures import FIRST_SLOT, shift_months

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
VOCABULARY = Vocabulary(
    inputs={
        "people": Type(Kind.INT, low=0),
        "others": Type(Kind.INT),
        "rate": Type(Kind.NUMBER),
        "line": Type(Kind.ENUM, ("network", "billing")),
        "media": Type(Kind.SET, ("tv", "web")),
        "agitated": Type(Kind.BOOL),
        "expected_at": Type(Kind.INSTANT),
        "occurred_at": Type(Kind.INSTANT),
        "delay": Type(Kind.DURATION),
        "topic": Type(Kind.TEXT),
        "place.city": Type(Kind.TEXT),
    },
    constants={
        "big": Constant(Type(Kind.INT), 5),
        "lead": Constant(Type(Kind.DURATION), timedelta(hours=3)),
        "lines": Constant(Type(Kind.LIST), ("network",)),
        "wrong_lines": Constant(Type(Kind.LIST), ("terminal",)),
    },
)
SLOTS = {name: FIRST_SLOT + index for index, name in enumerate(VOCABULARY.inputs)}


def answer(text: str, now: datetime = NOW, **values: Any) -> bool | None:
    return answer_and_flips(text, now, **values)[0]


def answer_and_flips(text: str, now: datetime = NOW, **values: Any) -> tuple[bool | None, list[datetime]]:
    env: list[Any] = [now, [], *[None] * len(SLOTS)]
    for name, value in values.items():
        env[SLOTS[name.replace("__", ".")]] = value
    test = type_condition(text, VOCABULARY).compile(SLOTS, ZONE)
    return test(env), env[1]


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ExpressionError) as raised:
        type_condition(text, VOCABULARY)
    return [(problem.offset, problem.message) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("3 <= people < 5", {"people": 2}, False),
        ("3 <= people < 5", {"people": 3}, True),
        ("3 <= people < 5", {"people": 4}, True),
        ("3 <= people < 5", {"people": 5}, False),
        ("people > others", {"people": 2, "others": 1}, True),
        ("people != 3", {"people": 3}, False),
        ("5 > people", {"people": 4}, True),
        ("rate >= 0.5", {"rate": 0.5}, True),
        ("people * 2 + 1 - others > 8", {"people": 5, "others": 2}, True),
        ("-people < -3", {"people": 4}, True),
        ("line in ['network', 'billing']", {"line": "network"}, True),
        ("line not in ['network']", {"line": "network"}, False),
        ("line in lines", {"line": "network"}, True),
        ("line == 'billing'", {"line": "billing"}, True),
        ("people in [1, 2]", {"people": 2}, True),
        ("'tv' in media", {"media": frozenset({"tv"})}, True),
        ("'tv' not in media", {"media": frozenset({"tv"})}, False),
        ("count(media) >= 2", {"media": frozenset({"tv", "web"})}, True),
        ("agitated", {"agitated": True}, True),
        ("not agitated", {"agitated": True}, False),
        ("agitated == false", {"agitated": False}, True),
        ("place.city == '长春'", {"place__city": "长春"}, True),
        ("people > big", {"people": 6}, True),
        ("delay > 90s", {"delay": timedelta(minutes=2)}, True),
        ("expected_at - occurred_at > 1h", {"expected_at": NOW, "occurred_at": NOW - timedelta(hours=2)}, True),
        ("true", {}, True),
        ("known(people)", {"people": 0}, True),
        ("known(people)", {}, False),
    ],
)
def test_conditions_answer_what_they_say(text: str, values: dict[str, Any], *, expected: bool) -> None:
    assert answer(text, **values) is expected


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("people > 3", {}, None),
        ("not people > 3", {}, None),
        ("people > 3 and agitated", {"agitated": False}, False),
        ("agitated and people > 3", {"agitated": True}, None),
        ("people > 3 or agitated", {"agitated": True}, True),
        ("people > 3 or agitated", {"agitated": False}, None),
        ("people > 3 and people < 9 and agitated", {"agitated": False}, False),
        ("line in ['network']", {}, None),
        ("line not in ['network']", {}, None),
        ("'tv' in media", {}, None),
        ("'tv' not in media", {}, None),
        ("count(media) == 0", {}, None),
        ("people > others", {"people": 1}, None),
        ("people + others > 1", {"others": 1}, None),
        ("until(expected_at) <= 3h", {}, None),
        ("not known(people)", {}, True),
    ],
)
def test_what_is_not_known_is_never_true(text: str, values: dict[str, Any], *, expected: bool | None) -> None:
    assert answer(text, **values) is expected


@pytest.mark.parametrize(
    ("text", "ahead", "expected", "flips_at"),
    [
        ("until(expected_at) <= 3h", timedelta(hours=3), True, None),
        ("until(expected_at) <= 3h", timedelta(hours=4), False, NOW + timedelta(hours=1)),
        ("until(expected_at) < 3h", timedelta(hours=3), False, NOW + timedelta(microseconds=1)),
        ("until(expected_at) > 3h", timedelta(hours=4), True, NOW + timedelta(hours=1)),
        ("until(expected_at) >= 3h", timedelta(hours=3), True, NOW + timedelta(microseconds=1)),
        ("3h >= until(expected_at)", timedelta(hours=4), False, NOW + timedelta(hours=1)),
        ("until(expected_at) <= lead", timedelta(hours=4), False, NOW + timedelta(hours=1)),
        ("since(expected_at) >= 24h", -timedelta(hours=23), False, NOW + timedelta(hours=1)),
        ("since(expected_at) > 24h", -timedelta(hours=24), False, NOW + timedelta(microseconds=1)),
        ("since(expected_at) < 24h", -timedelta(hours=23), True, NOW + timedelta(hours=1)),
        ("now >= expected_at", timedelta(hours=1), False, NOW + timedelta(hours=1)),
        ("now >= expected_at - 30m", timedelta(hours=1), False, NOW + timedelta(minutes=30)),
        ("expected_at > now", timedelta(hours=1), True, NOW + timedelta(hours=1)),
    ],
)
def test_comparisons_with_time_know_when_they_change(
    text: str, ahead: timedelta, *, expected: bool, flips_at: datetime | None
) -> None:
    held, flips = answer_and_flips(text, expected_at=NOW + ahead)
    assert held is expected
    assert flips == ([] if flips_at is None else [flips_at])


def test_a_flip_is_the_very_instant_at_which_the_answer_changes() -> None:
    for text in ("until(expected_at) <= 3h", "until(expected_at) < 3h", "since(occurred_at) > 1mo"):
        values = {"expected_at": NOW + timedelta(hours=5), "occurred_at": NOW - timedelta(days=3)}
        held, (flip,) = answer_and_flips(text, **values)
        assert answer(text, now=flip - timedelta(microseconds=1), **values) is held
        assert answer(text, now=flip, **values) is not held


def test_a_settled_condition_waits_for_no_time() -> None:
    assert answer_and_flips("agitated and until(expected_at) <= 3h", agitated=False) == (False, [])


@pytest.mark.parametrize(
    ("local", "months", "expected"),
    [
        ("2026-01-31T10:00:00+08:00", 1, "2026-02-28T10:00:00+08:00"),
        ("2028-01-31T10:00:00+08:00", 1, "2028-02-29T10:00:00+08:00"),
        ("2026-03-31T00:30:00+08:00", -1, "2026-02-28T00:30:00+08:00"),
        ("2026-12-15T08:00:00+08:00", 1, "2027-01-15T08:00:00+08:00"),
    ],
)
def test_months_keep_the_local_time_and_stop_at_the_end_of_the_month(local: str, months: int, expected: str) -> None:
    assert shift_months(datetime.fromisoformat(local), months, ZONE) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("peopel > 3", 0, "'peopel' is not declared"),
        ("agitated and peopel > 3", 13, "'peopel' is not declared"),
        ("people > 'a'", 0, "have no order"),
        ("people == 'a'", 0, "never equal"),
        ("line == 'terminal'", 8, "'terminal' is none of network, billing"),
        ("line in ['network', 'terminal']", 8, "'terminal' is none of"),
        ("line in wrong_lines", 8, "'terminal' is none of"),
        ("'radio' in media", 0, "'radio' is none of tv, web"),
        ("people in media", 0, "a set holds texts"),
        ("people in ['a']", 0, "never in a list"),
        ("people in 3", 10, "'in' needs a list"),
        ("line > 'billing'", 0, "have no order"),
        ("media == media", 0, "never equal"),
        ("people", 0, "a condition is true or false"),
        ("agitated and people", 13, "a condition is true or false"),
        ("people + agitated > 3", 0, "+ takes no"),
        ("expected_at + expected_at > occurred_at", 0, "+ takes no"),
        ("until(people) < 3h", 6, "takes an instant"),
        ("until(expected_at) < 3", 21, "compared with a length"),
        ("until(expected_at) == 3h", 0, "time never stands still"),
        ("until(expected_at) < since(occurred_at)", 0, "only one side"),
        ("until(expected_at) + 1h < 3h", 0, "stands alone on one side"),
        ("now > 3h", 6, "now is compared with an instant"),
        ("now - occurred_at > 3h", 0, "now may only stand alone"),
        ("delay > 1mo", 0, "have no order"),
        ("known(3)", 0, "takes the name"),
        ("known(people, others)", 0, "exactly one name"),
        ("count(people) > 1", 0, "count() takes a set"),
        ("place.street == 'a'", 0, "place has"),
        ("place == 'a'", 0, "'place' is not declared"),
        ("people is 3", 0, "use =="),
        ("people > 3 and", 11, "not a complete condition"),
        ("people = 3", 7, "use == to compare"),
        ("people > 99999999999999999", 9, "too long"),
        ("people > 2000000000000000", 9, "too large"),
        ("people in []", 10, "the list is empty"),
        ("'长春' == place.city and nobody", 23, "'nobody' is not declared"),
        ("", 0, "empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, offset: int, words: str) -> None:
    found = problems(text)
    assert any(place == offset and words in message for place, message in found), found


def test_all_problems_of_a_condition_are_found_at_once() -> None:
    assert [place for place, _ in problems("peopel > 3 and agitatd or line == 'x'")] == [0, 15, 34]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "people.real > 3",
        "[x for x in media]",
        "(lambda: agitated)()",
        "open('x')",
        "known(*media)",
        "known(x=people)",
        "agitated if agitated else agitated",
        "(agitated := true)",
        "f'{people}' == topic",
        "b'x' == topic",
        "'a' 'b' == topic",
        "'''a''' == topic",
        "'\\x41' == topic",
        "topic == 'a\nb'",
        "people ** 9 ** 9 > 3",
        "people << 9 > 3",
        "people / 2 > 3",
        "people % 2 == 0",
        "agitated # and more",
        "agitated; agitated",
        "agitated \\\n",
        "people > 1e9",
        "people > 0x10",
        "people > 1_000",
        "people > 1j",
        "{} == topic",
        "people > ...",
        "None == topic",
        "ａgitated",
        "agitated\x00",
        "\ud800",
        "media[0] == 'tv'",
        "await agitated",
        "not " * 400 + "agitated",
        "(" * 60 + "agitated" + ")" * 60,
        "-" * 500 + "people > 3",
        " or ".join(["agitated"] * 400),
        "people > " + "9" * 1500,
        "'" + "a" * 3000 + "' == topic",
        "_0 > 3",
        ")(",
        "[",
    ],
)
def test_hostile_text_is_refused_with_a_place(text: str) -> None:
    for place, message in problems(text):
        assert 0 <= place <= max(len(text), 2000)
        assert message


def test_numbers_beyond_their_bounds_are_not_known() -> None:
    huge = 10**15
    assert answer("people * people > 3", people=huge) is None
    assert answer("rate * rate * rate * rate > 3", rate=1e300) is None
    assert answer("expected_at + delay * 900000 > occurred_at", expected_at=NOW, delay=timedelta(days=3000)) is None


def test_line_breaks_and_lengths_keep_the_places_right() -> None:
    assert problems("until(expected_at) <= 24h and\n  nobody") == [
        (32, "'nobody' is not declared: it is no fact, window, parameter or built-in name")
    ]


def test_a_condition_lists_what_it_reads_in_order() -> None:
    condition = type_condition("line in lines and people > big and known(topic) and count(media) > 0", VOCABULARY)
    assert condition.names == ("line", "lines", "people", "big", "topic", "media")
    assert condition.inputs == ("line", "people", "topic", "media")
    assert condition.parameters == {"lines", "big"}
    assert not condition.time_dependent
    assert type_condition("until(expected_at) < 3h", VOCABULARY).time_dependent
