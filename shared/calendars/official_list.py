"""The list of one year as an office publishes or keeps it, turned into a year's file.

Read are CSV (`date,kind,name`), YAML or JSON: a list of days, or a mapping with `days`. A day is off or worked; the
words of common lists are understood (`off`/`work`, 休/班, `isOffDay`).
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final, Literal

from pydantic import ValidationError

from shared.calendars.model import YearFile
from shared.plans.problems import PlanLibraryError
from shared.plans.yaml_text import read_yaml

Kind = Literal["off", "work"]
_KINDS: Final[Mapping[str, Kind]] = {
    "off": "off", "holiday": "off", "true": "off", "休": "off", "休息": "off", "放假": "off",
    "work": "work", "workday": "work", "false": "work", "班": "work", "上班": "work", "调休": "work",
}  # fmt: skip
_DATE: Final = ("date", "日期")
_KIND: Final = ("is", "kind", "type", "isoffday", "类型", "off|work")
_NAME: Final = ("name", "名称", "节日")
_MOST: Final = 366


class OfficialListError(ValueError):
    """The list cannot be taken over. `problems` says why, row by row."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__("\n".join(self.problems))


def read_official_list(text: str, *, year: int, source: str) -> YearFile:
    """The published year a list describes. Raises OfficialListError with everything wrong, by row and field."""
    rows = _rows(text.removeprefix("\ufeff"))
    if not rows:
        raise OfficialListError(["the list names no day"])
    if len(rows) > _MOST:
        raise OfficialListError([f"the list has {len(rows)} rows; a year has at most {_MOST} days"])
    problems: list[str] = []
    days = [day for number, row in enumerate(rows, start=1) if (day := _day(number, row, year, problems)) is not None]
    problems.extend(_doubles(days))
    if problems:
        raise OfficialListError(problems)
    try:
        return YearFile.model_validate(
            {"year": year, "status": "published", "source": source, "days": [_spec(span) for span in _spans(days)]}
        )
    except ValidationError as error:
        shown = (f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}" for one in error.errors())
        raise OfficialListError(shown) from error


def year_text(year: YearFile) -> str:
    """A year as its file, in one form: a day or span a line."""
    lines = [f"year: {year.year}", f"status: {year.status}", f"source: {_quoted(year.source)}", "days:"]
    for spec in year.days:
        dates = f'date: "{spec.on}"' if spec.on is not None else f'from: "{spec.first}", until: "{spec.until}"'
        hours = f", hours: [{', '.join(_quoted(one) for one in spec.hours)}]" if spec.hours else ""
        lines.append(f"  - {{{dates}, is: {spec.kind}, name: {_quoted(spec.name)}{hours}}}")
    return "\n".join(lines) + "\n"


def _rows(text: str) -> list[Mapping[str, Any]]:
    found = _parsed(text)
    if isinstance(found, dict):
        found = found.get("days")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise OfficialListError(["the list is neither CSV with a heading nor YAML or JSON with a list of days"])
    return [{str(key).strip().lower(): value for key, value in row.items() if key is not None} for row in found]


def _parsed(text: str) -> Any:
    heading = text.lstrip().partition("\n")[0]
    if heading.startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError as error:
            raise OfficialListError([f"this is not JSON: {error}"]) from error
    if ":" not in heading and "," in heading:
        return list(csv.DictReader(io.StringIO(text.lstrip())))
    try:
        return read_yaml(text, "list")[0]
    except PlanLibraryError as error:
        raise OfficialListError(str(problem) for problem in error.problems) from error


def _day(number: int, row: Mapping[str, Any], year: int, problems: list[str]) -> tuple[date, Kind, str] | None:
    before = len(problems)
    day = _date(number, row, year, problems)
    kind = _KINDS.get(str(_field(row, _KIND)).strip().lower())
    if kind is None:
        problems.append(f"row {number}, kind: '{_field(row, _KIND)}' is neither off nor work")
    name = str(_field(row, _NAME) or "").strip()
    if not name:
        problems.append(f"row {number}, name: is missing")
    return (day, kind, name) if day is not None and kind is not None and len(problems) == before else None


def _date(number: int, row: Mapping[str, Any], year: int, problems: list[str]) -> date | None:
    written = str(_field(row, _DATE) or "").strip()
    try:
        day = date.fromisoformat(written)
    except ValueError:
        problems.append(f"row {number}, date: '{written[:20]}' is not a date such as {year}-01-01")
        return None
    if day.year != year and (day.year, day.month) != (year - 1, 12):
        problems.append(f"row {number}, date: {day} is not in {year}")
        return None
    return day


def _field(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _doubles(days: list[tuple[date, Kind, str]]) -> list[str]:
    seen: set[date] = set()
    doubled: list[str] = []
    for day, _, _ in days:
        if day in seen:
            doubled.append(f"date: {day} stands twice")
        seen.add(day)
    return doubled


def _spans(days: list[tuple[date, Kind, str]]) -> list[list[tuple[date, Kind, str]]]:
    """Days off in a row under one name, together; every worked day alone."""
    found: list[list[tuple[date, Kind, str]]] = []
    for day in sorted(days):
        last = found[-1][-1] if found else None
        follows = last is not None and last[1:] == day[1:] and day[0] - last[0] == timedelta(days=1)
        if follows and day[1] == "off":
            found[-1].append(day)
        else:
            found.append([day])
    return found


def _spec(span: list[tuple[date, Kind, str]]) -> dict[str, Any]:
    (first, kind, name), last = span[0], span[-1][0]
    dates: dict[str, Any] = {"date": first} if first == last else {"from": first, "until": last}
    return {**dates, "is": kind, "name": name}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
