"""What a link in a message stands for, without using it."""

from dataclasses import dataclass
from datetime import datetime

from services.intake.app.answer_for_all import Desk
from services.intake.app.find_survivor import find_survivor
from services.intake.store.commands import link_used_at
from services.intake.store.register import find_case
from shared.access.links import AcknowledgementLink
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the page shows. `number` is None for a case that intake did not open (a warning case).

    `survivor` is the number of the case that goes on for it.
    """

    number: str | None
    used_at: datetime | None
    survivor: str | None = None


async def look_at_link(database: Database, link: AcknowledgementLink, desk: Desk | None = None) -> LinkState:
    """Changes nothing: mail scanners and previews open links too."""
    survivor = await find_survivor(database, desk, org=link.org, case_id=link.case_id, plan=link.plan or None)
    async with database.transaction() as tx:
        case = await find_case(tx, link.org, case_id=link.case_id)
        return LinkState(case.number if case is not None else None, await link_used_at(tx, link.intent_id), survivor)
