"""The published plans as people read them."""

from typing import Any

from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary


def read_plans(library: PlanLibrary) -> list[dict[str, Any]]:
    """Every plan with levels (worst first), criteria, clocks, tiers and parameters."""
    return [_view(plan) for plan in library.plans]


def _view(compiled: CompiledPlan) -> dict[str, Any]:
    plan = compiled.plan
    view = plan.model_dump(mode="json", by_alias=True)
    ranks = {level.id: rank for rank, level in enumerate(plan.levels, start=1)}
    view["sha256"] = compiled.ref.sha256
    view["levels"] = [
        level | {"rank": ranks[level["id"]], "highest_rank": len(ranks)} for level in reversed(view["levels"])
    ]
    for criterion in view["criteria"]:
        criterion["rank"] = ranks.get(criterion["level"], 0)
    view["criteria"].sort(key=lambda criterion: -criterion["rank"])
    return view
