"""The shipped bank holidays of England against a library that was made without us."""

from datetime import date, timedelta

import holidays
import pytest

from shared.calendars.model import YearStatus
from tests.support.calendars import shipped

YEARS = (2024, 2025, 2026, 2027)


@pytest.mark.parametrize("year", YEARS)
def test_our_list_and_the_library_agree_on_every_day(year: int) -> None:
    other = holidays.country_holidays("GB", subdiv="ENG", years=year)
    table = shipped().get("england").table
    first = date(year, 1, 1)
    days = [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]
    assert [day for day in days if table.day(day).works != bool(other.is_working_day(day))] == []


def test_every_year_is_published_and_the_next_one_is_here_before_december() -> None:
    assert [one.year for one in shipped().file("england").years] == list(YEARS)
    assert {one.status for one in shipped().file("england").years} == {YearStatus.PUBLISHED}
    assert shipped().file("england").overdue_year(date(2026, 12, 1)) is None
