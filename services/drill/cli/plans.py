"""`plans`: lint, test, show and simulate plans. Exit code 0 when all is well, 1 when something is wrong with a plan."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from services.drill.app.run_pack_cases import run_pack_cases
from services.drill.app.simulate_plan import simulate_case
from services.drill.cli.tables import outcome_data, print_outcome, print_plan, print_results, result_data
from services.drill.domain.comparison import differences
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.contracts.values import FactValue, Language
from shared.plans.cases import Case, Expectation, Happening, ReportSpec, load_cases
from shared.plans.compiled import CompiledPlan, UnknownLevelError
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from shared.plans.words import Words

app: Final = typer.Typer(
    name="plans", help="预案：检查、测试、查看、推演 · plans: lint, test, show, simulate.", no_args_is_help=True
)

PlansDir = Annotated[
    Path, typer.Option("--plans-dir", envvar="FENGHUO_PLANS_DIR", help="Folder of the packs · 预案包目录")
]
CalendarsDir = Annotated[
    Path, typer.Option("--calendars-dir", envvar="FENGHUO_CALENDARS_DIR", help="Folder of the calendars · 日历目录")
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output · 输出 JSON")]
Tongue = Annotated[str, typer.Option("--language", help="zh or en")]
_DEFAULT_DIR: Final = Path("deploy/plans")
_DEFAULT_CALENDARS: Final = Path("deploy/calendars")
_START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@app.command()
def lint(plans_dir: PlansDir = _DEFAULT_DIR, *, as_json: AsJson = False) -> None:
    """Every problem of every plan and case file, as file:line:column · 检查全部预案，列出所有问题."""
    try:
        library = PlanLibrary.load(plans_dir)
        for plan in library.plans:
            load_cases(plans_dir / plan.name)
    except PlanLibraryError as error:
        _fail(error, as_json=as_json)
    if as_json:
        _print_json({"plans": [_identity(plan) for plan in library.plans], "problems": []})
        return
    for plan in library.plans:
        typer.echo(f"✓ {plan.name} v{plan.ref.version} {plan.ref.sha256[:12]}")


@app.command(name="test")
def run_cases(
    packs: Annotated[list[str] | None, typer.Argument(help="Only these packs · 仅测试这些预案包")] = None,
    plans_dir: PlansDir = _DEFAULT_DIR,
    calendars_dir: CalendarsDir = _DEFAULT_CALENDARS,
    *,
    as_json: AsJson = False,
) -> None:
    """Run the packs' cases in virtual time · 在虚拟时间中运行各预案包的用例."""
    try:
        results = run_pack_cases(plans_dir, packs or (), CalendarLibrary.load(calendars_dir))
    except (PlanLibraryError, CalendarFilesError) as error:
        _fail(error, as_json=as_json)
    if as_json:
        _print_json({"results": [result_data(result) for result in results]})
    else:
        print_results(results)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The plan · 预案名")],
    plans_dir: PlansDir = _DEFAULT_DIR,
    language: Tongue = "zh",
    *,
    as_json: AsJson = False,
) -> None:
    """A plan's levels, criteria, clocks and tiers with its parameters put in · 查看预案."""
    plan = _plan(plans_dir, name, as_json=as_json)
    if as_json:
        _print_json({**_identity(plan), "plan": json.loads(plan.snapshot())})
        return
    print_plan(plan, _language(language))


@app.command()
def simulate(
    name: Annotated[str, typer.Argument(help="The plan · 预案名")],
    *,
    case: Annotated[str | None, typer.Option("--case", help="A case of the pack · 预案包中的用例")] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", "-f", help="name=value, as JSON or text · 事实")] = None,
    topic: Annotated[str | None, typer.Option(help="What it is about · 主题")] = None,
    then: Annotated[
        list[str] | None, typer.Option("--then", help="TIME:COMMAND such as 5m:acknowledge · 之后的人工操作")
    ] = None,
    run_for: Annotated[str, typer.Option(help="How long time runs · 推演时长")] = "24h",
    start: Annotated[str | None, typer.Option(help="ISO 8601 with an offset · 起始时间")] = None,
    plans_dir: PlansDir = _DEFAULT_DIR,
    calendars_dir: CalendarsDir = _DEFAULT_CALENDARS,
    language: Tongue = "zh",
    as_json: AsJson = False,
) -> None:
    """Who would be told what, when, by which channel · 推演：何时、经何渠道、通知何人何事."""
    plan = _plan(plans_dir, name, as_json=as_json)
    try:
        scenario = (
            _scenario(plans_dir, plan, case)
            if case
            else _ad_hoc(plan, facts=fact or (), topic=topic, then=then or (), run_for=run_for, start=start)
        )
        calendars = CalendarLibrary.load(calendars_dir)
        outcome = simulate_case(plan, scenario, calendars=calendars, language=_language(language))
    except (PlanLibraryError, CalendarFilesError) as error:
        _fail(error, as_json=as_json)
    except (NeedsCalendarError, UnknownLevelError, ValidationError, ValueError) as error:
        _complain(_message(error), as_json=as_json)
    different = differences(scenario, outcome)
    if as_json:
        _print_json(outcome_data(outcome, different))
    else:
        print_outcome(outcome, different)
    if different:
        raise typer.Exit(1)


def _plan(plans_dir: Path, name: str, *, as_json: bool) -> CompiledPlan:
    try:
        library = PlanLibrary.load(plans_dir)
    except PlanLibraryError as error:
        _fail(error, as_json=as_json)
    found = next((plan for plan in library.plans if plan.name == name), None)
    if found is None:
        known = ", ".join(plan.name for plan in library.plans)
        _complain(f"there is no plan '{name}'; there are: {known}", as_json=as_json)
    return found


def _language(language: str) -> Language:
    if language == "zh":
        return "zh"
    if language == "en":
        return "en"
    raise typer.BadParameter("zh or en", param_hint="--language")


def _scenario(plans_dir: Path, plan: CompiledPlan, name: str) -> Case:
    cases = load_cases(plans_dir / plan.name).cases
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


def _message(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return str(error.args[0]) if error.args else str(error)


def _fail(error: PlanLibraryError | CalendarFilesError, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json(
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


def _complain(message: str, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": message})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(1)


def _print_json(data: dict[str, Any]) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def _identity(plan: CompiledPlan) -> dict[str, Any]:
    return {"name": plan.name, "version": plan.ref.version, "sha256": plan.ref.sha256}
