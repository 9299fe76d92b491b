"""`roster`: what can be said about a roster file without a running line; what asks a running one is the console's."""

from collections.abc import Collection, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, both, local_time, print_json, table
from services.console.cli.roster import app
from services.console.cli.wording import CommandError, say
from services.drill.domain.plan_roles import plan_roles
from services.drill.domain.roster_examples import examples_for
from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.roster_calendars import working_days
from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_findings import Finding
from services.notifier.domain.roster_problems import RosterError
from services.notifier.domain.roster_text import parse_roster
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from shared.runtime.clock import SystemClock

Days = Annotated[int, typer.Option(min=1, max=92, help="看多少天 / days ahead")]
AsJson = Annotated[bool, typer.Option("--json")]
PlansDir = Annotated[
    Path | None, typer.Option("--plans", help="预案目录：其角色都须有人 / staff every role of these plans")
]
CalendarsDir = Annotated[Path, typer.Option("--calendars", envvar="FENGHUO_CALENDARS_DIR", help="日历目录 / calendars")]
_CALENDARS: Final = Path("deploy/calendars")


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="值班表文件；缺省问运行中的系统 / a file; absent: ask")] = None,
    days: Days = 14,
    plans: PlansDir = None,
    calendars: CalendarsDir = _CALENDARS,
    *,
    as_json: AsJson = False,
) -> None:
    """今后的缺岗、联系不上与休假冲突；有缺口时退出码为 1 / gaps ahead; exit code 1 when somebody would not be told."""
    if file is None:
        connection = Connection.find()
        found = connection.get(connection.notifier_url, "/v1/roster/findings", days=days)["findings"]
    else:
        begins = SystemClock().now()
        named = frozenset[str]().union(*_roles_of(plans).values()) if plans is not None else frozenset()
        roster = _read(file, calendars)
        found = [
            _shown(one) for one in check_roster(roster, begins, begins + timedelta(days=days), named_by_plans=named)
        ]
    gaps = sum(one["is_gap"] for one in found)
    if as_json:
        print_json({"days": days, "gaps": gaps, "findings": found})
    else:
        _print(found, days)
    if gaps:
        raise typer.Exit(1)


@app.command()
def scaffold(
    plans: Annotated[Path, typer.Option("--plans", help="预案目录 / folder of the packs")] = Path("deploy/plans"),
    rosters: Annotated[Path, typer.Option("--rosters", help="已有值班表 / rosters that are there")] = Path(
        "deploy/rosters"
    ),
    out: Annotated[Path | None, typer.Option("--out", help="写到此文件 / file to write")] = None,
    organisation: Annotated[str, typer.Option(help="写给哪个组织 / whose roster it is")] = "example",
    calendars: CalendarsDir = _CALENDARS,
) -> None:
    """为尚无人担任的角色写出示例 / example entries for every role of the plans that no roster staffs yet."""
    staffed: set[str] = set()
    for one in sorted(rosters.glob("*.yaml")) if rosters.is_dir() else []:
        if out is None or one.resolve() != out.resolve():
            staffed |= _read(one, calendars).roles.keys()
    wanted = {plan: roles - staffed for plan, roles in _roles_of(plans).items() if roles - staffed}
    if not wanted:
        OUT.print(say("所有角色都已有人担任。", "Every role is staffed."))
        return
    text = examples_for(wanted, organisation=organisation)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    count = len(frozenset[str]().union(*wanted.values()))
    OUT.print(say(f"已为 {count} 个角色写出示例：{out}", f"Examples for {count} roles written to {out}"))


def _roles_of(plans: Path) -> dict[str, frozenset[str]]:
    try:
        library = PlanLibrary.load(plans)
    except PlanLibraryError as error:
        raise CommandError(f"预案有误：{error}", f"The plans have problems: {error}") from error
    return {plan.name: plan_roles(plan.plan) for plan in library.plans}


def _read(file: Path, calendars: Path) -> Roster:
    try:
        known: Mapping[str, WorkingDays] = working_days(CalendarLibrary.load(calendars))
        return parse_roster(file.read_text(encoding="utf-8"), file=str(file), calendars=known)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"无法读取 {file}：{error}", f"{file} cannot be read: {error}", 2) from error
    except (RosterError, CalendarFilesError) as error:
        problems = "\n".join(error.problems if isinstance(error, RosterError) else [str(error)])
        raise CommandError(problems, problems, 2) from error


def _shown(found: Finding) -> dict[str, Any]:
    return {
        "kind": found.kind.value,
        "is_gap": found.is_gap,
        "role": found.role,
        "person": found.person,
        "begins_at": found.begins_at.astimezone(UTC).isoformat(),
        "ends_at": found.ends_at.astimezone(UTC).isoformat(),
        "what": found.what.model_dump(),
    }


def _print(found: Collection[Mapping[str, Any]], days: int) -> None:
    if not found:
        OUT.print(say(f"今后 {days} 天没有缺口。", f"No gaps in the next {days} days."), style="green")
        return
    rows = table(say("问题", "Finding"), say("自", "From"), say("至", "Until"), say("说明", "What"))
    for one in found:
        style = "red" if one["is_gap"] else "yellow"
        rows.add_row(
            one["kind"], local_time(one["begins_at"]), local_time(one["ends_at"]), both(one["what"]), style=style
        )
    OUT.print(rows)


__all__ = ["app"]
