"""Door: the plans on disk may have changed."""

from services.classifier.app.judge_cases import Ports
from shared.plans.library import PlanLibrary
from shared.runtime.plans_in_force import PlansInForce


async def reload_plans(plans: PlansInForce, ports: Ports) -> None:
    """New cases get the plans that are there now; bad ones are refused and those in force stay."""

    def take_over(library: PlanLibrary) -> None:
        ports.plans.library = library

    await plans.refresh(take_over)
