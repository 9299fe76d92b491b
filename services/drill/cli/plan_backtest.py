"""`plans backtest`: what a plan would have made of the events of the past."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from services.console.cli.connection import Connection
from services.console.cli.wording import CommandError
from services.drill.app.backtest_plan import Backtest, Span, backtest_plan
from services.drill.app.read_draft import read_draft
from services.drill.cli.plan_options import (
    CALENDARS_DIR,
    PLANS_DIR,
    AsJson,
    CalendarsDir,
    PlansDir,
    complain,
    fail,
    message,
    print_json,
)
from services.drill.domain.events_file import Columns, EventsFileError, rows_of, shortened
from services.drill.domain.register import rows_of_register
from services.drill.domain.replayed import CaseSum, ReplaySum
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.plans.compiled import CompiledPlan
from shared.plans.limits import parse_elapsed
from shared.plans.problems import PlanLibraryError
from shared.runtime.clock import SystemClock

_SHOWN: Final = 40
_PAGE: Final = 1000
_MOST_DAYS: Final = 3660


def backtest(
    plan: Annotated[str, typer.Argument(help="A plan's name, file or folder · 预案名、文件或目录")],
    *,
    events: Annotated[Path | None, typer.Option("--events", help="CSV or JSONL, UTF-8 or GBK · 历史事件文件")] = None,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, max=_MOST_DAYS, help="Instead of a file: the register's last days · 登记库最近几天"
        ),
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=NAME: a field or a fact · 列名=字段或事实")
    ] = None,
    fixed: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE for every event · 统一取值")] = None,
    time_format: Annotated[
        str | None, typer.Option(help="As in strptime, where a date is ambiguous · 日期格式")
    ] = None,
    against: Annotated[str | None, typer.Option(help="Another plan to compare with · 对比的预案")] = None,
    since: Annotated[str | None, typer.Option("--from", help="ISO 8601: only events from then on · 起")] = None,
    until: Annotated[str | None, typer.Option("--to", help="ISO 8601: only events before then · 止")] = None,
    run_for: Annotated[str, typer.Option(help="How long time runs on after the last event · 延续时长")] = "1d",
    answered: Annotated[
        str | None,
        typer.Option("--acknowledged-after", help="Where the file does not say · 文件未写确认时间时假定多久确认"),
    ] = None,
    plans_dir: PlansDir = PLANS_DIR,
    calendars_dir: CalendarsDir = CALENDARS_DIR,
    as_json: AsJson = False,
) -> None:
    """Replay events of the past: levels, pages and breaches, and what another plan makes of them · 用历史事件回测."""
    try:
        draft = read_draft(plan, plans_dir)[0]
        other = read_draft(against, plans_dir)[0] if against else None
        rows = _rows(events, days)
        columns = Columns(_pairs(mapped, "--map"), _pairs(fixed, "--set"), time_format)
        span = Span(
            _instant(since, draft.zone),
            _instant(until, draft.zone),
            parse_elapsed(run_for),
            parse_elapsed(answered) if answered else None,
        )
        calendars = CalendarLibrary.load(calendars_dir)
        found = backtest_plan(draft, other, rows, columns=columns, span=span, calendars=calendars)
    except (PlanLibraryError, CalendarFilesError) as error:
        fail(error, as_json=as_json)
    except OSError as error:
        complain(f"{events} cannot be read: {error.strerror}", as_json=as_json)
    except CommandError as error:
        complain(str(error), as_json=as_json)
    except (EventsFileError, NeedsCalendarError, ValueError) as error:
        complain(message(error), as_json=as_json)
    if as_json:
        print_json(_data(found))
    else:
        _print(found, draft, other)


def _rows(events: Path | None, days: int | None) -> list[dict[str, str]]:
    if events is not None and days is None:
        return rows_of(events.read_bytes(), events.name)
    if days is not None and events is None:
        return rows_of_register(_registered(Connection.find(), days))
    raise EventsFileError("give either --events FILE or --days N · --events 与 --days 二选一")


def _registered(connection: Connection, days: int) -> Iterator[dict[str, Any]]:
    """Reports of the days before now, page by page. Raises CommandError when the console does not answer."""
    now, after = SystemClock().now(), None
    span = {"from": (now - timedelta(days=days)).isoformat(), "to": now.isoformat()}
    while True:
        page = connection.get(connection.console_url, "/v1/reports", **span, after=after, limit=_PAGE)
        yield from page["reports"]
        after = page["next"]
        if after is None:
            return


def _pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    found = {}
    for text in texts or ():
        name, equals, value = text.rpartition("=") if option == "--map" else text.partition("=")
        if not equals or not name:
            raise EventsFileError(f"{option} is written name=value, not '{text}'")
        found[name] = value
    return found


def _instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _print(found: Backtest, plan: CompiledPlan, other: CompiledPlan | None) -> None:
    console = Console(highlight=False)
    console.print(
        f"[bold]{plan.name} v{plan.ref.version}[/bold]: {found.events.cases} 件 cases, "
        f"{found.start.astimezone(plan.zone):%Y-%m-%d %H:%M} – {found.end.astimezone(plan.zone):%Y-%m-%d %H:%M}"
    )
    if other is not None:
        console.print(f"对比 against {other.name} v{other.ref.version}", style="dim")
    for title, mine, theirs in _tables(found, plan, other):
        headers = ["本预案 This", *(["对比 Other", "差 Difference"] if theirs is not None else [])]
        table = Table(title, *(Column(header, justify="right") for header in headers))
        for name in dict.fromkeys([*mine, *(theirs or {})]):
            here, there = mine.get(name, 0), (theirs or {}).get(name, 0)
            table.add_row(escape(name), str(here), *([str(there), f"{here - there:+d}"] if theirs is not None else []))
        if table.row_count:
            console.print(table)
    if found.unanswered:
        console.print(
            f"[yellow]{found.unanswered} 件无确认时间，按无人确认回放，呼叫次数是上限（可设 --acknowledged-after）；"
            f"{found.unanswered} cases say of no acknowledgement, so pages are an upper bound[/yellow]",
            soft_wrap=True,
        )
    if other is not None:
        _print_changed(console, found)
    for name, texts in (("未回放 left out", found.events.left_out), ("不合类型 unfit", found.events.unfit)):
        for text in shortened(texts):
            console.print(f"[yellow]{name}[/yellow] {escape(text)}", soft_wrap=True)


def _print_changed(console: Console, found: Backtest) -> None:
    table = Table("编号 Case", "对比 Other", "本预案 This", title=f"{len(found.changed)} 件不同 cases differ")
    for one in found.changed[:_SHOWN]:
        table.add_row(escape(one.name), escape(_said(one.before)), escape(_said(one.after)))
    console.print(table)
    if len(found.changed) > _SHOWN:
        console.print(f"… {len(found.changed) - _SHOWN} (--json 列出全部 lists all)", style="dim")


def _said(case: CaseSum) -> str:
    level = f"{case.level} ({case.decided_by})" if case.level else "—"
    late = f", 超时 late: {', '.join(case.broken)}" if case.broken else ""
    return f"{level}, 呼叫 pages {case.pages}{late}"


Table3 = tuple[str, Mapping[str, int], Mapping[str, int] | None]


def _tables(found: Backtest, plan: CompiledPlan, other: CompiledPlan | None) -> list[Table3]:
    mine, theirs = _counts(found.plan, plan), _counts(found.other, other) if found.other and other else None
    return [(title, mine[title], theirs[title] if theirs is not None else None) for title in mine]


def _counts(summed: ReplaySum, plan: CompiledPlan) -> dict[str, dict[str, int]]:
    order = [level.id for level in reversed(plan.plan.levels)]
    levels = {level: summed.levels.get(level, 0) for level in order} | {"—": summed.levels.get(None, 0)}
    return {
        "级别 Level": levels,
        "预警件 Warnings": {level: summed.warnings[level] for level in order if level in summed.warnings},
        "通知 Told": {f"{role} · {purpose.value}": number for (role, purpose), number in sorted(summed.told.items())},
        "超时 Breaches": dict(sorted(summed.broken.items())),
    }


def _data(found: Backtest) -> dict[str, Any]:
    return {
        "cases": found.events.cases,
        "unanswered": found.unanswered,
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "plan": _sum_data(found.plan),
        "other": _sum_data(found.other) if found.other is not None else None,
        "changed": [asdict(one) for one in found.changed],
        "left_out": list(found.events.left_out),
        "unfit": list(found.events.unfit),
    }


def _sum_data(summed: ReplaySum) -> dict[str, Any]:
    return {
        "levels": {level or "none": number for level, number in summed.levels.items()},
        "warnings": dict(summed.warnings),
        "told": [{"role": role, "purpose": why.value, "times": times} for (role, why), times in summed.told.items()],
        "breaches": dict(summed.broken),
    }
