"""Answers why each clock of a case is due when it is, and why it fired or did not."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from services.escalator.domain.case import Case
from services.escalator.domain.decision import clock_subject
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

    def as_json(self) -> dict[str, Any]:
        """As values JSON takes: instants with their offset, lengths of time in seconds."""
        plan = self.case.plan
        found: dict[str, Any] = to_jsonable_python(
            {
                "case_id": self.case.case_id,
                "number": self.case.number,
                "state": self.case.state,
                "plan": plan.name,
                "plan_version": plan.version,
                "plan_sha256": plan.sha256,
                "at": self.at,
                "clocks": [asdict(clock) for clock in self.clocks],
            },
            timedelta_mode="float",
        )
        return found


class ExplainClocks:
    """The use case with what it needs. Judged by the plans the cases run under, whatever is in the library today."""

    def __init__(self, database: Database, plans: Plans) -> None:
        self._database = database
        self._plans = plans

    async def __call__(self, wanted: str, *, org: str | None = None) -> list[ExplainedCase]:
        """Every plan's case of this id or number, of one organisation or of all. Empty when there is none."""
        try:
            case_id, number = UUID(wanted), None
        except ValueError:
            case_id, number = None, wanted
        async with self._database.transaction() as tx:
            stored = await find_cases(tx, case_id=case_id, number=number, org=org)
            await self._plans.load(tx, [one.case.plan for one in stored])
            armed = await armed_timers(tx, [one.key for one in stored])
            found = []
            for one in stored:
                rules = self._plans.rules_of(one.case.plan)
                log, fires = await clock_records(tx, one)
                timers = armed[one.key]
                explained = tuple(
                    explain_clock(
                        rules,
                        one.case,
                        clock,
                        Records(log.get(clock.id, ()), fires.get(clock.id, ()), timers.get(clock_subject(clock.id))),
                        tx.now,
                    )
                    for clock in one.case.clocks
                )
                found.append(ExplainedCase(one.case, tx.now, explained))
        return found


async def explain_clocks(
    wanted: str, *, database: Database, calendars: CalendarLibrary, org: str | None = None
) -> list[ExplainedCase]:
    """The same beside the service, with calendars from disk and plans from the cases' own snapshots."""
    return await ExplainClocks(database, Plans(PlanLibrary([]), calendars))(wanted, org=org)
