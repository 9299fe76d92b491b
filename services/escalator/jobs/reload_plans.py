"""Door: the plans on disk may have changed."""

from typing import Protocol

from shared.plans.library import PlanLibrary
from shared.runtime.plans_in_force import PlansInForce


class PlansInUse(Protocol):
    """Plans that can be exchanged at work."""

    def use(self, library: PlanLibrary) -> None: ...


async def reload_plans(in_force: PlansInForce, plans: PlansInUse) -> None:
    """New cases get the plans that are there now; bad ones are refused and those in force stay."""
    await in_force.refresh(plans.use)
