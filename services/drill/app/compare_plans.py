"""Two plans side by side: what changed in words, and which of their cases come out differently."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.drill.app.simulate_plan import simulate_case
from services.drill.domain.plan_difference import plan_differences
from services.drill.domain.timeline import Outcome
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarLibrary
from shared.plans.cases import Bounds, Case, PackCases, load_cases
from shared.plans.compiled import CompiledPlan
from shared.plans.description_words import Said
from shared.plans.judging import judge_bounds
from shared.plans.problems import PlanLibraryError

Pack = tuple[CompiledPlan, Path]


@dataclass(frozen=True, slots=True)
class PlanComparison:
    """`statements` say what changed, `outcomes` which cases and rows of either pack come out differently."""

    statements: tuple[Said, ...]
    outcomes: tuple[str, ...]


def compare_plans(before: Pack, after: Pack, calendars: CalendarLibrary) -> PlanComparison:
    """Cases of both packs are run through both plans; a pack without cases adds none. Raises PlanLibraryError."""
    plans = (before[0], after[0])
    statements = plan_differences(before[0].plan, after[0].plan)
    if before[0].ref.sha256 == after[0].ref.sha256:
        return PlanComparison((), ())
    found: list[str] = []
    packs = [_cases(folder) for _, folder in (before, after)]
    for case in {case.case: case for pack in packs for case in pack.cases}.values():
        found += _case_outcomes(case, plans, calendars)
    for table in {table.bounds: table for pack in packs for table in pack.bounds}.values():
        found += _row_outcomes(table, plans)
    return PlanComparison(statements, tuple(found))


def _cases(folder: Path) -> PackCases:
    return load_cases(folder) if (folder / "cases").is_dir() else PackCases((), ())


def _case_outcomes(case: Case, plans: tuple[CompiledPlan, CompiledPlan], calendars: CalendarLibrary) -> Iterator[str]:
    said = []
    for plan in plans:
        try:
            said.append(_said(simulate_case(plan, case, calendars=calendars)))
        except (NeedsCalendarError, PlanLibraryError) as error:
            said.append({"cannot be run": str(error)})
    before, after = said
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"{case.case}: {name}: {before.get(name, '—')} → {after.get(name, '—')}"


def _said(outcome: Outcome) -> dict[str, str]:
    found: dict[str, str] = {}
    for on, ended in (("", outcome.case), ("warning ", outcome.warning)):
        if ended is None:
            continue
        found[f"{on}level"] = f"{ended.case.level} ({ended.case.decided_by})"
        for clock in ended.clocks:
            found[f"{on}clock {clock.id}"] = f"{clock.state.value}, due {clock.due_at}"
    for told in outcome.told:
        found.setdefault(f"{told.role} {told.purpose.value}", f"{told.at:%Y-%m-%d %H:%M:%S}")
    return found


def _row_outcomes(table: Bounds, plans: tuple[CompiledPlan, CompiledPlan]) -> Iterator[str]:
    before, after = ({_bare(text) for text in judge_bounds(plan, table)} for plan in plans)
    yield from (f"{text} (new)" for text in sorted(after - before))
    yield from (f"{text} (no longer)" for text in sorted(before - after))


def _bare(text: str) -> str:
    """Without the plan's name: the two may be called differently."""
    return text.partition(", ")[2]
