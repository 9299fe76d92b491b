"""`clocks explain`: why the clocks of a case are due when they are, read from the escalator's schema."""

import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from services.escalator.app.explain_clocks import ExplainedCase, explain_clocks
from services.escalator.domain.explanation import ClockExplanation, Days
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.calendars.model import YearStatus
from shared.db.engine import DATABASE_ERRORS, Database
from shared.plans.description_words import length
from shared.runtime.installation import InstallationUnreadableError, installation
from shared.runtime.terminal import Terminal

_VARIABLE: Final = "FENGHUO_ESCALATOR_DATABASE_URL"
_OUT: Final = Terminal()


def explain(
    case: Annotated[str, typer.Argument(help="编号或案件 id / number or id of the case")],
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url", help=f"缺省取 {_VARIABLE} 或本机安装 / absent: {_VARIABLE} or this machine's installation"
        ),
    ] = None,
    calendars_dir: Annotated[Path, typer.Option("--calendars-dir")] = Path("deploy/calendars"),
    org: Annotated[str | None, typer.Option("--org", help="只看该组织 / only this organisation's")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """为何此时到期、为何触发或未触发 / why it is due then, why it fired or did not."""
    address = _address(database_url)
    try:
        found = asyncio.run(_read(address, case, calendars_dir, org))
    except CalendarFilesError as error:
        _fail(f"--calendars-dir {calendars_dir}: {error}")
    except NeedsCalendarError as error:
        _fail(f"--calendars-dir {calendars_dir}：日历不足以计算 / cannot count by these calendars: {error}")
    except DATABASE_ERRORS as error:
        _fail(f"数据库不可用 / the database cannot be read: {type(error).__name__}: {error}")
    if not found:
        _fail(f"没有案件 {case} / no case {case}")
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        _print(one)


def _address(given: str | None) -> str:
    try:
        installed = (installation().get("databases") or {}).get("escalator")
    except InstallationUnreadableError as error:
        _fail(f"无法读取 / cannot be read: {error}")
    address = str(given or os.environ.get(_VARIABLE) or installed or "")
    if not address:
        _fail(f"请设置 {_VARIABLE} 或 --database-url / set {_VARIABLE} or --database-url")
    if not address.startswith(("postgresql://", "postgresql+asyncpg://")):
        _fail("--database-url 不是 postgresql:// 地址 / is no postgresql:// address")
    return address


async def _read(address: str, case: str, calendars_dir: Path, org: str | None) -> list[ExplainedCase]:
    calendars = await asyncio.to_thread(CalendarLibrary.load, calendars_dir)
    database = Database.connect(address, application="fenghuo-cli", pool_size=2)
    try:
        return await explain_clocks(case, database=database, calendars=calendars, org=org)
    finally:
        await database.close()


def _print(one: ExplainedCase) -> None:
    plan = one.case.plan
    _OUT.print(
        Text(one.case.number, style="bold").append(
            f"  {plan.name} v{plan.version} ({plan.sha256[:12]})  {one.case.state.value}", style="not bold"
        )
    )
    for clock in one.clocks:
        _print_clock(clock)


def _print_clock(clock: ClockExplanation) -> None:
    due = f"到期 due {_at(clock.due_at)}" if clock.due_at is not None else "暂停中，无到期时刻 / stands still"
    sure = "（暂定：依据的年份尚未公布 / provisional）" if clock.provisional else ""
    words = f" {clock.label}  {clock.state.value}  {due}{sure}"
    _OUT.print(Text(f"\n{clock.id}", style="bold").append(words, style="not bold"))
    by = f"，日历 calendar {clock.calendar}" if clock.calendar else ""
    limit = length(clock.limit)
    _OUT.print(f"  限期 {limit.zh} / limit {limit.en}，起算 from {_at(clock.started_at)}{by}")
    if clock.counts_from is not None:
        _OUT.print(f"  首日不计，自 {_at(clock.counts_from)} 计 / the first day is left out")
    _OUT.print(
        f"  总时长 gross {_span(clock.gross)}，净时长 net {_span(clock.net)}，"
        f"停计 stood still {_span(clock.stood_still)}，已用 spent {clock.spent_share:.1%}"
    )
    for span in clock.spans:
        what = "计时 counts" if span.running else f"停计 stands still: {span.why}"
        _OUT.print(f"  {_at(span.start)} → {_at(span.end)}  {what}")
    for days in clock.days:
        _print_days(days)
    for changed in clock.changes:
        entry = changed.entry
        _OUT.print(f"  {_at(entry.at)} {entry.kind.value} {entry.reason or ''} ({changed.cause})")
    for asked in clock.extensions:
        decided = {None: "待批 pending", True: "已批 granted", False: "不批 denied"}[asked.approved]
        by_whom = f" {asked.decided_by.ref} ({asked.role})" if asked.decided_by is not None else ""
        told = f"，已告知 told {_at(asked.told_at)}" if asked.told_at is not None else ""
        _OUT.print(f"  延期 extension {asked.by}: {asked.asked_by.ref} {_at(asked.asked_at)} {decided}{by_whom}{told}")
    rows = Table("阈值 threshold", "时刻 at", "结果 outcome", "迟 late", "原因 why", box=None, padding=(0, 2))
    for post in clock.mileposts:
        late = _span(post.late_by) if post.late_by is not None else ""
        rows.add_row(post.threshold, _at(post.at), post.outcome, late, post.why)
    _OUT.print(rows)


def _print_days(days: Days) -> None:
    dates = f"{days.first}" if days.first == days.last else f"{days.first} → {days.last}"
    what = (
        f"第 {days.numbers[0]}–{days.numbers[1]} 日 / counted" if days.numbers else f"工时 worked {_span(days.worked)}"
    )
    sure = "" if days.status is YearStatus.PUBLISHED else f" （{days.status.value}）"
    _OUT.print(f"  {dates}  {days.kind.value} {days.name or ''}  {what}{sure}", style="dim")


def _at(instant: datetime | None) -> str:
    return instant.isoformat(timespec="seconds") if instant is not None else "—"


def _span(length: timedelta) -> str:
    return str(timedelta(seconds=round(length.total_seconds(), 3)))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
