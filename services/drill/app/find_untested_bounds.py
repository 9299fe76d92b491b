"""Moves each bound of a pack by one step and says where none of its cases notices."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from services.drill.app.run_pack_cases import Progress
from services.drill.app.simulate_plan import simulate_case
from services.drill.domain.comparison import differences
from services.drill.domain.mutants import Mutant, mutants
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarLibrary
from shared.plans.cases import PackCases, load_cases
from shared.plans.compiled import CompiledPlan, UnknownLevelError
from shared.plans.judging import judge_bounds
from shared.plans.library import PlanLibrary
from shared.plans.lint import lint_plan
from shared.plans.problems import PlanLibraryError, Problem


@dataclass(frozen=True, slots=True)
class UntestedBound:
    """What stands at `where` could say `now` and every case of the pack would still pass."""

    pack: str
    where: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class BoundsFound:
    """How many changes were tried, and those that no case noticed."""

    tried: int
    untested: tuple[UntestedBound, ...]


def find_untested_bounds(
    root: Path,
    packs: Collection[str] = (),
    calendars: CalendarLibrary | None = None,
    progress: Progress | None = None,
) -> BoundsFound:
    """Mutation testing of these packs, or of all. Raises PlanLibraryError like `run_pack_cases`."""
    library = PlanLibrary.load(root)
    unknown = sorted(set(packs) - {plan.name for plan in library.plans})
    if unknown:
        raise PlanLibraryError([Problem(str(root), 1, 1, f"there is no plan '{name}'", name) for name in unknown])
    chosen = [plan for plan in library.plans if not packs or plan.name in packs]
    tried = 0
    untested: list[UntestedBound] = []
    for done, plan in enumerate(chosen):
        if progress is not None:
            progress(plan.name, done, len(chosen))
        cases = load_cases(root / plan.name)
        for mutant in mutants(plan.plan):
            tried += 1
            if mutant.plan is not None and not _noticed(mutant.plan, cases, calendars):
                untested.append(_untested(plan, mutant))
    return BoundsFound(tried, tuple(untested))


def _noticed(plan: CompiledPlan, cases: PackCases, calendars: CalendarLibrary | None) -> bool:
    """By a case, or by the lint: bands that overlap decide as before."""
    if any(judge_bounds(plan, table) for table in cases.bounds):
        return True
    for case in cases.cases:
        try:
            if differences(case, simulate_case(plan, case, calendars=calendars)):
                return True
        except (NeedsCalendarError, UnknownLevelError, PlanLibraryError):
            return True
    return bool(lint_plan(plan.plan))


def _untested(plan: CompiledPlan, mutant: Mutant) -> UntestedBound:
    return UntestedBound(plan.name, mutant.where, mutant.was, mutant.now)
