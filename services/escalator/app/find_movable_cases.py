"""Find the cases that are not under the text of their plan that is in force."""

from collections.abc import Collection

from services.escalator.domain.case import Case
from services.escalator.store.moves import open_cases_elsewhere
from shared.contracts.values import PlanRef
from shared.db.engine import Database


async def find_movable_cases(
    database: Database, plan: PlanRef, *, org: str | None = None, numbers: Collection[str] = ()
) -> list[Case]:
    """Open cases under another text of the plan than this one, oldest first; with `numbers` those, in any state."""
    async with database.transaction() as tx:
        return [one.case for one in await open_cases_elsewhere(tx, plan, org, numbers)]
