"""Runs the cases of packs and says where a plan does not do what its cases expect."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.drill.app.simulate_plan import simulate_case
from services.drill.domain.comparison import differences
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarLibrary
from shared.plans.cases import load_cases
from shared.plans.compiled import CompiledPlan
from shared.plans.judging import judge_bounds
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError, Problem


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case or one table of bounds. `checks` is how many things it looked at: rows, or one scenario."""

    pack: str
    name: str
    kind: Literal["case", "bounds"]
    checks: int
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


Progress = Callable[[str, int, int], None]
"""Told before each pack: its name, how many packs are done, and how many there are."""


def run_pack_cases(
    root: Path,
    packs: Collection[str] = (),
    calendars: CalendarLibrary | None = None,
    progress: Progress | None = None,
) -> list[CaseResult]:
    """Every case of these packs, or of all. Raises PlanLibraryError with everything wrong in plans and case files."""
    library = PlanLibrary.load(root)
    unknown = sorted(set(packs) - {plan.name for plan in library.plans})
    if unknown:
        raise PlanLibraryError([Problem(str(root), 1, 1, f"there is no plan '{name}'", name) for name in unknown])
    chosen = [plan for plan in library.plans if not packs or plan.name in packs]
    found: list[CaseResult] = []
    problems: list[Problem] = []
    for done, plan in enumerate(chosen):
        if progress is not None:
            progress(plan.name, done, len(chosen))
        try:
            found.extend(_run_pack(root / plan.name, plan, calendars))
        except PlanLibraryError as error:
            problems.extend(error.problems)
    if problems:
        raise PlanLibraryError(problems)
    return found


def _run_pack(folder: Path, plan: CompiledPlan, calendars: CalendarLibrary | None) -> list[CaseResult]:
    pack = load_cases(folder)
    found = [
        CaseResult(plan.name, table.bounds, "bounds", len(table.rows), tuple(judge_bounds(plan, table)))
        for table in pack.bounds
    ]
    for case in pack.cases:
        try:
            different = differences(case, simulate_case(plan, case, calendars=calendars))
        except NeedsCalendarError as error:
            different = (str(error),)
        found.append(CaseResult(plan.name, case.case, "case", 1, different))
    return found
