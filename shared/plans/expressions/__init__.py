"""The small language of conditions: parsed by Python's own parser, typed, three-valued, bounded, compiled to closures.

Nothing in a condition can call, loop, allocate without bound or read anything but the declared names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shared.plans.expressions.analysis import analyse, analyse_amount
from shared.plans.expressions.closures import Environment, Read, Test, compile_read, compile_test
from shared.plans.expressions.source import ExpressionError, Problem
from shared.plans.expressions.tree import (
    Constant,
    Count,
    Kind,
    Known,
    Literal,
    Months,
    Name,
    Node,
    TimeCompare,
    Type,
    Value,
    Vocabulary,
    children,
)


@dataclass(frozen=True, slots=True)
class TypedCondition:
    """A condition that passed the types. `names`: what it reads, in order of first appearance, parameters included."""

    text: str
    tree: Node
    names: tuple[str, ...]
    parameters: frozenset[str]
    time_dependent: bool

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names without parameters."""
        return tuple(name for name in self.names if name not in self.parameters)

    def compile(self, slots: Mapping[str, int], zone: ZoneInfo) -> Test:
        """A closure over an environment laid out by `slots`. Answers True, False or None: not known."""
        return compile_test(self.tree, slots, zone)


@dataclass(frozen=True, slots=True)
class TypedAmount:
    """A calculation that passed the types: its value is a number."""

    text: str
    tree: Node
    names: tuple[str, ...]
    parameters: frozenset[str]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names without parameters."""
        return tuple(name for name in self.names if name not in self.parameters)

    def compile(self, slots: Mapping[str, int], zone: ZoneInfo) -> Read:
        """A closure over an environment laid out by `slots`. Answers a number, or None: not known or beyond 10¹⁸."""
        return compile_read(self.tree, slots, zone)


def type_condition(text: str, vocabulary: Vocabulary) -> TypedCondition:
    """The condition, typed against the declared names. Raises ExpressionError with every problem and its place."""
    tree = analyse(text, vocabulary)
    names, parameters, moves = _reads(tree)
    return TypedCondition(text, tree, names, parameters, moves)


def type_amount(text: str, vocabulary: Vocabulary) -> TypedAmount:
    """A calculation of a number, typed like a condition. Raises ExpressionError with every problem and its place."""
    tree = analyse_amount(text, vocabulary)
    names, parameters, _ = _reads(tree)
    return TypedAmount(text, tree, names, parameters)


def _reads(tree: Node) -> tuple[tuple[str, ...], frozenset[str], bool]:
    """Names in order, which of them are parameters, and whether time alone changes the answer."""
    names: dict[str, None] = {}
    parameters: set[str] = set()
    moves = False
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Name | Known | Count):
            names[node.name] = None
        elif isinstance(node, Literal) and node.name is not None:
            names[node.name] = None
            parameters.add(node.name)
        moves = moves or isinstance(node, TimeCompare)
        pending.extend(reversed(children(node)))
    return tuple(names), frozenset(parameters), moves


__all__ = [
    "Constant",
    "Environment",
    "ExpressionError",
    "Kind",
    "Months",
    "Node",
    "Problem",
    "Read",
    "Test",
    "Type",
    "TypedAmount",
    "TypedCondition",
    "Value",
    "Vocabulary",
    "type_amount",
    "type_condition",
]
