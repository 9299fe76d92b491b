"""A plan from wherever it lies: in force, or a draft in a file or folder."""

from pathlib import Path

from shared.plans.compiled import CompiledPlan
from shared.plans.library import PLAN_FILE, bases_in, parse_plan
from shared.plans.yaml_text import read_text


def read_draft(where: str, plans_dir: Path) -> tuple[CompiledPlan, Path]:
    """The plan and its folder. `where` is a `plan.yaml`, a folder with one, or the name of a plan in `plans_dir`.

    Bases are looked for beside the draft, then among the plans in force. Raises PlanLibraryError.
    """
    path = Path(where)
    if not path.exists() and path.name == where:
        path = plans_dir / where
    if path.is_dir():
        path /= PLAN_FILE
    text = read_text(path)
    beside, in_force = bases_in(path.parent.parent), bases_in(plans_dir)
    plan = parse_plan(text, str(path), lambda name: beside(name) or in_force(name))
    return CompiledPlan.of(plan), path.parent
