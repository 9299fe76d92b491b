"""What the commands about plans share: their options, how they find a plan, and how they fail."""

import json
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from pydantic import ValidationError

from services.drill.app.read_draft import read_draft
from shared.calendars.library import CalendarFilesError
from shared.contracts.values import Language
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError

PlansDir = Annotated[
    Path, typer.Option("--plans-dir", envvar="FENGHUO_PLANS_DIR", help="Folder of the packs · 预案包目录")
]
CalendarsDir = Annotated[
    Path, typer.Option("--calendars-dir", envvar="FENGHUO_CALENDARS_DIR", help="Folder of the calendars · 日历目录")
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output · 输出 JSON")]
Tongue = Annotated[str, typer.Option("--language", help="zh or en")]
PLANS_DIR: Final = Path("deploy/plans")
CALENDARS_DIR: Final = Path("deploy/calendars")


def find_plan(plans_dir: Path, name: str, *, as_json: bool) -> CompiledPlan:
    """The plan of this name, or a draft's file or folder; ends the command with every problem when there is none."""
    return find_pack(plans_dir, name, as_json=as_json)[0]


def find_pack(plans_dir: Path, name: str, *, as_json: bool) -> tuple[CompiledPlan, Path]:
    """The plan with its folder, as `find_plan` does."""
    try:
        if Path(name).exists() or Path(name).name != name:
            return read_draft(name, plans_dir)
        library = PlanLibrary.load(plans_dir)
    except PlanLibraryError as error:
        fail(error, as_json=as_json)
    found = library.find(name)
    if found is None:
        known = ", ".join(plan.name for plan in library.plans)
        complain(f"there is no plan '{name}'; there are: {known}", as_json=as_json)
    return found, plans_dir / found.name


def language_of(language: str) -> Language:
    if language == "zh":
        return "zh"
    if language == "en":
        return "en"
    raise typer.BadParameter("zh or en", param_hint="--language")


def message(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return str(error.args[0]) if error.args else str(error)


def fail(error: PlanLibraryError | CalendarFilesError, *, as_json: bool) -> NoReturn:
    """Ends the command with exit code 1 and every problem with its place."""
    if as_json:
        print_json(
            {
                "problems": [
                    {
                        "file": problem.file,
                        "line": problem.line,
                        "column": problem.column,
                        "message": problem.message,
                        "field": problem.field,
                    }
                    for problem in error.problems
                ]
            }
        )
    else:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
    raise typer.Exit(1)


def complain(message: str, *, as_json: bool) -> NoReturn:
    """Ends the command with exit code 1 and one sentence."""
    if as_json:
        print_json({"error": message})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(1)


def print_json(data: dict[str, Any]) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def identity(plan: CompiledPlan) -> dict[str, Any]:
    return {"name": plan.name, "version": plan.ref.version, "sha256": plan.ref.sha256}
