"""Answers why each clock of a case is due when it is, and why it fired or did not."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.escalator.domain.case import Case
from services.escalator.domain.explanation import ClockExplanation, Records, explain_clock
from services.escalator.store.cases import find_cases
from services.escalator.store.history import clock_records
from services.escalator.store.plans import Plans
from services.escalator.store.timers import armed_timers
from shared.calendars.library import CalendarLibrary
from shared.db.engine import Database
from shared.plans.library import PlanLibrary


@dataclass(frozen=True, slots=True)
class ExplainedCase:
    """A case under one plan with its clocks, at `at`."""

    case: Case
    at: datetime
    clocks: tuple[ClockExplanation, ...]


async def explain_clocks(
    wanted: str, *, database: Database, calendars: CalendarLibrary, org: str | None = None
) -> list[ExplainedCase]:
    """Every plan's case of this id or number, of one organisation or of all. Empty when there is none.

    Judged by the plans the cases were opened with, whatever is in the library today.
    """
    plans = Plans(PlanLibrary([]), calendars)
    async with database.transaction() as tx:
        try:
            stored = await find_cases(tx, case_id=UUID(wanted), number=None, org=org)
        except ValueError:
            stored = await find_cases(tx, case_id=None, number=wanted, org=org)
        await plans.load(tx, [one.case.plan for one in stored])
        found = []
        for one in stored:
            rules = plans.find(one.case.plan)
            if rules is None:
                raise LookupError(f"the snapshot of plan '{one.case.plan.name}' {one.case.plan.sha256} is missing")
            log, fires = await clock_records(tx, one)
            armed = await armed_timers(tx, one.key)
            explained = tuple(
                explain_clock(
                    rules,
                    one.case,
                    clock,
                    Records(log.get(clock.id, ()), fires.get(clock.id, ()), armed.get(clock.id)),
                    tx.now,
                )
                for clock in one.case.clocks
            )
            found.append(ExplainedCase(one.case, tx.now, explained))
    return found
