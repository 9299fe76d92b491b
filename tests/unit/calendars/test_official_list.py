"""Taking over a year's list: CSV, YAML and JSON, and every way it can be wrong."""

from datetime import date

import pytest

from shared.calendars.model import YearFile, YearStatus
from shared.calendars.official_list import OfficialListError, read_official_list, year_text
from shared.plans.reading import read_model
from tests.support.calendars import shipped

SOURCE = "https://www.gov.cn/list-of-2027"
CSV = """\ufeffdate,kind,name
2027-01-01,off,元旦
2027-02-05,off,春节
2027-02-06,off,春节
2027-02-07,off,春节
2027-02-13,work,春节
2026-12-26,work,元旦
"""


def test_csv_becomes_a_published_year_with_its_spans() -> None:
    found = read_official_list(CSV, year=2027, source=SOURCE)
    assert (found.year, found.status, found.source) == (2027, YearStatus.PUBLISHED, SOURCE)
    spans = [(day.on or day.first, day.on or day.until, day.kind) for day in found.days]
    assert spans == [
        (date(2026, 12, 26), date(2026, 12, 26), "work"),
        (date(2027, 1, 1), date(2027, 1, 1), "off"),
        (date(2027, 2, 5), date(2027, 2, 7), "off"),
        (date(2027, 2, 13), date(2027, 2, 13), "work"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "日期,类型,名称\n2027-01-01,休,元旦\n2027-01-09,班,元旦\n",
        "- {date: 2027-01-01, is: off, name: 元旦}\n- {date: 2027-01-09, is: work, name: 元旦}\n",
        "days:\n  - {date: 2027-01-01, kind: 放假, name: 元旦}\n  - {date: 2027-01-09, kind: 上班, name: 元旦}\n",
        (
            '{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true},'
            ' {"name": "元旦", "date": "2027-01-09", "isOffDay": false}]}'
        ),
    ],
)
def test_the_common_forms_of_a_list_say_the_same(text: str) -> None:
    found = read_official_list(text, year=2027, source=SOURCE)
    assert [(day.on, day.kind, day.name) for day in found.days] == [
        (date(2027, 1, 1), "off", "元旦"),
        (date(2027, 1, 9), "work", "元旦"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("date,kind,name\n", "names no day"),
        ("date,kind,name\n2027-02-30,off,x\n", "row 1, date: '2027-02-30' is not a date"),
        ("date,kind,name\n2027-01-01,off,x\n2028-01-01,off,x\n", "row 2, date: 2028-01-01 is not in 2027"),
        ("date,kind,name\n2027-01-01,perhaps,x\n", "row 1, kind: 'perhaps' is neither off nor work"),
        ("date,kind,name\n2027-01-01,off,\n", "row 1, name: is missing"),
        ("date,kind,name\n2027-01-01,off,x\n2027-01-01,work,x\n", "2027-01-01 stands twice"),
        ("{broken", "not JSON"),
        ('{"days": 5}', "neither CSV"),
        ("[1, 2]", "neither CSV"),
    ],
)
def test_a_list_that_is_wrong_is_refused_by_row_and_field(text: str, message: str) -> None:
    with pytest.raises(OfficialListError, match=message):
        read_official_list(text, year=2027, source=SOURCE)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(OfficialListError) as refused:
        read_official_list("date,kind,name\nx,off,a\n2027-01-01,y,a\n", year=2027, source=SOURCE)
    assert len(refused.value.problems) == 2


def test_a_source_is_needed() -> None:
    with pytest.raises(OfficialListError, match="source"):
        read_official_list(CSV, year=2027, source="")


def test_a_written_year_reads_back_the_same() -> None:
    years = [read_official_list(CSV, year=2027, source=SOURCE), *shipped().file("china").years]
    for year in years:
        found, _, problems = read_model(YearFile, year_text(year), "year.yaml")
        assert not problems
        assert found == year
