"""Puts a draft among the plans in force: proved first, never changed under the same version, exchanged at once."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.drill.app.compare_plans import PlanComparison, compare_plans
from services.drill.app.read_draft import read_draft
from services.drill.app.run_pack_cases import run_pack_cases
from services.escalator.domain.time_bases import Rules
from shared.calendars.library import CalendarLibrary
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PLAN_FILE, with_parameters

_IGNORED = (".*", "__pycache__", "*~")


class NotPublishedError(ValueError):
    """The draft may not be published; the message says why, a line for each reason. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Publication:
    """`replaced` is the version that was in force; None for a new plan. `comparison` says what is different."""

    plan: CompiledPlan
    replaced: int | None
    comparison: PlanComparison | None
    changed: bool


def publish_plan(
    draft: Path,
    root: Path,
    calendars: CalendarLibrary,
    *,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    only_try: bool = False,
) -> Publication:
    """Raises PlanLibraryError for problems of the draft or of the library with it, NotPublishedError otherwise.

    `overrides` are the parameters the installation has set: a draft they do not fit would be refused by the services.

    A running service sees either the old plan or the new one: `plan.yaml` is replaced in one step, after its cases.
    """
    plan, folder = read_draft(str(draft), root)
    target = root / plan.name
    in_force = read_draft(str(target), root) if (target / PLAN_FILE).is_file() else None
    if in_force is not None:
        _check_version(in_force[0], plan)
    with tempfile.TemporaryDirectory(prefix="fenghuo-publish-") as scratch:
        _prove(plan, folder, root, Path(scratch), calendars)
        as_it_would_be = read_draft(str(Path(scratch) / plan.name), Path(scratch))[0]
        _check_installation(as_it_would_be, calendars, (overrides or {}).get(plan.name, {}))
    comparison = compare_plans(in_force, (plan, folder), calendars) if in_force is not None else None
    if not only_try:
        _exchange(folder, target)
    changed = in_force is None or in_force[0].ref != plan.ref
    return Publication(plan, in_force[0].ref.version if in_force is not None else None, comparison, changed)


def _check_version(old: CompiledPlan, new: CompiledPlan) -> None:
    if new.ref.version < old.ref.version:
        raise NotPublishedError(
            f"'{new.name}' is in force as version {old.ref.version}; the draft is {new.ref.version}"
        )
    if new.ref.version == old.ref.version and new.ref.sha256 != old.ref.sha256:
        raise NotPublishedError(
            f"'{new.name}' version {new.ref.version} is published and never changes: "
            f"give the draft version {new.ref.version + 1}"
        )


def _prove(plan: CompiledPlan, folder: Path, root: Path, scratch: Path, calendars: CalendarLibrary) -> None:
    """The library as it would be must load, and the draft's own cases must come true."""
    for pack in root.iterdir():
        if pack.is_dir() and not pack.name.startswith(".") and pack.name != plan.name:
            (scratch / pack.name).symlink_to(pack.resolve())
    shutil.copytree(folder, scratch / plan.name, ignore=shutil.ignore_patterns(*_IGNORED))
    failed = [
        f"{result.name}: {different}"
        for result in run_pack_cases(scratch, [plan.name], calendars)
        for different in result.differences
    ]
    if failed:
        raise NotPublishedError("\n".join(failed))


def _check_installation(draft: CompiledPlan, calendars: CalendarLibrary, overrides: Mapping[str, Any]) -> None:
    """What only this installation can tell: do its parameters fit the plan, and can its calendars count the limits."""
    plan = CompiledPlan.of(with_parameters(draft.plan, overrides))
    calendar = plan.plan.calendar
    if calendar is not None and calendar not in calendars:
        raise NotPublishedError(f"there is no calendar '{calendar}'; there are: {', '.join(calendars.names())}")
    lacking = Rules(plan, calendars).lacking()
    if lacking is not None:
        raise NotPublishedError(lacking)


def _exchange(folder: Path, target: Path) -> None:
    if folder.resolve() == target.resolve():
        return
    target.mkdir(parents=True, exist_ok=True)
    skipped = shutil.ignore_patterns(*_IGNORED)
    names = [path for path in sorted(folder.rglob("*")) if path.is_file() and not skipped("", [path.name])]
    ordered = sorted(names, key=lambda path: path.name == PLAN_FILE)
    for path in ordered:
        _replace(path, target / path.relative_to(folder))
    kept = {path.relative_to(folder) for path in names}
    for path in sorted(target.rglob("*.yaml")):
        if path.relative_to(target) not in kept:
            path.unlink()


def _replace(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(target)
