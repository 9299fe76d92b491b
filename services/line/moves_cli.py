"""`plans migrate`: open cases under the version of their plan in force. Shown first; with --apply it is asked for."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.text import Text

from services.console.cli.connection import Connection, installation, plan_overrides
from services.console.cli.databases import database_address
from services.console.cli.output import OUT, local_time, named, print_json
from services.console.cli.wording import CommandError, say
from services.escalator.app.preview_moves import ClockMove, MovePreview
from services.line.moves import Levels, Places, Shown, Wish, ask_for, follow_moves, show_moves
from shared.calendars.library import CalendarFilesError
from shared.db.engine import DATABASE_ERRORS
from shared.plans.library import UnknownPlanError
from shared.plans.problems import PlanLibraryError

_WITHIN: Final = timedelta(seconds=60)


def migrate(
    name: Annotated[str, typer.Argument(help="预案 / the plan")],
    *,
    case: Annotated[list[str] | None, typer.Option("--case", help="只此案件，可重复 / this case only")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="照此执行 / do what was shown")] = False,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="理由 / why")] = None,
    person: Annotated[str | None, typer.Option("--as", help="以谁的名义 / in whose name (roster id)")] = None,
    levels_may_fall: Annotated[
        bool, typer.Option("--levels-may-fall", help="级别可降至新版所判 / a level may fall to what the version says")
    ] = False,
    org: Annotated[str | None, typer.Option("--org", help="组织 / organisation; absent: the installation's")] = None,
    plans_dir: Annotated[Path, typer.Option("--plans-dir", envvar="FENGHUO_PLANS_DIR")] = Path("deploy/plans"),
    calendars_dir: Annotated[Path, typer.Option("--calendars-dir", envvar="FENGHUO_CALENDARS_DIR")] = Path(
        "deploy/calendars"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """在办案件改用现行版本，先看后做 / open cases under the version in force: a preview, then --apply."""
    if apply and not (reason and reason.strip() and person):
        raise CommandError("--apply 须有 --reason 和 --as。", "--apply takes --reason and --as.", 2)
    levels: Levels = "as-judged" if levels_may_fall else "keep"
    places = Places(
        database_address("classifier", None),
        database_address("escalator", None),
        plans_dir,
        calendars_dir,
        plan_overrides(),
    )
    wish = Wish(name, levels, org or installation().get("organisation"), tuple(case or ()))
    shown = _shown(places, wish)
    if not apply:
        _tell(shown, wish, as_json=as_json)
        return
    moved, refused = _applied(places, shown, levels, str(reason), str(person))
    _tell_applied(shown, moved, refused, as_json=as_json)
    if refused or len(moved) < sum(one.refused is None for one in shown.cases):
        raise typer.Exit(1)


def _shown(places: Places, wish: Wish) -> Shown:
    try:
        return asyncio.run(show_moves(places, wish))
    except UnknownPlanError as error:
        raise CommandError(f"现行预案中没有 {wish.plan}。", f"There is no plan {wish.plan} in force.") from error
    except (PlanLibraryError, CalendarFilesError) as error:
        raise CommandError(str(error), str(error)) from error
    except DATABASE_ERRORS as error:
        kind = type(error).__name__
        raise CommandError(f"数据库不可用：{kind}。", f"The database cannot be used: {kind}.") from error


def _applied(
    places: Places, shown: Shown, levels: Levels, reason: str, person: str
) -> tuple[set[UUID], dict[UUID, str]]:
    """What has moved, and what was refused on the way with the reason."""
    connection = Connection.find()
    refused: dict[UUID, str] = {}

    def send(case_id: UUID, body: dict[str, Any]) -> None:
        try:
            connection.post(connection.console_url, f"/v1/cases/{case_id}/commands", body)
        except CommandError as error:
            refused[case_id] = str(error)

    asked = {one.case_id for one in ask_for(shown, levels, reason, person, send)} - set(refused)
    moved, stayed = asyncio.run(follow_moves(places, shown, asked, within=_WITHIN))
    history = say("理由见案件记录", "the case's history says why")
    waiting = say("尚未答复", "no answer yet")
    return moved, refused | dict.fromkeys(stayed, history) | dict.fromkeys(asked - moved - stayed, waiting)


def _tell(shown: Shown, wish: Wish, *, as_json: bool) -> None:
    if as_json:
        print_json({"plan": shown.plan.model_dump(), "cases": [_data(one) for one in shown.cases]})
        return
    _tell_plan(shown)
    for one in shown.cases:
        _tell_case(one)
    missing = sorted(set(wish.numbers) - {one.number for one in shown.cases})
    if missing:
        listed = ", ".join(missing)
        OUT.print(say(f"没有待移的案件：{listed}", f"Nothing to move: {listed}"), style="yellow")
    would = sum(one.refused is None for one in shown.cases)
    stay = len(shown.cases) - would
    OUT.print(
        say(
            f"{would} 件将改用第 {shown.plan.version} 版，{stay} 件不动。尚未改动；加 --apply --reason … --as … 执行。",
            f"{would} would move to version {shown.plan.version}, {stay} would stay. Nothing was changed; "
            "--apply --reason … --as … does it.",
        ),
        style="bold",
    )


def _tell_plan(shown: Shown) -> None:
    plan = shown.plan
    OUT.print(Text(f"{plan.name} v{plan.version} {plan.sha256[:12]}", style="bold"))


def _tell_case(one: MovePreview) -> None:
    OUT.print()
    before, after = one.before, one.after
    OUT.print(
        Text(f"{one.number}  v{before.version} {before.sha256[:12]} → v{after.version} {after.sha256[:12]}", "bold")
    )
    if one.refused is not None:
        OUT.print(Text("  " + say("不动：", "stays: ") + one.refused, style="yellow"))
        return
    level = f"{one.level_before} → {one.level_after}" if one.level_before != one.level_after else one.level_after
    OUT.print(Text("  " + say("级别  ", "level   ") + level + (f"  ({one.because})" if one.because else "")))
    for clock in one.clocks:
        if clock.differs:
            OUT.print(Text("  " + say("时限  ", "clock   ") + _clock(clock)))
    if one.tier_before != one.tier_after:
        OUT.print(Text("  " + say("层级  ", "tier    ") + f"{one.tier_before or '—'} → {one.tier_after or '—'}"))
    for purpose, roles in one.told:
        OUT.print(Text("  " + say("通知  ", "tells   ") + f"{named('purpose', purpose)}: {', '.join(roles)}"))


def _clock(clock: ClockMove) -> str:
    before = _end(clock.due_before, clock.state_before)
    return f"{clock.id} {clock.label}  {before} → {_end(clock.due_after, clock.state_after)}"


def _end(due: datetime | None, state: str | None) -> str:
    if state is None:
        return "—"
    at = local_time(due.isoformat()) if due is not None else ""
    return f"{at} {named('clock', state)}".strip()


def _tell_applied(shown: Shown, moved: set[UUID], refused: Mapping[UUID, str], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "plan": shown.plan.model_dump(),
                "cases": [
                    _data(one) | {"moved": one.case_id in moved, "refused": refused.get(one.case_id) or one.refused}
                    for one in shown.cases
                ],
            }
        )
        return
    _tell_plan(shown)
    for one in shown.cases:
        if one.case_id in moved:
            OUT.print(Text(f"✓ {one.number}  v{one.before.version} → v{one.after.version}", style="green"))
        else:
            why = refused.get(one.case_id) or one.refused or ""
            OUT.print(Text(f"· {one.number}  {why}", style="yellow"))
    count = len(moved)
    OUT.print(say(f"{count} 件已改用第 {shown.plan.version} 版。", f"{count} moved to version {shown.plan.version}."))


def _data(one: MovePreview) -> dict[str, Any]:
    return {
        "case_id": str(one.case_id),
        "number": one.number,
        "organisation": one.org,
        "before": one.before.model_dump(),
        "after": one.after.model_dump(),
        "level_before": one.level_before,
        "level_after": one.level_after,
        "because": one.because,
        "clocks": [_clock_data(clock) for clock in one.clocks],
        "tier_before": one.tier_before,
        "tier_after": one.tier_after,
        "told": _told(one.told),
        "changes": list(one.changes),
        "refused": one.refused,
    }


def _clock_data(clock: ClockMove) -> dict[str, Any]:
    return {
        "id": clock.id,
        "label": clock.label,
        "due_before": clock.due_before.isoformat() if clock.due_before is not None else None,
        "due_after": clock.due_after.isoformat() if clock.due_after is not None else None,
        "state_before": clock.state_before,
        "state_after": clock.state_after,
    }


def _told(told: Sequence[tuple[str, tuple[str, ...]]]) -> list[dict[str, Any]]:
    return [{"purpose": purpose, "roles": list(roles)} for purpose, roles in told]
