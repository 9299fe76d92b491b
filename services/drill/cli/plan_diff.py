"""`plans diff`: what changed between two plans, in words, and which of their cases come out differently."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from services.drill.app.compare_plans import PlanComparison, compare_plans
from services.drill.app.read_draft import read_draft
from services.drill.cli.plan_options import (
    CALENDARS_DIR,
    PLANS_DIR,
    AsJson,
    CalendarsDir,
    PlansDir,
    Tongue,
    fail,
    language_of,
    print_json,
)
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.contracts.values import Language
from shared.plans.problems import PlanLibraryError


def diff(
    before: Annotated[str, typer.Argument(help="A plan's name, file or folder · 预案名、文件或目录")],
    after: Annotated[str, typer.Argument(help="Another one, such as a draft · 另一个，如草稿")],
    plans_dir: PlansDir = PLANS_DIR,
    calendars_dir: CalendarsDir = CALENDARS_DIR,
    language: Tongue = "zh",
    *,
    as_json: AsJson = False,
) -> None:
    """What changed between two plans, in words, and which cases come out differently · 比较两版预案."""
    try:
        calendars = CalendarLibrary.load(calendars_dir)
        found = compare_plans(read_draft(before, plans_dir), read_draft(after, plans_dir), calendars)
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    if as_json:
        statements = [{"zh": said.zh, "en": said.en} for said in found.statements]
        print_json({**asdict(found), "statements": statements})
    else:
        print_comparison(found, language_of(language))


def print_comparison(found: PlanComparison, language: Language) -> None:
    """Changes first, then what they do to the cases."""
    console = Console(highlight=False)
    for said in found.statements:
        console.print(f"• {escape(said.en if language == 'en' else said.zh)}", soft_wrap=True)
    for text in found.outcomes:
        console.print(f"[yellow]→[/yellow] {escape(text)}", soft_wrap=True)
    console.print(
        f"{len(found.statements)} 处改动 changes, {len(found.outcomes)} 处结果不同 outcomes differ", style="dim"
    )
