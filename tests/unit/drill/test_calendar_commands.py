"""`fenghuo calendar` and `fenghuo clocks due`: answers with their reasons, and errors that name the option."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.console.cli.output import OUT
from services.console.cli.wording import CommandError, use_language
from services.drill.cli import calendars, clocks
from tests.support.calendars import CALENDARS

FROM = "2026-01-26T10:00:00+08:00"
LIST = "date,kind,name\n2027-01-01,off,元旦\n2027-02-05,off,春节\n2027-02-06,off,春节\n2027-02-13,work,春节\n"


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(OUT, "width", 200)
    use_language("zh")
    yield
    use_language(None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CALENDARS, tmp_path / "calendars")
    return tmp_path / "calendars"


def due(*arguments: str, root: Path = CALENDARS) -> Result:
    return CliRunner().invoke(clocks.app, ["due", "--calendars-dir", str(root), *arguments])


def due_data(*arguments: str) -> dict[str, Any]:
    found = due(*arguments, "--json")
    assert found.exit_code == 0, found.output
    read: dict[str, Any] = json.loads(found.output)
    return read


def calendar(*arguments: str, root: Path = CALENDARS) -> Result:
    return CliRunner().invoke(calendars.app, [*arguments, "--calendars-dir", str(root)])


def refused(result: Result) -> str:
    assert isinstance(result.exception, CommandError), result.output
    return str(result.exception)


def test_fifteen_working_days_end_on_the_make_up_saturday() -> None:
    found = due_data("--from", FROM, "--limit", "15wd", "--calendar", "china")
    assert (found["last_day"], found["due"]) == ("2026-02-14", "2026-02-15T00:00:00+08:00")
    assert found["provisional"] is False
    counted = {day["date"]: day["counted"] for day in found["days"]}
    assert counted["2026-01-26"] is None
    assert counted["2026-01-31"] is None
    assert counted["2026-02-14"] == 15
    assert next(day for day in found["days"] if day["date"] == "2026-02-14")["kind"] == "make-up"
    assert found["years"][0]["source"].startswith("https://www.gov.cn/")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--limit", "15wd", "--ends", "end-of-hours"], "2026-02-14T18:00:00+08:00"),
        (["--limit", "15wd", "--ends", "same-time"], "2026-02-14T10:00:00+08:00"),
        (["--limit", "15wd", "--day-zero", "before"], "2026-02-14T00:00:00+08:00"),
        (["--limit", "8wh"], "2026-01-27T10:00:00+08:00"),
        (["--limit", "2cd"], "2026-01-29T00:00:00+08:00"),
        (["--limit", "same-day"], "2026-01-27T00:00:00+08:00"),
        (["--limit", "1mo", "--ends", "same-time"], "2026-02-26T10:00:00+08:00"),
        (["--limit", "36h"], "2026-01-27T22:00:00+08:00"),
    ],
)
def test_every_kind_of_limit_ends_where_it_should(arguments: list[str], expected: str) -> None:
    assert due_data("--from", FROM, "--calendar", "china", *arguments)["due"] == expected


def test_the_answer_reads_in_both_languages() -> None:
    chinese = due("--from", FROM, "--limit", "15wd", "--calendar", "china", "--warn", "50%").output
    assert "到期：2026-02-14 周六 24:00" in chinese
    assert "调休上班：春节" in chinese
    assert "预警 50%：2026-02-05 周四 12:00" in chinese
    use_language("en")
    english = due("--from", FROM, "--limit", "15wd", "--calendar", "china").output
    assert "Due: 2026-02-14 Sat 24:00" in english
    assert "make-up working day" in english


def test_a_deadline_in_a_year_without_its_list_says_that_it_is_provisional() -> None:
    found = due("--from", "2026-12-24T10:00:00+08:00", "--limit", "15wd", "--calendar", "china")
    assert "暂定" in found.output
    assert "推算" in found.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "yesterday", "--limit", "15wd"], "--from yesterday"),
        (["--from", "2026-01-26T10:00:00", "--limit", "15wd"], "缺少时差"),
        (["--from", FROM, "--limit", "15x"], "--limit"),
        (["--from", FROM, "--limit", "15wd"], "--calendar china"),
        (["--from", FROM, "--limit", "15wd", "--calendar", "mars"], "没有日历 mars（有：china、england）"),
        (["--from", FROM, "--limit", "1d", "--zone", "Mars/Olympus"], "--zone Mars/Olympus"),
        (["--from", FROM, "--limit", "15wd", "--calendar", "china", "--warn", "0%"], "--warn"),
        (["--from", "2090-01-01T00:00:00Z", "--limit", "15wd", "--calendar", "china"], "超出日历范围"),
        (["--from", "1999-01-28T10:00:00+08:00", "--limit", "15wd", "--calendar", "china"], "1999-01-28 is before it"),
        (["--from", "9999-12-31T23:00:00+00:00", "--limit", "8h"], "1900"),
        (["--from", "0001-01-01T00:00:00+14:00", "--limit", "8h"], "2199"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_option(arguments: list[str], message: str) -> None:
    assert message in refused(due(*arguments))


def test_a_month_shows_why_each_day_is_worked_or_not() -> None:
    found = calendar("show", "china", "--month", "2026-02")
    assert found.exit_code == 0
    assert "2026-02-14 周六  上班  调休上班：春节" in found.output
    assert "16 个工作日" in found.output
    assert "尚未公布" in calendar("show", "china", "--month", "2027-02").output
    assert "--month 2026-13" in refused(calendar("show", "china", "--month", "2026-13"))


def test_calendars_and_years_are_listed_with_their_sources() -> None:
    assert "2019-2026" in calendar("show").output
    years = json.loads(calendar("show", "china", "--json").output)
    assert {one["year"]: one["status"] for one in years}[2027] == "predicted"


def test_an_imported_year_is_published_and_deadlines_use_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    arguments = ["import", str(tmp_path / "list.csv"), "--year", "2027", "--source", "https://www.gov.cn/2027"]
    found = calendar(*arguments, root=folder)
    assert found.exit_code == 0, found.exception
    assert "休息 3 天，调休上班 1 天" in found.output
    assert "推算" in found.output
    answer = due("--from", "2027-02-04T10:00:00+08:00", "--limit", "6wd", "--calendar", "china", "--json", root=folder)
    read = json.loads(answer.output)
    # 8 to 12 February and the Saturday that is worked.
    assert (read["last_day"], read["provisional"]) == ("2027-02-13", False)
    assert "已经公布" in refused(calendar(*arguments, root=folder))
    assert calendar(*arguments, "--replace", root=folder).exit_code == 0
    assert [path.name for path in (folder / "china" / "years").glob("2027*")] == ["2027.yaml"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_list_is_read_as_spreadsheets_save_it(folder: Path, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "list.csv").write_text(LIST, encoding=encoding)
    arguments = ["import", str(tmp_path / "list.csv"), "--year", "2027", "--source", "https://www.gov.cn/2027"]
    assert "休息 3 天，调休上班 1 天" in calendar(*arguments, root=folder).output
    assert "春节" in (folder / "china" / "years" / "2027.yaml").read_text("utf-8")


def test_a_list_in_no_known_encoding_is_refused_by_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"date,kind,name\xff\xfe\xff")
    arguments = ["import", str(tmp_path / "list.csv"), "--year", "2027", "--source", "https://www.gov.cn/2027"]
    assert "既不是 UTF-8 也不是 GBK" in refused(calendar(*arguments, root=folder))


def test_a_list_with_problems_changes_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("date,kind,name\n2027-13-01,off,x\n", encoding="utf-8")
    before = (folder / "china" / "years" / "2027.yaml").read_text("utf-8")
    found = calendar(
        "import", str(tmp_path / "list.csv"), "--year", "2027", "--source", "https://www.gov.cn/2027", root=folder
    )
    assert "row 1, date" in refused(found)
    assert (folder / "china" / "years" / "2027.yaml").read_text("utf-8") == before
