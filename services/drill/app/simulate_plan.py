"""Runs one scenario through one plan in virtual time."""

from services.drill.domain.simulation import nobody_known, simulate
from services.drill.domain.timeline import Outcome, Resolve
from services.escalator.domain.time_bases import Rules
from shared.calendars.library import CalendarLibrary
from shared.contracts.values import Language
from shared.plans.cases import Case
from shared.plans.compiled import CompiledPlan
from shared.plans.library import with_parameters


def simulate_case(
    plan: CompiledPlan,
    case: Case,
    *,
    calendars: CalendarLibrary | None = None,
    resolve: Resolve = nobody_known,
    language: Language = "zh",
) -> Outcome:
    """What would happen, and who would be told when. The case's own parameter values are put in first.

    Raises PlanLibraryError for parameters the plan does not take, NeedsCalendarError for limits that need a calendar
    which is not among `calendars`.
    """
    if case.parameters:
        plan = CompiledPlan.of(with_parameters(plan.plan, case.parameters, case.case))
    return simulate(Rules(plan, calendars or CalendarLibrary()), case, resolve=resolve, language=language)
