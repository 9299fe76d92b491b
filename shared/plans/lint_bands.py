"""Gaps and overlaps between the bands of one number across levels, as in 3–4, 5–9, 10 and more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.plans.expressions import Node
from shared.plans.reasoning import Band, band_of
from shared.plans.yaml_text import KeyPath


@dataclass(frozen=True, slots=True)
class _Placed:
    band: Band
    rank: int
    index: int

    @property
    def low(self) -> float:
        return float("-inf") if self.band.low is None else self.band.low

    @property
    def high(self) -> float:
        return float("inf") if self.band.high is None else self.band.high


def band_problems(levels: Sequence[str], conditions: Sequence[tuple[int, str, Node]]) -> Iterator[tuple[KeyPath, str]]:
    """The path and message of each gap and overlap.

    Only numbers whose levels are written as bands (a condition with an upper end) are looked at: thresholds that
    build on each other, such as over 1000 and over 5000, overlap on purpose.
    """
    by_name: dict[str, list[_Placed]] = {}
    for index, level, node in conditions:
        band = band_of(node)
        if band is not None and level in levels:
            by_name.setdefault(band.name, []).append(_Placed(band, levels.index(level), index))
    for bands in by_name.values():
        if len({placed.rank for placed in bands}) > 1 and any(placed.band.high is not None for placed in bands):
            yield from _gaps(bands)
            yield from _overlaps(bands)


def _gaps(bands: list[_Placed]) -> Iterator[tuple[KeyPath, str]]:
    ordered = sorted(bands, key=lambda placed: (placed.low, placed.high))
    covered = ordered[0].high
    for placed in ordered[1:]:
        if placed.low > covered + 1:
            first, last = int(covered) + 1, int(placed.low) - 1
            numbers = str(first) if first == last else f"{first} to {last}"
            yield ("criteria", placed.index, "when"), f"a gap: no level for {placed.band.name} of {numbers}"
        covered = max(covered, placed.high)


def _overlaps(bands: list[_Placed]) -> Iterator[tuple[KeyPath, str]]:
    for milder in bands:
        for graver in bands:
            if milder.rank >= graver.rank or milder.band.high is None:
                continue
            first, last = max(milder.low, graver.low), min(milder.high, graver.high)
            if first <= last:
                shown = str(int(last)) if first == last else f"up to {int(last)}"
                message = f"an overlap: {milder.band.name} of {shown} also falls into a graver level's band"
                yield ("criteria", milder.index, "when"), message
