"""Whether a plan is sound: every problem at once, with its place."""

from shared.plans.compilation import PlanCompileError
from shared.plans.compiled import CompiledPlan
from shared.plans.model import Plan
from shared.plans.problems import Problem
from shared.plans.yaml_text import Positions


def lint_plan(plan: Plan, positions: Positions | None = None) -> list[Problem]:
    """Everything that is wrong with the plan, sorted by place; empty for a sound one."""
    places = positions or Positions(plan.plan)
    try:
        CompiledPlan.of(plan)
    except PlanCompileError as error:
        return [places.problem(error.path, error.message, error.offset)]
    return []
