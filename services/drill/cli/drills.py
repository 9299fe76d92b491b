"""`drill`: a plan rehearsed, in virtual time or through the running line."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.console.cli.connection import Connection
from services.console.cli.wording import CommandError
from services.drill.app.simulate_plan import simulate_case
from services.drill.cli.plan_options import (
    CALENDARS_DIR,
    PLANS_DIR,
    AsJson,
    CalendarsDir,
    PlansDir,
    Tongue,
    complain,
    fail,
    find_plan,
    language_of,
    message,
    print_json,
)
from services.drill.cli.tables import outcome_data, print_outcome
from services.drill.domain.comparison import after
from services.drill.domain.live import Answered, NotDrillableError, answered, postings
from services.drill.domain.simulation import nobody_known
from services.drill.domain.timeline import Resolve
from services.escalator.domain.time_bases import NeedsCalendarError
from services.notifier.domain.roster_calendars import working_days
from services.notifier.domain.roster_duty import on_duty
from services.notifier.domain.roster_problems import RosterError
from services.notifier.domain.roster_text import parse_roster
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.plans.cases import Case, load_cases
from shared.plans.compiled import CompiledPlan
from shared.plans.limits import parse_elapsed
from shared.plans.problems import PlanLibraryError
from shared.runtime.clock import SystemClock
from shared.runtime.ids import TimeOrderedIds

_ASK_EVERY_S: Final = 2.0


def drill(
    name: Annotated[str, typer.Argument(help="The plan · 预案名")],
    *,
    case: Annotated[
        str | None, typer.Option("--case", help="A case of the pack; absent: its first drill · 预案包中的用例")
    ] = None,
    roster: Annotated[Path | None, typer.Option("--roster", help="Names the people on duty · 值班表")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Through the running line; messages are marked 【演练】 · 真实链路演练")
    ] = False,
    wait: Annotated[str, typer.Option(help="With --live: how long to wait for people · 等待时长")] = "10m",
    plans_dir: PlansDir = PLANS_DIR,
    calendars_dir: CalendarsDir = CALENDARS_DIR,
    language: Tongue = "zh",
    as_json: AsJson = False,
) -> None:
    """Who would be told what, when, by which channel; --live measures how long people take · 演练."""
    plan = find_plan(plans_dir, name, as_json=as_json)
    try:
        scenario = _scenario(plans_dir, plan, case)
        calendars = CalendarLibrary.load(calendars_dir)
        if live:
            _live(plan, scenario, parse_elapsed(wait), as_json=as_json)
            return
        resolve = _resolver(roster, calendars)
        outcome = simulate_case(plan, scenario, calendars=calendars, resolve=resolve, language=language_of(language))
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    except RosterError as error:
        complain("\n".join(error.problems), as_json=as_json)
    except UnicodeDecodeError as error:
        complain(f"{roster}:1: is not UTF-8 (byte {error.start})", as_json=as_json)
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}", as_json=as_json)
    except (NotDrillableError, NeedsCalendarError, ValueError) as error:
        complain(message(error), as_json=as_json)
    if as_json:
        print_json({"case": scenario.case, **outcome_data(outcome, ())})
        return
    Console(highlight=False).print(
        f"[bold]{plan.name}[/bold] · {escape(scenario.about.zh)} · {escape(scenario.about.en)}"
    )
    print_outcome(outcome, ())


def _scenario(plans_dir: Path, plan: CompiledPlan, wanted: str | None) -> Case:
    cases = {case.case: case for case in load_cases(plans_dir / plan.name).cases}
    name = wanted or next((one.case for one in plan.drills), None) or next(iter(cases), None)
    if name is None or name not in cases:
        raise NotDrillableError(f"the pack has no case '{name}' to drill; it has: {', '.join(cases) or 'none'}")
    return cases[name]


def _resolver(file: Path | None, calendars: CalendarLibrary) -> Resolve:
    if file is None:
        return nobody_known
    roster = parse_roster(file.read_text(encoding="utf-8"), file=str(file), calendars=working_days(calendars))

    def resolve(role: str, at: datetime) -> tuple[str, ...]:
        return tuple(duty.person.id for duty in on_duty(roster, role, at))

    return resolve


def _live(plan: CompiledPlan, scenario: Case, wait: timedelta, *, as_json: bool) -> None:
    connection, clock, console = Connection.find(), SystemClock(), Console(highlight=False, stderr=as_json)
    run = f"drill-{TimeOrderedIds().new()}"
    todo = list(postings(scenario, plan.name, run, wait))
    began, known = clock.now(), dict[str, str]()
    cases: list[dict[str, Any]] = []
    while clock.now() - began < wait:
        while todo and clock.now() - began >= todo[0].after:
            posting = todo.pop(0)
            answer = connection.post(connection.intake_url, f"/v1/{posting.door}", dict(posting.body))
            if answer["case_id"] not in known:
                known[answer["case_id"]] = answer["number"]
                console.print(f"【演练】{answer['number']} 已登记 registered", style="dim")
        cases = [_read(connection, case_id) for case_id in known]
        plans = [one for case in cases for one in case.get("plans", ())]
        if not todo and plans and all(one.get("acknowledged_at") for one in plans):
            break
        time.sleep(_ASK_EVERY_S)
    found = answered([one for case in cases for one in case.get("plans", ())])
    if as_json:
        print_json({"run": run, "cases": list(known.values()), "people": [_person(one) for one in found]})
    else:
        _print(console, found)
    if not any(one.seconds is not None for one in found):
        raise typer.Exit(1)


def _read(connection: Connection, case_id: str) -> dict[str, Any]:
    """The case as the console knows it; empty until it does, a moment after the register."""
    try:
        return connection.get(connection.console_url, f"/v1/cases/{quote(case_id, safe='')}")
    except CommandError:
        return {}


def _person(one: Answered) -> dict[str, Any]:
    return {"number": one.number, "person": one.person, "told_at": one.told_at.isoformat(), "seconds": one.seconds}


def _print(console: Console, found: list[Answered]) -> None:
    table = Table("编号 Case", "人员 Person", "通知 Told at", "确认用时 Acknowledged after")
    for one in found:
        took = after(timedelta(seconds=one.seconds)) if one.seconds is not None else "[red]未确认 not yet[/red]"
        table.add_row(one.number, escape(one.person), f"{one.told_at.astimezone():%H:%M:%S}", took)
    console.print(table)
