"""`plans publish`: a draft becomes a plan in force."""

from pathlib import Path
from typing import Annotated

import typer

from services.console.cli.connection import plan_overrides
from services.drill.app.publish_plan import NotPublishedError, publish_plan
from services.drill.cli.plan_diff import print_comparison
from services.drill.cli.plan_options import (
    CALENDARS_DIR,
    PLANS_DIR,
    AsJson,
    CalendarsDir,
    PlansDir,
    Tongue,
    complain,
    fail,
    identity,
    language_of,
    print_json,
)
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.plans.problems import PlanLibraryError


def publish(
    draft: Annotated[Path, typer.Argument(help="The draft's folder · 草稿目录")],
    plans_dir: PlansDir = PLANS_DIR,
    calendars_dir: CalendarsDir = CALENDARS_DIR,
    language: Tongue = "zh",
    *,
    only_try: Annotated[bool, typer.Option("--dry-run", help="Prove and compare only · 只检查不发布")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove a draft and put it in force; running services take it over by themselves · 校验并发布预案."""
    if not draft.is_dir():
        complain(f"{draft} is no folder with a plan.yaml", as_json=as_json)
    try:
        calendars = CalendarLibrary.load(calendars_dir)
        found = publish_plan(draft, plans_dir, calendars, overrides=plan_overrides(), only_try=only_try)
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    except NotPublishedError as error:
        complain(str(error), as_json=as_json)
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}", as_json=as_json)
    if as_json:
        print_json({**identity(found.plan), "replaced": found.replaced, "changed": found.changed, "tried": only_try})
        return
    if found.comparison is not None:
        print_comparison(found.comparison, language_of(language))
    done = "可以发布 may be published" if only_try else "已发布 published"
    typer.echo(f"✓ {found.plan.name} v{found.plan.ref.version} {found.plan.ref.sha256[:12]} {done}")
