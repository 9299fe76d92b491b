"""What can be proved about conditions without any facts: whether one can ever hold, or holds whenever another does.

Both are sound and incomplete: "cannot hold" is always right, "may hold" only means that no contradiction was found.
"""

from dataclasses import dataclass, field
from itertools import product
from typing import Final

from shared.plans.expressions.tree import (
    Arithmetic,
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
    TimeCompare,
    children,
)

MAX_ALTERNATIVES: Final = 256

_OPPOSITE: Final[dict[Operator, Operator]] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MIRRORED: Final[dict[Operator, Operator]] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

Atom = tuple[Node, bool]
Alternatives = list[tuple[Atom, ...]]


def can_hold(node: Node) -> bool:
    """False only when no facts whatsoever make the condition true."""
    alternatives = _alternatives(node, wanted=True)
    return alternatives is None or any(_consistent(atoms) for atoms in alternatives)


@dataclass(frozen=True, slots=True)
class Forms:
    """A condition taken apart once, to be compared with many: None where it is too large or never certain."""

    holding: Alternatives | None
    failing: Alternatives | None
    read: set[str] | None


def forms_of(node: Node) -> Forms:
    """The alternatives under which a condition is true, and under which it is false."""
    holding = _alternatives(node, wanted=True)
    consistent = None if holding is None else [atoms for atoms in holding if _consistent(atoms)]
    return Forms(consistent, _alternatives(node, wanted=False), _surely_known(node))


def proof_steps(one: Forms, other: Forms) -> int:
    """How many combinations `implies` looks at; 0 when it can prove nothing anyway."""
    if one.holding is None or other.failing is None or other.read is None:
        return 0
    return len(one.holding) * len(other.failing)


def implies(one: Forms, other: Forms) -> bool:
    """True only when whatever makes `one` true makes `other` true as well."""
    if one.holding is None or other.failing is None or other.read is None:
        return False
    for atoms in one.holding:
        # Where something `other` reads may be unknown, so may its answer: then it is not proved.
        if not other.read <= _known_in(atoms) or any(_consistent((*atoms, *more)) for more in other.failing):
            return False
    return True


def _surely_known(node: Node) -> set[str] | None:
    """The names that must be known for the condition to be true or false, or None when even that is not enough."""
    names: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, TimeCompare | Arithmetic):
            return None
        if isinstance(part, Name | Count):
            names.add(part.name)
        pending.extend(children(part))
    return names


def _known_in(atoms: tuple[Atom, ...]) -> set[str]:
    """Names that are known when all of these hold: a comparison answers only when both its sides are known."""
    known: set[str] = set()
    for node, wanted in atoms:
        if isinstance(node, Known):
            known |= {node.name} if wanted else set()
            continue
        pending: list[Node] = [node]
        while pending:
            part = pending.pop()
            if isinstance(part, Name | Count):
                known.add(part.name)
            if not isinstance(part, Both | Not):
                pending.extend(children(part))
    return known


def bound(node: Node) -> tuple[Name, Operator, Scalar] | None:
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

    whole: bool = False
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
        if not self._has_room():
            return False
        if self.allowed is None:
            return True
        return any(self._admits(value) for value in self.allowed - self.refused)

    def _has_room(self) -> bool:
        """Whether any number lies between the ends and is not refused."""
        if self.low is None or self.high is None:
            return True
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            return False
        if self.whole and self.high - self.low <= len(self.refused):
            return any(value not in self.refused for value in range(int(self.low), int(self.high) + 1))
        return self.low < self.high or self.low not in self.refused

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
    found_bound = bound(node)
    if found_bound is None:
        return
    name, operator, value = found_bound
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
        constraints = found[name.name] = _Constraints(whole=name.type.kind is Kind.INT)
        if name.type.kind is Kind.ENUM:
            constraints.allow(set(name.type.members))
        if name.type.low is not None:
            constraints.at_least(name.type.low, open_end=False)
        if name.type.high is not None:
            constraints.at_most(name.type.high, open_end=False)
    constraints.must_be_known = True
    return constraints
