"""Gaps and overlaps between the bands of one number across levels, as in 3–4, 5–9, 10 and more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import inf
from typing import Final

from shared.plans.expressions import Kind, Node
from shared.plans.expressions.tree import Both, Compare, Literal, Name, Operator, Type
from shared.plans.reasoning import bound, can_hold
from shared.plans.yaml_text import KeyPath

_ORDERS: Final = frozenset({"<", "<=", ">", ">=", "=="})


@dataclass(frozen=True, slots=True)
class _Band:
    """Numbers from `low` to `high` under the same other conditions; an open end does not belong to it."""

    name: Name
    guard: tuple[object, ...]
    low: float
    low_open: bool
    high: float
    high_open: bool
    rank: int
    index: int

    @property
    def whole(self) -> bool:
        return self.name.type.kind is Kind.INT


def band_problems(levels: Sequence[str], conditions: Sequence[tuple[int, str, Node]]) -> Iterator[tuple[KeyPath, str]]:
    """The path and message of each gap and overlap.

    Only numbers whose levels are written as bands (a condition with an upper end) are looked at: thresholds that
    build on each other, such as over 1000 and over 5000, overlap on purpose. A gap in which another criterion on that
    number can hold is none.
    """
    by_name: dict[tuple[str, tuple[object, ...]], list[_Band]] = {}
    for index, level, node in conditions:
        if level in levels:
            for band in _bands(node, levels.index(level), index):
                by_name.setdefault((band.name.name, band.guard), []).append(band)
    for bands in by_name.values():
        if len({band.rank for band in bands}) > 1 and any(band.high < inf for band in bands):
            yield from _gaps(bands, [node for _, _, node in conditions])
            yield from _overlaps(bands)


def _bands(node: Node, rank: int, index: int) -> Iterator[_Band]:
    for alternative in _alternatives(node):
        band = _band(alternative, rank, index)
        if band is not None:
            yield band


def _alternatives(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Both) and node.word == "or" else (node,)


def _band(node: Node, rank: int, index: int) -> _Band | None:
    """The band of a condition that bounds one number and says nothing else but its guard."""
    names: dict[str, Name] = {}
    low, low_open, high, high_open = -inf, True, inf, True
    guard: list[object] = []
    for part in _conjuncts(node):
        found = bound(part)
        if found is None or found[1] not in _ORDERS or not _numeric(found[0].type, found[2]):
            guard.append(_shape(part))
            continue
        name, operator, value = found
        names[name.name] = name
        number, open_end = _closed(operator, float(value), whole=name.type.kind is Kind.INT)
        if operator in {">", ">=", "=="} and (number, open_end) > (low, low_open and low > -inf):
            low, low_open = number, open_end
        if operator in {"<", "<=", "=="} and number < high:
            high, high_open = number, open_end
    if len(names) != 1 or low > high:
        return None
    return _Band(
        next(iter(names.values())), tuple(sorted(map(repr, guard))), low, low_open, high, high_open, rank, index
    )


def _closed(operator: Operator, value: float, *, whole: bool) -> tuple[float, bool]:
    """The end of the range: n > 3 of whole numbers is n >= 4."""
    if operator == ">":
        return (value + 1, False) if whole else (value, True)
    if operator == "<":
        return (value - 1, False) if whole else (value, True)
    return value, False


def _numeric(kind: Type, value: object) -> bool:
    return kind.kind in {Kind.INT, Kind.NUMBER} and isinstance(value, int | float) and not isinstance(value, bool)


def _conjuncts(node: Node) -> Iterator[Node]:
    if isinstance(node, Both) and node.word == "and":
        for item in node.items:
            yield from _conjuncts(item)
    else:
        yield node


def _shape(node: object) -> object:
    """What a condition says, wherever it is written."""
    if is_dataclass(node) and not isinstance(node, type):
        parts = tuple(_shape(getattr(node, part.name)) for part in fields(node) if part.name != "offset")
        return (type(node).__name__, *parts)
    if isinstance(node, tuple):
        return tuple(_shape(item) for item in node)
    return node


def _gaps(bands: list[_Band], conditions: Sequence[Node]) -> Iterator[tuple[KeyPath, str]]:
    ordered = sorted(bands, key=lambda band: (band.low, band.low_open, band.high))
    covered, covered_open = ordered[0].high, ordered[0].high_open
    for band in ordered[1:]:
        step = 1 if band.whole else 0
        if band.low > covered + step or (not band.whole and band.low == covered and band.low_open and covered_open):
            first, last = (covered + 1, band.low - 1) if band.whole else (covered, band.low)
            if not _covered_otherwise(band.name, first, last, conditions):
                yield ("criteria", band.index, "when"), f"a gap: no level for {band.name.name} of {_said(first, last)}"
        if (band.high, not band.high_open) > (covered, not covered_open):
            covered, covered_open = band.high, band.high_open


def _covered_otherwise(name: Name, first: float, last: float, conditions: Sequence[Node]) -> bool:
    """Whether some criterion can hold while the number is known and lies in the gap."""
    if name.type.kind is not Kind.INT:
        return False
    inside = (_compare(name, ">=", int(first)), _compare(name, "<=", int(last)))
    alternatives = (part for node in conditions for part in _alternatives(node))
    return any(can_hold(Both("and", (part, *inside), 0)) for part in alternatives if name.name in _names(_shape(part)))


def _names(shape: object) -> set[object]:
    if not isinstance(shape, tuple):
        return {shape}
    return {name for part in shape for name in _names(part)}


def _compare(name: Name, operator: Operator, value: int) -> Compare:
    return Compare(name, operator, Literal(Type(Kind.INT), value, 0), 0)


def _said(first: float, last: float) -> str:
    return f"{first:g}" if first == last else f"{first:g} to {last:g}"


def _overlaps(bands: list[_Band]) -> Iterator[tuple[KeyPath, str]]:
    for milder in bands:
        for graver in bands:
            if milder.rank >= graver.rank or milder.high == inf:
                continue
            first, last = max(milder.low, graver.low), min(milder.high, graver.high)
            touching = first == last and not _both_have(milder, graver, first)
            if first <= last and not touching:
                shown = f"{last:g}" if first == last else f"up to {last:g}"
                message = f"an overlap: {milder.name.name} of {shown} also falls into a graver level's band"
                yield ("criteria", milder.index, "when"), message


def _both_have(one: _Band, other: _Band, value: float) -> bool:
    return all(
        not (band.low == value and band.low_open) and not (band.high == value and band.high_open)
        for band in (one, other)
    )
