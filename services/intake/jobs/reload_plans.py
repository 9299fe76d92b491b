"""Door: the plans on disk may have changed."""

import asyncio
from datetime import timedelta

from services.intake.app.check_facts import CheckFacts
from shared.runtime.plans_in_force import PlansInForce


async def reload_plans(stop: asyncio.Event, plans: PlansInForce, check: CheckFacts, every: timedelta) -> None:
    """Until `stop`: facts are checked by the plans that are there now; bad ones are refused and those in force stay.

    They are read for the first time while the doors are open already: accepting must not wait for plans.
    """
    while not stop.is_set():
        await plans.refresh(check.use)
        try:
            await asyncio.wait_for(stop.wait(), every.total_seconds())
        except TimeoutError:
            continue
