"""What can be proved about a typed condition without any facts: whether it can ever hold, and which band it covers.

Both are sound and incomplete: "cannot hold" is always right, "may hold" only means that no contradiction was found.
"""

from dataclasses import dataclass, field
from itertools import product
from typing import Final

from shared.plans.expressions.tree import (
    Both,
    Compare,
    Count,
    Kind,
    Known,
    Literal,
    Member,
    Name,
    Node,
    Not,
    Operator,
    Scalar,
)

MAX_ALTERNATIVES: Final = 256

_OPPOSITE: Final[dict[Operator, Operator]] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MIRRORED: Final[dict[Operator, Operator]] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

Atom = tuple[Node, bool]
Alternatives = list[tuple[Atom, ...]]


@dataclass(frozen=True, slots=True)
class Band:
    """Whole numbers from `low` to `high`, both included; None: no bound."""

    name: str
    low: int | None
    high: int | None


def can_hold(node: Node) -> bool:
    """False only when no facts whatsoever make the condition true."""
    alternatives = _alternatives(node, wanted=True)
    return alternatives is None or any(_consistent(atoms) for atoms in alternatives)


def band_of(node: Node) -> Band | None:
    """The band of whole numbers a condition covers when it is nothing but bounds on one fact or window."""
    comparisons = node.items if isinstance(node, Both) and node.word == "and" else (node,)
    bands = [_single_band(comparison) for comparison in comparisons]
    name = bands[0].name if bands[0] else ""
    low: int | None = None
    high: int | None = None
    for band in bands:
        if band is None or band.name != name:
            return None
        low = band.low if low is None else low if band.low is None else max(low, band.low)
        high = band.high if high is None else high if band.high is None else min(high, band.high)
    return Band(name, low, high)


def _single_band(node: Node) -> Band | None:  # noqa: PLR0911  # one answer an operator
    bound = _bound(node)
    if bound is None:
        return None
    name, operator, value = bound
    if name.type.kind is not Kind.INT or not isinstance(value, int):
        return None
    match operator:
        case "<":
            return Band(name.name, None, value - 1)
        case "<=":
            return Band(name.name, None, value)
        case ">":
            return Band(name.name, value + 1, None)
        case ">=":
            return Band(name.name, value, None)
        case "==":
            return Band(name.name, value, value)
    return None


def _bound(node: Node) -> tuple[Name, Operator, Scalar] | None:
    """A comparison of a name with a value written out, the name on the left."""
    if not isinstance(node, Compare):
        return None
    match node.left, node.right:
        case Name() as name, Literal(value=bool() | int() | float() | str() as value):
            return name, node.operator, value
        case Literal(value=bool() | int() | float() | str() as value), Name() as name:
            return name, _MIRRORED[node.operator], value
    return None


def _alternatives(node: Node, *, wanted: bool) -> Alternatives | None:
    """The condition as alternatives of conjunctions, or None when there are too many to look at."""
    if isinstance(node, Not):
        return _alternatives(node.item, wanted=not wanted)
    if not isinstance(node, Both):
        return [((node, wanted),)]
    parts: list[Alternatives] = []
    for item in node.items:
        part = _alternatives(item, wanted=wanted)
        if part is None:
            return None
        parts.append(part)
    if (node.word == "or") == wanted:
        together = [atoms for part in parts for atoms in part]
        return together if len(together) <= MAX_ALTERNATIVES else None
    size = 1
    for part in parts:
        size *= len(part)
    if size > MAX_ALTERNATIVES:
        return None
    return [tuple(atom for atoms in choice for atom in atoms) for choice in product(*parts)]


@dataclass(slots=True)
class _Constraints:
    """What one conjunction demands of one name."""

    low: float | None = None
    low_open: bool = False
    high: float | None = None
    high_open: bool = False
    allowed: set[Scalar] | None = None
    refused: set[Scalar] = field(default_factory=set)
    needed_members: set[Scalar] = field(default_factory=set)
    refused_members: set[Scalar] = field(default_factory=set)
    must_be_known: bool = False
    must_be_unknown: bool = False

    def allow(self, values: set[Scalar]) -> None:
        self.allowed = values if self.allowed is None else self.allowed & values

    def at_least(self, value: float, *, open_end: bool) -> None:
        if self.low is None or value > self.low or (value == self.low and open_end):
            self.low, self.low_open = value, open_end

    def at_most(self, value: float, *, open_end: bool) -> None:
        if self.high is None or value < self.high or (value == self.high and open_end):
            self.high, self.high_open = value, open_end

    def possible(self) -> bool:
        if self.must_be_known and self.must_be_unknown:
            return False
        if self.needed_members & self.refused_members:
            return False
        if self.low is not None and self.high is not None:
            if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
                return False
            if self.low == self.high and self.low in self.refused:
                return False
        if self.allowed is None:
            return True
        return any(self._admits(value) for value in self.allowed - self.refused)

    def _admits(self, value: Scalar) -> bool:
        if isinstance(value, str):
            return True
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below


def _consistent(atoms: tuple[Atom, ...]) -> bool:
    found: dict[str, _Constraints] = {}
    for node, wanted in atoms:
        if isinstance(node, Literal):
            if bool(node.value) is not wanted:
                return False
            continue
        if isinstance(node, Known):
            constraints = found.setdefault(node.name, _Constraints())
            constraints.must_be_known |= wanted
            constraints.must_be_unknown |= not wanted
            continue
        _demand(node, found, wanted=wanted)
    return all(constraints.possible() for constraints in found.values())


def _demand(node: Node, found: dict[str, _Constraints], *, wanted: bool) -> None:
    if isinstance(node, Name):
        constraints = _of(found, node)
        constraints.allow({wanted})
        return
    if isinstance(node, Member):
        _demand_membership(node, found, wanted=wanted is not node.negated)
        return
    if isinstance(node, Compare) and isinstance(node.left, Count):
        return
    bound = _bound(node)
    if bound is None:
        return
    name, operator, value = bound
    operator = operator if wanted else _OPPOSITE[operator]
    constraints = _of(found, name)
    if operator == "==":
        constraints.allow({value})
    elif operator == "!=":
        constraints.refused.add(value)
    elif not isinstance(value, str):
        _demand_order(constraints, name, operator, value)


def _demand_order(constraints: _Constraints, name: Name, operator: Operator, value: float) -> None:
    """Open ends of whole numbers are closed: n > 3 is n >= 4."""
    whole = name.type.kind is Kind.INT and isinstance(value, int)
    if operator == ">":
        constraints.at_least(value + 1 if whole else value, open_end=not whole)
    elif operator == ">=":
        constraints.at_least(value, open_end=False)
    elif operator == "<":
        constraints.at_most(value - 1 if whole else value, open_end=not whole)
    else:
        constraints.at_most(value, open_end=False)


def _demand_membership(node: Member, found: dict[str, _Constraints], *, wanted: bool) -> None:
    match node.item, node.container:
        case Name() as name, Literal(value=tuple() as values):
            constraints = _of(found, name)
            if wanted:
                constraints.allow(set(values))
            else:
                constraints.refused |= set(values)
        case Literal(value=str() as value), Name() as name:
            constraints = _of(found, name)
            (constraints.needed_members if wanted else constraints.refused_members).add(value)


def _of(found: dict[str, _Constraints], name: Name) -> _Constraints:
    constraints = found.get(name.name)
    if constraints is None:
        constraints = found[name.name] = _Constraints()
        if name.type.kind is Kind.ENUM:
            constraints.allow(set(name.type.members))
        if name.type.low is not None:
            constraints.at_least(name.type.low, open_end=False)
        if name.type.high is not None:
            constraints.at_most(name.type.high, open_end=False)
    constraints.must_be_known = True
    return constraints
