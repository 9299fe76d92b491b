"""The published plans in one list."""

from dataclasses import dataclass

from shared.contracts.values import Bilingual
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One plan in the list. `levels` are its labels with their rank, worst first."""

    name: str
    version: int
    sha256: str
    title: Bilingual
    levels: tuple[tuple[int, Bilingual], ...]
    criteria: int
    clocks: int
    tiers: int
    sources: tuple[str, ...]


def read_plans(library: PlanLibrary) -> list[PlanLine]:
    """Every plan, in the order of their names."""
    return [_line(plan) for plan in library.plans]


def _line(compiled: CompiledPlan) -> PlanLine:
    plan = compiled.plan
    return PlanLine(
        name=plan.plan,
        version=plan.version,
        sha256=compiled.ref.sha256,
        title=compiled.title,
        levels=tuple((compiled.rank(level.id), level.label.as_contract()) for level in reversed(plan.levels)),
        criteria=len(plan.criteria),
        clocks=len(plan.clocks),
        tiers=len(plan.tiers),
        sources=plan.sources,
    )
