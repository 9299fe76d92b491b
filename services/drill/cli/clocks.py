"""`clocks due`: when a limit ends and why then, counted by the escalator's own rules, without a running line."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import typer

from services.console.cli.output import OUT, print_json, table
from services.console.cli.wording import CommandError, say
from services.drill.app.explain_deadline import Deadline, explain_deadline
from services.drill.cli.calendars import DEFAULT_DIR, CalendarsDir, get, hours, load, status_word, weekday, why
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.calendars.business import BusinessCalendar
from shared.calendars.explanation import CountedSpan
from shared.calendars.model import checked_zone
from shared.plans.limits import Limit, LimitBase, Threshold, parse_limit, parse_threshold

app: Final = typer.Typer(
    name="clocks", help="时限：何时到期、为何 / clocks: when a limit ends, and why", no_args_is_help=True
)
Ends = Literal["end-of-day", "end-of-hours", "same-time"]
DayZero = Literal["start", "before"]
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2199


@app.callback()
def clocks() -> None:
    """时限：何时到期、为何 / clocks: when a limit ends, and why."""


@app.command()
def due(  # noqa: PLR0917  # Typer takes options by name
    start: Annotated[str, typer.Option("--from", help="起算时刻，须带时差 / ISO 8601 with an offset")],
    limit: Annotated[str, typer.Option("--limit", help="15wd 4wh 2cd 1mo same-day 36h …")],
    calendar: Annotated[str | None, typer.Option("--calendar", help="日历名 / calendar, such as china")] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="时区；缺省为日历的 / absent: the calendar's")] = None,
    org: Annotated[str | None, typer.Option("--org", help="组织自己的日历 / as this organisation keeps it")] = None,
    ends: Annotated[Ends, typer.Option("--ends", help="最后一日何时截止 / when the last day is over")] = "end-of-day",
    day_zero: Annotated[DayZero, typer.Option("--day-zero", help="before：起算日计入 / counts itself")] = "start",
    warn: Annotated[list[str] | None, typer.Option("--warn", help="50% -2d：预警 / when to warn")] = None,
    calendars_dir: CalendarsDir = DEFAULT_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """何时到期，哪些天计入、哪些不计、为何 / when it ends, which days counted, which did not, and why."""
    found = get(load(calendars_dir), calendar, org, _zone(zone)) if calendar is not None else None
    wanted = _limit(limit, ends, day_zero)
    try:
        deadline = explain_deadline(
            _instant(start),
            wanted,
            zone=found.zone if found is not None else ZoneInfo(_zone(zone) or "Asia/Shanghai"),
            calendar=found,
            warn=[_threshold(text) for text in warn or ()],
        )
    except NeedsCalendarError as error:
        if found is None:
            raise CommandError(
                f"--limit {limit} 须按日历计算，请加 --calendar china。",
                f"--limit {limit} is counted by a calendar; add --calendar china.",
                2,
            ) from error
        raise CommandError(f"--from/--limit 超出日历范围：{error}", f"--from/--limit: {error}", 2) from error
    if as_json:
        print_json(_data(deadline, found))
    else:
        _print(deadline, limit, found)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--from {text} 不是时刻，例如 2026-01-26T10:00:00+08:00。",
            f"--from: '{text}' is no instant such as 2026-01-26T10:00:00+08:00.",
            2,
        ) from error
    if found.tzinfo is None:
        raise CommandError(
            f"--from {text} 缺少时差，例如 {text}+08:00。",
            f"--from: '{text}' lacks its offset, such as {text}+08:00.",
            2,
        )
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise CommandError(
            f"--from {text} 须在 {_FIRST_YEAR} 年至 {_LAST_YEAR} 年之间。",
            f"--from: '{text}' is not between the years {_FIRST_YEAR} and {_LAST_YEAR}.",
            2,
        )
    return found


def _zone(name: str | None) -> str | None:
    try:
        return checked_zone(name) if name is not None else None
    except ValueError as error:
        raise CommandError(f"--zone {name} 不是 IANA 时区。", f"--zone: {error}.", 2) from error


def _limit(text: str, ends: Ends, day_zero: DayZero) -> Limit:
    try:
        limit = parse_limit(text)
    except ValueError as error:
        raise CommandError(f"--limit：{error}", f"--limit: {error}", 2) from error
    return replace(limit, day_zero=day_zero, ends=ends)


def _threshold(text: str) -> Threshold:
    try:
        return parse_threshold(text)
    except ValueError as error:
        raise CommandError(f"--warn：{error}", f"--warn: {error}", 2) from error


def _shown(instant: datetime, zone: ZoneInfo) -> str:
    """A local time as people write it: midnight is the end of the day before."""
    local = instant.astimezone(zone)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        day = local.date() - timedelta(days=1)
        return f"{day} {weekday(day)} 24:00"
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local.date()} {weekday(local.date())} {clock}"


def _print(deadline: Deadline, limit: str, calendar: BusinessCalendar | None) -> None:
    zone = deadline.zone
    start = _shown(deadline.start, zone)
    named = " ".join((calendar.name if calendar is not None else "", zone.key)).strip()
    OUT.print(say(f"自 {start} 起 {limit}（{named}）", f"{limit} from {start} ({named})"), style="dim")
    if deadline.counts_from > deadline.start:
        OUT.print(
            say(
                f"起算日不计入，自 {_shown(deadline.counts_from, zone)} 起算",
                f"The first day is not counted: from {_shown(deadline.counts_from, zone)}",
            ),
            style="dim",
        )
    local = deadline.due.at.astimezone(zone).isoformat()
    OUT.print(
        say(f"到期：{_shown(deadline.due.at, zone)}  = {local}", f"Due: {_shown(deadline.due.at, zone)}  = {local}")
    )
    for passing in deadline.passings:
        shown_at = _shown(passing.at, zone)
        OUT.print(say(f"  预警 {passing.threshold}：{shown_at}", f"  warned at {passing.threshold}: {shown_at}"))
    if deadline.spans:
        shown = table(
            say("日期", "Dates"),
            say("计入", "Counted"),
            say("依据", "Because"),
            say("时段", "Hours"),
            say("工时", "Time"),
        )
        shown.columns[0].no_wrap = True
        in_days = deadline.limit.base is LimitBase.WORKING_DAYS
        for span in deadline.spans:
            row, counts = _row(span, in_days=in_days)
            shown.add_row(*row, style="" if counts else "dim")
        OUT.print(shown)
    for year in deadline.years:
        OUT.print(f"{year.year}  {status_word(year.status)}  {year.source or '—'}", style="dim", soft_wrap=True)
    if deadline.due.provisional:
        OUT.print(
            say(
                "⚠ 暂定：期限跨入尚未公布放假安排的年份，公布后须重算。",
                "⚠ Provisional: it reaches into a year whose list is not published; it is recounted when it is.",
            ),
            style="yellow",
        )


def _row(span: CountedSpan, *, in_days: bool) -> tuple[tuple[str, ...], bool]:
    """The cells of a line, and whether its days count."""
    first, last = span.first, span.last
    dates = f"{first.date} {weekday(first.date)}"
    if last is not first:
        dates += f" – {last.date:%m-%d} {weekday(last.date)}"
    worked = sum((day.worked for day in span.days), timedelta())
    counts = first.number is not None if in_days else bool(worked)
    if not in_days:
        counted = "✓" if counts else "—"
    elif first.number is None:
        counted = say("起算日", "day 0") if first.first else "—"
    else:
        counted = str(first.number) if last is first else f"{first.number}–{last.number}"
    length = _length(worked) if counts else "—"
    return (dates, counted, why(first.day), hours(first.day), length), counts


def _length(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    return f"{minutes // 60}:{minutes % 60:02}" if minutes else "—"


def _data(deadline: Deadline, calendar: BusinessCalendar | None) -> dict[str, Any]:
    zone = deadline.zone
    counted_in_days = deadline.limit.base is LimitBase.WORKING_DAYS
    return {
        "from": deadline.start.astimezone(zone).isoformat(),
        "limit": {
            "base": deadline.limit.base,
            "amount": deadline.limit.amount,
            "ends": deadline.limit.ends,
            "day_zero": deadline.limit.day_zero,
        },
        "timezone": zone.key,
        "calendar": calendar.identity if calendar is not None else None,
        "counts_from": deadline.counts_from.astimezone(zone).isoformat(),
        "due": deadline.due.at.astimezone(zone).isoformat(),
        "last_day": str((deadline.due.at - timedelta(microseconds=1)).astimezone(zone).date()),
        "provisional": deadline.due.provisional,
        "warnings": [
            {"at": one.at.astimezone(zone).isoformat(), "threshold": one.threshold} for one in deadline.passings
        ],
        "days": [
            {
                "date": str(day.date),
                "counted": day.number if counted_in_days else None,
                "kind": day.day.kind,
                "name": day.day.name,
                "hours": hours(day.day).split() if day.day.works else [],
                "worked_seconds": int(day.worked.total_seconds()),
                "year_status": day.day.status,
            }
            for span in deadline.spans
            for day in span.days
        ],
        "years": [{"year": one.year, "status": one.status, "source": one.source} for one in deadline.years],
    }
