"""A condition after it was understood: typed nodes, nothing left to go wrong when it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal as OneOf


class Kind(StrEnum):
    """What a value is. Months have no fixed length, so they are kept apart from other lengths of time."""

    BOOL = "yes/no"
    INT = "whole number"
    NUMBER = "number"
    TEXT = "text"
    ENUM = "listed value"
    SET = "set"
    INSTANT = "instant"
    DURATION = "length of time"
    MONTHS = "months"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Type:
    """A kind, with the members of an enum, set or list of texts and the known bounds of a whole number."""

    kind: Kind
    members: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Months:
    """Calendar months: counted in the plan's time zone, the day clamped to the month's end."""

    count: int


Scalar = bool | int | float | str
Value = Scalar | timedelta | Months | datetime | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A parameter's value: known when the plan is compiled."""

    type: Type
    value: Value


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every name a condition may read: typed inputs and parameters."""

    inputs: Mapping[str, Type]
    constants: Mapping[str, Constant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out, or a parameter's when `name` is given."""

    type: Type
    value: Value
    offset: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    type: Type
    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"
    offset: int


@dataclass(frozen=True, slots=True)
class Both:
    """`and` over all items, or `or`."""

    word: OneOf["and", "or"]
    items: "tuple[Node, ...]"
    offset: int


Operator = OneOf["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare:
    """Neither side depends on the passing of time."""

    left: "Node"
    operator: Operator
    right: "Node"
    offset: int


@dataclass(frozen=True, slots=True)
class TimeCompare:
    """`now operator anchor + shift`: every comparison with since, until or now comes down to this."""

    operator: OneOf["<", "<=", ">", ">="]
    anchor: "Node"
    shift: "Node | None"
    backwards: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Member:
    """`item in these`, or `item in a set fact`."""

    item: "Node"
    container: "Node"
    negated: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    type: Type
    operator: OneOf["+", "-", "*"]
    left: "Node"
    right: "Node"
    offset: int


@dataclass(frozen=True, slots=True)
class Known:
    """Whether an input is known; itself never unknown."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many members a set fact holds."""

    name: str
    offset: int


Node = Literal | Name | Not | Both | Compare | TimeCompare | Member | Arithmetic | Known | Count


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match node:
        case Not(item=item):
            return (item,)
        case Both(items=items):
            return items
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case TimeCompare(anchor=anchor, shift=shift):
            return (anchor,) if shift is None else (anchor, shift)
        case Member(item=item, container=container):
            return (item, container)
        case _:
            return ()
