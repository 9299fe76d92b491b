"""The shipped list of every published year against two libraries that were made without each other and without us."""

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from shared.calendars.model import YearStatus
from tests.support.calendars import china, shipped

YEARS = (2024, 2025, 2026)


def differences(year: int) -> list[str]:
    """Dates on which not all three say the same."""
    other = holidays.country_holidays("CN", years=year)
    table = china().table
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        answers = (table.day(day).works, bool(chinese_calendar.is_workday(day)), bool(other.is_working_day(day)))
        if len(set(answers)) > 1:
            found.append(f"{day}: ours {answers[0]}, chinesecalendar {answers[1]}, holidays {answers[2]}")
        day += timedelta(days=1)
    return found


@pytest.mark.parametrize("year", YEARS)
def test_our_list_and_both_libraries_agree_on_every_day(year: int) -> None:
    assert not differences(year)


@pytest.mark.parametrize("year", YEARS)
def test_the_year_names_its_notice(year: int) -> None:
    found = next(one for one in shipped().file("china").years if one.year == year)
    assert found.status is YearStatus.PUBLISHED
    assert found.source.startswith("https://www.gov.cn/")


def test_every_year_called_published_is_one_that_a_library_has_a_notice_of() -> None:
    """A year that libraries merely compute must not be called published here."""
    published = [one.year for one in shipped().file("china").years if one.status is YearStatus.PUBLISHED]
    for year in published:
        chinese_calendar.is_workday(date(year, 7, 1))
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(max(published) + 1, 7, 1))
