"""Types a condition against the names a plan declares. What passes cannot fail when it runs."""

import ast
from datetime import timedelta
from typing import Final
from typing import Literal as OneOf

from shared.plans.expressions.source import ExpressionError, Problem, Source, read_source
from shared.plans.expressions.tree import (
    Arithmetic,
    Both,
    Compare,
    Count,
    Kind,
    Known,
    Literal,
    Member,
    Months,
    Name,
    Node,
    Not,
    Operator,
    TimeCompare,
    Type,
    Vocabulary,
)
from shared.plans.limits import MAX_MONTHS, parse_elapsed

MAX_DEPTH: Final = 30
MAX_LITERAL: Final = 10**15
NOW: Final = "now"

_NUMERIC: Final = frozenset({Kind.INT, Kind.NUMBER})
_ORDERED: Final = _NUMERIC | {Kind.INSTANT, Kind.DURATION}
_LITERAL_WORDS: Final = {"true": True, "false": False}
_PLACES: Final = frozenset({"city", "province", "district", "site"})
_OPERATORS: Final[dict[type[ast.cmpop], Operator]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_MIRRORED: Final[dict[Operator, Operator]] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC: Final[dict[type[ast.operator], OneOf["+", "-", "*"]]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_BOOL: Final = Type(Kind.BOOL)
_INT: Final = Type(Kind.INT)

_TimeSide = tuple[OneOf["since", "until", "now"], Node | None]


class _RefusedError(Exception):
    """Stops the analysis of one branch; the problem is already noted."""


def analyse(text: str, vocabulary: Vocabulary) -> Node:
    """The typed tree of a condition. Raises ExpressionError with every problem and its place."""
    return _Analysis(read_source(text), vocabulary).condition()


def analyse_amount(text: str, vocabulary: Vocabulary) -> Node:
    """The typed tree of a calculation of a number. Raises ExpressionError with every problem and its place."""
    return _Analysis(read_source(text), vocabulary).amount()


class _Analysis:
    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self._source = source
        self._vocabulary = vocabulary
        self._problems: list[Problem] = []

    def condition(self) -> Node:
        node = self._attempt_truth(self._source.tree, 0)
        if node is None:
            raise ExpressionError(tuple(self._problems))
        return node

    def amount(self) -> Node:
        try:
            node = self._value(self._source.tree, 0)
            if _type_of(node).kind not in {Kind.INT, Kind.NUMBER}:
                raise self._refuse(self._source.tree, f"an amount is a number, but this is a {_type_of(node).kind}")
        except _RefusedError as error:
            raise ExpressionError(tuple(self._problems)) from error
        return node

    def _refuse(self, at: ast.AST, message: str) -> _RefusedError:
        self._problems.append(Problem(self._source.offset(at), message))
        return _RefusedError()

    def _attempt_truth(self, node: ast.expr, depth: int) -> Node | None:
        try:
            return self._truth(node, depth)
        except _RefusedError:
            return None

    def _truth(self, node: ast.expr, depth: int) -> Node:
        """A node that is true, false or not known."""
        if depth > MAX_DEPTH:
            raise self._refuse(node, "the condition is nested too deeply")
        match node:
            case ast.BoolOp(op=op, values=values):
                items = [self._attempt_truth(value, depth + 1) for value in values]
                whole = tuple(item for item in items if item is not None)
                if len(whole) != len(items):
                    raise _RefusedError
                return Both("and" if isinstance(op, ast.And) else "or", whole, self._source.offset(node))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self._truth(operand, depth + 1), self._source.offset(node))
            case ast.Compare():
                return self._comparison(node, depth)
        value = self._value(node, depth)
        if _type_of(value).kind is not Kind.BOOL:
            raise self._refuse(node, f"a condition is true or false, but this is a {_type_of(value).kind}")
        return value

    def _comparison(self, node: ast.Compare, depth: int) -> Node:
        sides = [node.left, *node.comparators]
        pairs: list[Node] = []
        failed = False
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            try:
                pairs.append(self._pair(left, op, right, depth + 1))
            except _RefusedError:
                failed = True
        if failed:
            raise _RefusedError
        return pairs[0] if len(pairs) == 1 else Both("and", tuple(pairs), self._source.offset(node))

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> Node:
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(left, right, negated=isinstance(op, ast.NotIn), depth=depth)
        operator = _OPERATORS.get(type(op))
        if operator is None:
            raise self._refuse(left, "'is' is not part of the language: use ==")
        left_time, right_time = self._time_side(left, depth), self._time_side(right, depth)
        if left_time is not None and right_time is not None:
            raise self._refuse(left, "only one side of a comparison may move with time")
        if left_time is not None:
            return self._time_comparison(left_time, operator, right, left, depth)
        if right_time is not None:
            return self._time_comparison(right_time, _MIRRORED[operator], left, right, depth)
        return self._plain_comparison(left, operator, right, depth)

    def _plain_comparison(self, left: ast.expr, operator: Operator, right: ast.expr, depth: int) -> Node:
        first, second = self._value(left, depth), self._value(right, depth)
        one, two = _type_of(first), _type_of(second)
        if operator in {"==", "!="}:
            if not _comparable(one, two):
                raise self._refuse(left, f"a {one.kind} is never equal to a {two.kind}")
            self._check_member(first, two, left)
            self._check_member(second, one, right)
        elif one.kind not in _ORDERED or two.kind not in _ORDERED or not _comparable(one, two):
            raise self._refuse(left, f"a {one.kind} and a {two.kind} have no order: {operator} cannot compare them")
        return Compare(first, operator, second, self._source.offset(left))

    def _check_member(self, item: Node, container: Type, at: ast.expr) -> None:
        """A written text compared with an enum must be one of its values."""
        if not container.members or not isinstance(item, Literal) or not isinstance(item.value, str):
            return
        if item.value not in container.members:
            raise self._refuse(at, f"'{item.value[:60]}' is none of {', '.join(container.members)}")

    def _time_side(self, node: ast.expr, depth: int) -> _TimeSide | None:
        match node:
            case ast.Name(id="now"):
                return "now", None
            case ast.Call(func=ast.Name(id="since" | "until" as word), args=[argument], keywords=[]):
                instant = self._value(argument, depth + 1)
                if _type_of(instant).kind is not Kind.INSTANT:
                    raise self._refuse(argument, f"{word}() takes an instant, not a {_type_of(instant).kind}")
                return ("since" if word == "since" else "until"), instant
        return None

    def _time_comparison(self, side: _TimeSide, operator: Operator, other: ast.expr, at: ast.expr, depth: int) -> Node:
        word, instant = side
        if operator == "==" or operator == "!=":  # noqa: PLR1714  # narrows the type for the checker
            raise self._refuse(at, "time never stands still at an exact value: use <, <=, > or >=")
        bound = self._value(other, depth)
        kind = _type_of(bound).kind
        offset = self._source.offset(at)
        if instant is None:
            if kind is not Kind.INSTANT:
                raise self._refuse(other, f"now is compared with an instant, not a {kind}")
            return TimeCompare(operator, bound, None, backwards=False, offset=offset)
        if kind not in {Kind.DURATION, Kind.MONTHS}:
            raise self._refuse(other, f"{word}() is compared with a length such as 3h, not a {kind}")
        if word == "since":
            return TimeCompare(operator, instant, bound, backwards=False, offset=offset)
        mirrored = _MIRRORED[operator]
        if mirrored == "==" or mirrored == "!=":  # noqa: PLR1714  # narrows the type for the checker
            raise _RefusedError
        return TimeCompare(mirrored, instant, bound, backwards=True, offset=offset)

    def _membership(self, left: ast.expr, right: ast.expr, *, negated: bool, depth: int) -> Node:
        item, container = self._value(left, depth), self._value(right, depth)
        inner, outer = _type_of(item), _type_of(container)
        if outer.kind is Kind.SET:
            if inner.kind not in {Kind.TEXT, Kind.ENUM}:
                raise self._refuse(left, f"a set holds texts, not a {inner.kind}")
            self._check_member(item, outer, left)
        elif outer.kind is Kind.LIST and isinstance(container, Literal) and isinstance(container.value, tuple):
            self._check_list(inner, container.value, left, right)
        else:
            raise self._refuse(right, f"'in' needs a list such as ['a', 'b'] or a set, not a {outer.kind}")
        return Member(item, container, negated, self._source.offset(left))

    def _check_list(self, inner: Type, values: tuple[object, ...], left: ast.expr, right: ast.expr) -> None:
        for value in values:
            fits = (
                isinstance(value, str)
                if inner.kind in {Kind.TEXT, Kind.ENUM}
                else inner.kind in _NUMERIC and not isinstance(value, str | bool)
            )
            if not fits:
                raise self._refuse(left, f"a {inner.kind} is never in a list that holds {value!r}")
            if inner.members and value not in inner.members:
                raise self._refuse(right, f"'{value}' is none of {', '.join(inner.members)}")

    def _value(self, node: ast.expr, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._refuse(node, "the condition is nested too deeply")
        leaf = self._leaf(node)
        if leaf is not None:
            return leaf
        match node:
            case ast.List(elts=items):
                return self._list(node, items, depth)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._negative(node, operand, depth)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._arithmetic(node, left, _ARITHMETIC[type(op)], right, depth)
            case ast.Call():
                return self._call(node)
            case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return self._truth(node, depth + 1)
        raise self._refuse(node, "this form is not part of the language")

    def _leaf(self, node: ast.expr) -> Node | None:
        """A value written out or a name; None for anything that has parts."""
        match node:
            case ast.Constant(value=value):
                return self._literal(node, value)
            case ast.Name(id=name) if name in self._source.lengths:
                return self._length(node, self._source.lengths[name])
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.Attribute(value=ast.Name(id="place"), attr=part):
                if part not in _PLACES:
                    raise self._refuse(node, f"place has {', '.join(sorted(_PLACES))}, not '{part[:40]}'")
                return self._name(node, f"place.{part}")
        return None

    def _literal(self, node: ast.expr, value: object) -> Node:
        offset = self._source.offset(node)
        if isinstance(value, bool):
            return Literal(_BOOL, value, offset)
        if isinstance(value, int | float):
            if abs(value) > MAX_LITERAL:
                raise self._refuse(node, "the number is too large")
            return Literal(Type(Kind.INT if isinstance(value, int) else Kind.NUMBER), value, offset)
        if isinstance(value, str):
            return Literal(Type(Kind.TEXT), value, offset)
        raise self._refuse(node, "this value is not part of the language")

    def _length(self, node: ast.expr, text: str) -> Node:
        offset = self._source.offset(node)
        if text.endswith("mo"):
            count = int(text[:-2])
            if count > MAX_MONTHS:
                raise self._refuse(node, f"'{text}' is too long")
            return Literal(Type(Kind.MONTHS), Months(count), offset)
        try:
            return Literal(Type(Kind.DURATION), parse_elapsed(text), offset)
        except ValueError as error:
            raise self._refuse(node, str(error)) from error

    def _name(self, node: ast.expr, name: str) -> Node:
        offset = self._source.offset(node)
        if name in _LITERAL_WORDS:
            return Literal(_BOOL, _LITERAL_WORDS[name], offset)
        constant = self._vocabulary.constants.get(name)
        if constant is not None:
            return Literal(constant.type, constant.value, offset, name)
        declared = self._vocabulary.inputs.get(name)
        if declared is not None:
            return Name(declared, name, offset)
        if name == NOW:
            raise self._refuse(node, "now may only stand alone on one side of <, <=, > or >=; see since() and until()")
        raise self._refuse(node, f"'{name[:60]}' is not declared: it is no fact, window, parameter or built-in name")

    def _list(self, node: ast.expr, items: list[ast.expr], depth: int) -> Node:
        values: list[bool | int | float | str] = []
        for item in items:
            value = self._value(item, depth + 1)
            if not isinstance(value, Literal) or not isinstance(value.value, int | float | str):
                raise self._refuse(item, "a list holds numbers or texts written out")
            values.append(value.value)
        if not values:
            raise self._refuse(node, "the list is empty")
        return Literal(Type(Kind.LIST), tuple(values), self._source.offset(node))

    def _negative(self, node: ast.expr, operand: ast.expr, depth: int) -> Node:
        item = self._value(operand, depth + 1)
        kind = _type_of(item).kind
        if kind not in _NUMERIC | {Kind.DURATION}:
            raise self._refuse(node, f"a {kind} has no negative")
        offset = self._source.offset(node)
        if isinstance(item, Literal) and isinstance(item.value, int | float | timedelta):
            return Literal(item.type, -item.value, offset, item.name)
        zero = Literal(Type(kind), timedelta() if kind is Kind.DURATION else 0, offset)
        return Arithmetic(Type(kind), "-", zero, item, offset)

    def _arithmetic(
        self, node: ast.expr, left: ast.expr, operator: OneOf["+", "-", "*"], right: ast.expr, depth: int
    ) -> Node:
        first, second = self._value(left, depth + 1), self._value(right, depth + 1)
        kind = _result(_type_of(first).kind, operator, _type_of(second).kind)
        if kind is None:
            raise self._refuse(node, f"{operator} takes no {_type_of(first).kind} with a {_type_of(second).kind}")
        return Arithmetic(Type(kind), operator, first, second, self._source.offset(node))

    def _call(self, node: ast.Call) -> Node:
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word in {"since", "until"}:
            raise self._refuse(
                node, f"{word}(instant) stands alone on one side of <, <=, > or >=, as in {word}(x) <= 3h"
            )
        if word not in {"known", "count"}:
            raise self._refuse(node, "the functions are since, until, known and count")
        if len(node.args) != 1 or node.keywords:
            raise self._refuse(node, f"{word}() takes exactly one name")
        argument = self._value(node.args[0], MAX_DEPTH - 1)
        if not isinstance(argument, Name):
            raise self._refuse(node, f"{word}() takes the name of a fact, window or built-in")
        if word == "known":
            return Known(argument.name, self._source.offset(node))
        if argument.type.kind is not Kind.SET:
            raise self._refuse(node, f"count() takes a set, not a {argument.type.kind}")
        return Count(argument.name, self._source.offset(node))


def _type_of(node: Node) -> Type:
    if isinstance(node, Literal | Name | Arithmetic):
        return node.type
    return _INT if isinstance(node, Count) else _BOOL


def _comparable(one: Type, two: Type) -> bool:
    kinds = {one.kind, two.kind}
    if kinds <= _NUMERIC or kinds == {Kind.TEXT, Kind.ENUM}:
        return True
    return len(kinds) == 1 and not kinds & {Kind.SET, Kind.LIST, Kind.MONTHS}


def _result(one: Kind, operator: str, two: Kind) -> Kind | None:
    if {one, two} <= _NUMERIC:
        return Kind.INT if one is two is Kind.INT else Kind.NUMBER
    if operator == "*":
        return Kind.DURATION if Kind.DURATION in {one, two} and {one, two} & _NUMERIC else None
    if one is two is Kind.DURATION:
        return Kind.DURATION
    if one is Kind.INSTANT and two is Kind.DURATION:
        return Kind.INSTANT
    return Kind.DURATION if operator == "-" and one is two is Kind.INSTANT else None
