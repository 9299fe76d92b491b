"""`calendar`: show a month, and take over the official list of a year."""

import calendar as civil
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.console.cli.output import OUT, print_json, table
from services.console.cli.wording import CommandError, language, say
from services.drill.app.import_calendar_year import YearThereError, import_calendar_year
from shared.calendars.business import BusinessCalendar
from shared.calendars.days import Day, DayKind
from shared.calendars.library import CalendarFilesError, CalendarLibrary, UnknownCalendarError
from shared.calendars.model import YearStatus
from shared.calendars.official_list import OfficialListError

app: Final = typer.Typer(
    name="calendar",
    help="工作日历：查看、导入年度放假安排 / calendars: show, import a year's list",
    no_args_is_help=True,
)
CalendarsDir = Annotated[
    Path, typer.Option("--calendars-dir", envvar="FENGHUO_CALENDARS_DIR", help="日历目录 / folder of the calendars")
]
DEFAULT_DIR: Final = Path("deploy/calendars")
_MONTH_PARTS: Final = 2
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="日历名；缺省列出全部 / calendar; absent: list them")] = None,
    month: Annotated[str | None, typer.Option("--month", help="2026-02；缺省全年概览 / absent: the years")] = None,
    org: Annotated[str | None, typer.Option("--org", help="组织自己的日历 / as this organisation keeps it")] = None,
    calendars_dir: CalendarsDir = DEFAULT_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """每天是否上班、为何、几点到几点 / which days are worked, why and when."""
    library = load(calendars_dir)
    if name is None:
        _print_calendars(library, as_json=as_json)
        return
    calendar = get(library, name, org)
    if month is None:
        _print_years(library, calendar, as_json=as_json)
        return
    days = [calendar.table.day(day) for day in _days_of(month)]
    if as_json:
        print_json({"calendar": name, "identity": calendar.identity, "days": [day_data(day) for day in days]})
        return
    shown = table(say("日期", "Date"), say("上班", "Work"), say("依据", "Because"), say("时段", "Hours"))
    for day in days:
        shown.add_row(
            f"{day.date} {weekday(day.date)}",
            say("上班", "work") if day.works else say("休息", "off"),
            why(day),
            hours(day),
            style="" if day.works else "dim",
        )
    OUT.print(f"{name}  {calendar.zone.key}  {calendar.identity}", style="dim")
    OUT.print(shown)
    worked = sum(day.works for day in days)
    OUT.print(say(f"{worked} 个工作日", f"{worked} working days"))
    _print_doubt(days[0].date.year, days[0].status)


def _text(content: bytes, file: Path) -> str:
    """Spreadsheets of the country save in GBK, others in UTF-8 with or without a mark."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CommandError(f"读不了 {file}：既不是 UTF-8 也不是 GBK。", f"{file} is neither UTF-8 nor GBK.", 2)


@app.command(name="import")
def import_year(
    file: Annotated[Path, typer.Argument(help="CSV、YAML 或 JSON：日期、休/班、名称 / date, off or work, name")],
    year: Annotated[int, typer.Option("--year", min=1970, max=2200, help="年份 / the year")],
    source: Annotated[str, typer.Option("--source", help="公布该安排的网址 / where the list was published")],
    name: Annotated[str, typer.Option("--calendar", help="日历名 / calendar")] = "china",
    calendars_dir: CalendarsDir = DEFAULT_DIR,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="替换已公布的年份 / even if it is there")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """导入国家公布的年度放假安排 / take over a year's official list; provisional deadlines are then recounted."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"读不了 {file}：{error}", f"{file} cannot be read: {error}", 2) from error
    try:
        done = import_calendar_year(
            calendars_dir, name, _text(content, file), year=year, source=source, replace_published=replace
        )
    except OfficialListError as error:
        raise CommandError(f"{file} 有误：\n{error}", f"{file} has problems:\n{error}", 2) from error
    except CalendarFilesError as error:
        raise CommandError(f"日历文件有误：\n{error}", f"calendar files have problems:\n{error}", 2) from error
    except UnknownCalendarError as error:
        raise CommandError(f"没有日历 {name}。", f"{error}", 2) from error
    except YearThereError as error:
        raise CommandError(
            f"{year} 年的安排已经公布；要替换请加 --replace。", f"{error}; add --replace to replace it.", 2
        ) from error
    except OSError as error:
        raise CommandError(
            f"写不了 {calendars_dir}：{error}", f"{calendars_dir} cannot be written: {error}", 2
        ) from error
    if as_json:
        print_json(
            {
                "file": str(done.path),
                "year": year,
                "days_off": done.days_off,
                "make_up_days": done.make_up_days,
                "working_days": done.working_days,
                "was": done.replaced,
            }
        )
        return
    was = status_word(done.replaced)
    OUT.print(
        say(
            f"已写入 {done.path}：休息 {done.days_off} 天，调休上班 {done.make_up_days} 天，"
            f"全年 {done.working_days} 个工作日（此前：{was}）。",
            f"Written {done.path}: {done.days_off} days off, {done.make_up_days} make-up days, "
            f"{done.working_days} working days in the year (before: {was}).",
        ),
        soft_wrap=True,
    )


def load(root: Path) -> CalendarLibrary:
    """Raises CommandError with every problem of the files."""
    try:
        return CalendarLibrary.load(root)
    except CalendarFilesError as error:
        raise CommandError(f"日历文件有误：\n{error}", f"Calendar files have problems:\n{error}") from error


def get(library: CalendarLibrary, name: str, org: str | None, zone: str | None = None) -> BusinessCalendar:
    """Raises CommandError for a name that is not there."""
    try:
        return library.get(name, org=org, zone=zone)
    except UnknownCalendarError as error:
        known = "、".join(library.names()) or "无"
        raise CommandError(f"没有日历 {name}（有：{known}）。", f"{error}.", 2) from error


def weekday(day: date) -> str:
    return say("周" + "一二三四五六日"[day.weekday()], _WEEKDAYS[day.weekday()])


def status_word(status: YearStatus) -> str:
    words = {
        YearStatus.PUBLISHED: ("已公布", "published"),
        YearStatus.PREDICTED: ("推算", "predicted"),
        YearStatus.MISSING: ("未知", "missing"),
    }
    return say(*words[status])


def why(day: Day) -> str:
    """Why a date is worked or not, as people say it."""
    words = {
        DayKind.WORKDAY: ("工作日", "working day"),
        DayKind.WEEKEND: ("周末", "weekend"),
        DayKind.HOLIDAY: ("放假", "holiday"),
        DayKind.MAKE_UP: ("调休上班", "make-up working day"),
        DayKind.SPECIAL: ("特殊工时", "special hours"),
    }
    kind = say(*words[day.kind])
    name = say(f"：{day.name}", f": {day.name}") if day.name else ""
    own = say("（本组织）", " (own)") if day.own else ""
    return f"{kind}{name}{own}"


def hours(day: Day) -> str:
    return " ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in day.hours) or "—"


def day_data(day: Day) -> dict[str, Any]:
    return {
        "date": str(day.date),
        "works": day.works,
        "kind": day.kind,
        "name": day.name,
        "hours": hours(day).split() if day.works else [],
        "year_status": day.status,
        "own": day.own,
    }


def _days_of(month: str) -> list[date]:
    parts = month.split("-")
    if len(parts) == _MONTH_PARTS and all(part.isascii() and part.isdigit() for part in parts):
        year, number = int(parts[0]), int(parts[1])
        if date.min.year <= year <= date.max.year and 1 <= number <= 12:  # noqa: PLR2004  # months of a year
            first = date(year, number, 1)
            return [first + timedelta(days=offset) for offset in range(civil.monthrange(year, number)[1])]
    raise CommandError(
        f"--month {month} 不是 2026-02 这样的月份。", f"--month: '{month}' is no month such as 2026-02.", 2
    )


def _print_doubt(year: int, status: YearStatus) -> None:
    if status is not YearStatus.PUBLISHED:
        OUT.print(
            say(
                f"⚠ {year} 年的放假安排尚未公布（{status_word(status)}），以上为暂定。",
                f"⚠ The list of {year} is not published ({status_word(status)}): all of this is provisional.",
            ),
            style="yellow",
        )


def _print_calendars(library: CalendarLibrary, *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "calendar": one.name,
                    "timezone": one.calendar.timezone,
                    "published": [year.year for year in one.years if year.status is YearStatus.PUBLISHED],
                    "organisations": [overlay.organisation for overlay in one.overlays],
                }
                for one in library.files
            ]
        )
        return
    shown = table(say("日历", "Calendar"), say("名称", "Title"), say("时区", "Zone"), say("已公布", "Published"))
    for one in library.files:
        published = [year.year for year in one.years if year.status is YearStatus.PUBLISHED]
        title = one.calendar.title.zh if language() == "zh" else one.calendar.title.en
        shown.add_row(
            one.name, title, one.calendar.timezone, f"{min(published)}-{max(published)}" if published else "—"
        )
    OUT.print(shown)


def _print_years(library: CalendarLibrary, calendar: BusinessCalendar, *, as_json: bool) -> None:
    years = library.file(calendar.name).years
    if as_json:
        print_json(
            [
                {
                    "year": one.year,
                    "status": one.status,
                    "working_days": calendar.working_days_of(one.year),
                    "source": one.source,
                }
                for one in years
            ]
        )
        return
    shown = table(say("年份", "Year"), say("状态", "Status"), say("工作日", "Working days"), say("来源", "Source"))
    for one in years:
        shown.add_row(str(one.year), status_word(one.status), str(calendar.working_days_of(one.year)), one.source)
    OUT.print(shown)
