"""`plans`: what is done with plans from the command line. Exit code 0 when all is well, 1 when something is wrong."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from services.drill.app.find_untested_bounds import find_untested_bounds
from services.drill.app.read_draft import read_draft
from services.drill.app.run_pack_cases import run_pack_cases
from services.drill.app.simulate_plan import simulate_case
from services.drill.cli.plan_backtest import backtest
from services.drill.cli.plan_coverage import coverage
from services.drill.cli.plan_diff import diff
from services.drill.cli.plan_options import (
    CALENDARS_DIR,
    PLANS_DIR,
    AsJson,
    CalendarsDir,
    PlansDir,
    Tongue,
    complain,
    fail,
    find_pack,
    find_plan,
    identity,
    language_of,
    message,
    print_json,
)
from services.drill.cli.plan_page import plan_page
from services.drill.cli.plan_publish import publish
from services.drill.cli.results import print_results, print_untested, results_data, shown_progress
from services.drill.cli.tables import outcome_data, print_outcome, print_plan
from services.drill.domain.comparison import differences
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.contracts.values import FactValue
from shared.plans.cases import Case, Expectation, Happening, ReportSpec, load_cases
from shared.plans.compiled import CompiledPlan, UnknownLevelError
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError, Problem
from shared.plans.words import Words

app: Final = typer.Typer(
    name="plans", help="预案：检查、测试、查看、推演 · plans: lint, test, show, simulate.", no_args_is_help=True
)

_START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@app.command()
def lint(
    drafts: Annotated[
        list[str] | None, typer.Argument(help="Only these plans, files or folders · 仅检查这些预案、文件或目录")
    ] = None,
    plans_dir: PlansDir = PLANS_DIR,
    *,
    as_json: AsJson = False,
) -> None:
    """Every problem of every plan and case file, as file:line:column · 检查预案，列出所有问题."""
    try:
        plans = _sound(drafts, plans_dir) if drafts else _all_sound(plans_dir)
    except PlanLibraryError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"plans": [identity(plan) for plan in plans], "problems": []})
        return
    for plan in plans:
        typer.echo(f"✓ {plan.name} v{plan.ref.version} {plan.ref.sha256[:12]}")


def _all_sound(plans_dir: Path) -> Sequence[CompiledPlan]:
    """The plans in force. Raises PlanLibraryError with the problems of all plans and all their case files."""
    plans: Sequence[CompiledPlan] = ()
    problems: list[Problem] = []
    try:
        plans = PlanLibrary.load(plans_dir).plans
    except PlanLibraryError as error:
        problems += error.problems
    tested = {path.parent for path in plans_dir.glob("*/cases")} | {plans_dir / plan.name for plan in plans}
    for folder in sorted(tested):
        try:
            load_cases(folder)
        except PlanLibraryError as error:
            problems += error.problems
    if not plans and not problems:
        problems.append(Problem(str(plans_dir), 1, 1, "the folder holds no plans", ""))
    if problems:
        raise PlanLibraryError(problems)
    return plans


def _sound(drafts: Sequence[str], plans_dir: Path) -> list[CompiledPlan]:
    """The plans of the drafts. Raises PlanLibraryError with the problems of all; a file alone needs no cases."""
    plans: list[CompiledPlan] = []
    problems: list[Problem] = []
    for draft in drafts:
        try:
            plans.append(read_draft(draft, plans_dir)[0])
        except PlanLibraryError as error:
            problems += error.problems
        try:
            if (_folder(draft, plans_dir) / "cases").is_dir():
                load_cases(_folder(draft, plans_dir))
        except PlanLibraryError as error:
            problems += error.problems
    if problems:
        raise PlanLibraryError(problems)
    return plans


def _folder(draft: str, plans_dir: Path) -> Path:
    path = Path(draft) if Path(draft).exists() else plans_dir / draft
    return path if path.is_dir() else path.parent


@app.command(name="test")
def run_cases(
    packs: Annotated[list[str] | None, typer.Argument(help="Only these packs · 仅测试这些预案包")] = None,
    plans_dir: PlansDir = PLANS_DIR,
    calendars_dir: CalendarsDir = CALENDARS_DIR,
    *,
    each: Annotated[bool, typer.Option("--each", help="One row a case, not a pack · 逐例列出")] = False,
    mutate: Annotated[
        bool,
        typer.Option(
            "--mutate", help="Move every bound by a step: do the cases notice? · 逐一挪动界限，看用例能否发现"
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the packs' cases in virtual time · 在虚拟时间中运行各预案包的用例."""
    if mutate:
        _move_bounds(packs or (), plans_dir, calendars_dir, as_json=as_json)
        return
    try:
        with shown_progress(quiet=as_json) as progress:
            results = run_pack_cases(plans_dir, packs or (), CalendarLibrary.load(calendars_dir), progress)
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(results_data(results))
    else:
        print_results(results, each=bool(packs) or each)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _move_bounds(packs: Sequence[str], plans_dir: Path, calendars_dir: Path, *, as_json: bool) -> None:
    try:
        with shown_progress(quiet=as_json) as progress:
            found = find_untested_bounds(plans_dir, packs, CalendarLibrary.load(calendars_dir), progress)
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(asdict(found))
    else:
        print_untested(found)
    if found.untested:
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The plan, or a draft's file or folder · 预案名、文件或目录")],
    plans_dir: PlansDir = PLANS_DIR,
    language: Tongue = "zh",
    *,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page in both languages · 写成双语网页")] = None,
    as_json: AsJson = False,
) -> None:
    """Everything a plan says, with its parameters put in; --html writes a page with its flow · 查看预案."""
    plan = find_plan(plans_dir, name, as_json=as_json)
    if as_json:
        print_json({**identity(plan), "plan": json.loads(plan.snapshot())})
        return
    if html is not None:
        try:
            html.write_text(plan_page(plan), encoding="utf-8")
        except OSError as error:
            complain(f"{html} cannot be written: {error.strerror}", as_json=as_json)
        typer.echo(f"✓ {html}")
        return
    print_plan(plan, language_of(language))


@app.command()
def simulate(
    name: Annotated[str, typer.Argument(help="The plan, or a draft's file or folder · 预案名、文件或目录")],
    *,
    case: Annotated[str | None, typer.Option("--case", help="A case of the pack · 预案包中的用例")] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", "-f", help="name=value, as JSON or text · 事实")] = None,
    topic: Annotated[str | None, typer.Option(help="What it is about · 主题")] = None,
    then: Annotated[
        list[str] | None, typer.Option("--then", help="TIME:COMMAND such as 5m:acknowledge · 之后的人工操作")
    ] = None,
    run_for: Annotated[str, typer.Option(help="How long time runs · 推演时长")] = "24h",
    start: Annotated[str | None, typer.Option(help="ISO 8601 with an offset · 起始时间")] = None,
    plans_dir: PlansDir = PLANS_DIR,
    calendars_dir: CalendarsDir = CALENDARS_DIR,
    language: Tongue = "zh",
    as_json: AsJson = False,
) -> None:
    """Who would be told what, when, by which channel · 推演：何时、经何渠道、通知何人何事."""
    plan, folder = find_pack(plans_dir, name, as_json=as_json)
    try:
        scenario = (
            _scenario(folder, case)
            if case
            else _ad_hoc(plan, facts=fact or (), topic=topic, then=then or (), run_for=run_for, start=start)
        )
        calendars = CalendarLibrary.load(calendars_dir)
        outcome = simulate_case(plan, scenario, calendars=calendars, language=language_of(language))
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    except (NeedsCalendarError, UnknownLevelError, ValidationError, ValueError) as error:
        complain(message(error), as_json=as_json)
    different = differences(scenario, outcome)
    if as_json:
        print_json(outcome_data(outcome, different))
    else:
        print_outcome(outcome, different)
    if different:
        raise typer.Exit(1)


def _scenario(folder: Path, name: str) -> Case:
    cases = load_cases(folder).cases
    found = next((case for case in cases if case.case == name), None)
    if found is None:
        raise ValueError(f"the pack has no case '{name}'; it has: {', '.join(case.case for case in cases)}")
    return found


def _ad_hoc(
    plan: CompiledPlan,
    *,
    facts: Sequence[str],
    topic: str | None,
    then: Sequence[str],
    run_for: str,
    start: str | None,
) -> Case:
    given = dict(_fact(text) for text in facts)
    problems = plan.type_facts(given)[1]
    unknown = sorted(set(given) - set(plan.plan.facts))
    if problems:
        raise ValueError(problems[0].message)
    if unknown:
        raise ValueError(f"plan '{plan.name}' has no fact '{unknown[0]}'; it has: {', '.join(sorted(plan.plan.facts))}")
    happenings = []
    for text in then:
        at, _, command = text.partition(":")
        happenings.append(Happening.model_validate({"at": at, "command": command}))
    return Case(
        case="ad-hoc",
        about=Words(zh="推演", en="simulation"),
        start=datetime.fromisoformat(start) if start else _START,
        report=ReportSpec(kind=plan.plan.applies.kinds[0], topic=topic, facts=given),
        then=tuple(happenings),
        run_for=run_for,
        expect=Expectation(),
    )


def _fact(text: str) -> tuple[str, FactValue]:
    name, equals, written = text.partition("=")
    if not equals:
        raise ValueError(f"'{text}' is not of the form name=value")
    try:
        value: FactValue = json.loads(written)
    except ValueError:
        value = written
    return name.strip(), value


for _command in (backtest, coverage, diff, publish):
    app.command()(_command)
