"""Door: the plans on disk may have changed."""

from services.console.domain.plan_words import PlanWords
from shared.plans.library import PlanLibrary
from shared.runtime.plans_in_force import PlansInForce


async def reload_plans(plans: PlansInForce, words: PlanWords) -> None:
    """Pages show the plans that are there now; bad ones are refused and those in force stay."""

    def take_over(library: PlanLibrary) -> None:
        words.use({plan.name: plan for plan in library.plans})

    await plans.refresh(take_over)
