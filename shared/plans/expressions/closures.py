"""Compiles a typed condition to closures with three-valued logic: None is "not known".

The environment is a list: slot 0 is `now`, slot 1 collects the instants at which a comparison with time changes its
answer, the rest are the inputs in the order of `Slots`. `unknown and False` is False, `unknown or True` is True, a
comparison with anything unknown is unknown.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.plans.expressions.tree import (
    Arithmetic,
    Both,
    Compare,
    Count,
    Known,
    Literal,
    Member,
    Months,
    Name,
    Node,
    Not,
    TimeCompare,
)

Environment = list[Any]
Test = Callable[[Environment], bool | None]
Read = Callable[[Environment], Any]

NOW_SLOT: Final = 0
FLIPS_SLOT: Final = 1
FIRST_SLOT: Final = 2

_LARGEST: Final = 10**18
_INSTANT_STEP: Final = timedelta(microseconds=1)


def compile_test(node: Node, slots: Mapping[str, int], zone: ZoneInfo) -> Test:  # noqa: PLR0911  # one answer a form
    """A closure that answers True, False or None and appends future flips to the environment's slot 1."""
    match node:
        case Literal(value=value):
            constant = bool(value)
            return lambda _: constant
        case Name(name=name):
            slot = slots[name]
            return lambda env: env[slot]
        case Known(name=name):
            slot = slots[name]
            return lambda env: env[slot] is not None
        case Not(item=item):
            return _negation(compile_test(item, slots, zone))
        case Both(word=word, items=items):
            tests = tuple(compile_test(item, slots, zone) for item in items)
            return _conjunction(tests) if word == "and" else _disjunction(tests)
        case Compare():
            return _comparison(node, slots, zone)
        case TimeCompare():
            return _time_comparison(node, slots, zone)
        case Member():
            return _membership(node, slots, zone)
    raise AssertionError(f"{type(node).__name__} is no condition")


def _negation(test: Test) -> Test:
    def run(env: Environment) -> bool | None:
        held = test(env)
        return None if held is None else not held

    return run


def _conjunction(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 2:  # noqa: PLR2004  # the usual case, spelt out for speed
        first, second = tests

        def both(env: Environment) -> bool | None:
            one = first(env)
            if one is False:
                return False
            two = second(env)
            if two is False:
                return False
            return None if one is None or two is None else True

        return both

    def every(env: Environment) -> bool | None:
        answer: bool | None = True
        for test in tests:
            held = test(env)
            if held is False:
                return False
            if held is None:
                answer = None
        return answer

    return every


def _disjunction(tests: tuple[Test, ...]) -> Test:
    def some(env: Environment) -> bool | None:
        answer: bool | None = False
        for test in tests:
            held = test(env)
            if held:
                return True
            if held is None:
                answer = None
        return answer

    return some


def _equal(slot: int, constant: Any) -> Test:
    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else value == constant

    return run


def _unequal(slot: int, constant: Any) -> Test:
    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else value != constant

    return run


def _less(slot: int, constant: Any) -> Test:
    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else value < constant

    return run


def _at_most(slot: int, constant: Any) -> Test:
    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else value <= constant

    return run


def _greater(slot: int, constant: Any) -> Test:
    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else value > constant

    return run


def _at_least(slot: int, constant: Any) -> Test:
    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else value >= constant

    return run


_WITH_CONSTANT: Final = {
    "==": _equal,
    "!=": _unequal,
    "<": _less,
    "<=": _at_most,
    ">": _greater,
    ">=": _at_least,
}
_MIRRORED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_GENERAL: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda one, two: one == two,
    "!=": lambda one, two: one != two,
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
}


def _comparison(node: Compare, slots: Mapping[str, int], zone: ZoneInfo) -> Test:
    match node.left, node.right:
        case Name(name=name), Literal(value=value):
            return _WITH_CONSTANT[node.operator](slots[name], value)
        case Literal(value=value), Name(name=name):
            return _WITH_CONSTANT[_MIRRORED[node.operator]](slots[name], value)
    left, right = compile_read(node.left, slots, zone), compile_read(node.right, slots, zone)
    compare = _GENERAL[node.operator]

    def run(env: Environment) -> bool | None:
        one = left(env)
        if one is None:
            return None
        two = right(env)
        return None if two is None else compare(one, two)

    return run


def _membership(node: Member, slots: Mapping[str, int], zone: ZoneInfo) -> Test:
    negated = node.negated
    item = compile_read(node.item, slots, zone)
    if isinstance(node.container, Literal) and isinstance(node.container.value, tuple):
        values = frozenset(node.container.value)
        if isinstance(node.item, Name):
            return _listed(slots[node.item.name], values, negated=negated)

        def listed(env: Environment) -> bool | None:
            value = item(env)
            return None if value is None else (value in values) is not negated

        return listed
    container = compile_read(node.container, slots, zone)

    def contained(env: Environment) -> bool | None:
        members = container(env)
        value = item(env)
        return None if members is None or value is None else (value in members) is not negated

    return contained


def _listed(slot: int, values: frozenset[Any], *, negated: bool) -> Test:
    """The usual case, `line in [network, broadband]`, without a closure for the read."""

    def run(env: Environment) -> bool | None:
        value = env[slot]
        return None if value is None else (value in values) is not negated

    return run


def _time_comparison(node: TimeCompare, slots: Mapping[str, int], zone: ZoneInfo) -> Test:
    boundary = _boundary(node, slots, zone)
    # `now >= b` and `now < b` change at b itself, `now > b` and `now <= b` just after it.
    step = _INSTANT_STEP if node.operator in {">", "<="} else timedelta()
    after = node.operator in {">", ">="}

    def run(env: Environment) -> bool | None:
        edge = boundary(env)
        if edge is None:
            return None
        edge += step
        if env[NOW_SLOT] >= edge:
            return after
        env[FLIPS_SLOT].append(edge)
        return not after

    return run


def _boundary(node: TimeCompare, slots: Mapping[str, int], zone: ZoneInfo) -> Read:
    anchor = compile_read(node.anchor, slots, zone)
    if node.shift is None:
        return anchor
    sign = -1 if node.backwards else 1
    if isinstance(node.shift, Literal) and isinstance(node.shift.value, Months):
        months = node.shift.value.count * sign

        def by_months(env: Environment) -> datetime | None:
            instant = anchor(env)
            return None if instant is None else shift_months(instant, months, zone)

        return by_months
    shift = compile_read(node.shift, slots, zone)

    def by_length(env: Environment) -> datetime | None:
        instant = anchor(env)
        length = shift(env)
        if instant is None or length is None:
            return None
        return _within_calendar(instant, length * sign)

    return by_length


def shift_months(instant: datetime, months: int, zone: tzinfo) -> datetime:
    """The same local time `months` later (or earlier), on the month's last day where the day does not exist. UTC."""
    local = instant.astimezone(zone)
    index = local.year * 12 + local.month - 1 + months
    year, month = index // 12, index % 12 + 1
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(UTC)


def _within_calendar(instant: datetime, length: timedelta) -> datetime | None:
    try:
        return instant + length
    except OverflowError:
        return None


def compile_read(node: Node, slots: Mapping[str, int], zone: ZoneInfo) -> Read:
    """A closure that answers the node's value, or None where it is not known or leaves the bounds of numbers."""
    match node:
        case Literal(value=value):
            return lambda _: value
        case Name(name=name):
            slot = slots[name]
            return lambda env: env[slot]
        case Count(name=name):
            slot = slots[name]
            return lambda env: None if env[slot] is None else len(env[slot])
        case Arithmetic():
            return _arithmetic(node, slots, zone)
    return compile_test(node, slots, zone)


_CALCULATE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": lambda one, two: one + two,
    "-": lambda one, two: one - two,
    "*": lambda one, two: one * two,
}


def _arithmetic(node: Arithmetic, slots: Mapping[str, int], zone: ZoneInfo) -> Read:
    left, right = compile_read(node.left, slots, zone), compile_read(node.right, slots, zone)
    calculate = _CALCULATE[node.operator]

    def run(env: Environment) -> Any:
        one, two = left(env), right(env)
        if one is None or two is None:
            return None
        try:
            result = calculate(one, two)
        except OverflowError:
            return None
        if isinstance(result, int | float) and not -_LARGEST <= result <= _LARGEST:
            return None
        return result

    return run
