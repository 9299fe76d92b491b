"""Working days of China: the published lists, make-up days, and deadlines known to be right."""

from datetime import date, timedelta

import pytest

from shared.calendars.days import DayKind
from shared.calendars.model import YearStatus
from shared.plans.time_spec import Basis
from tests.support.calendars import at, china, shipped

HOURS = Basis(ends="end-of-hours")
GOLDEN = [
    ("2025-01-07", "2025-01-27"),
    ("2025-09-10", "2025-09-30"),
    ("2026-01-26", "2026-02-14"),  # a Saturday that is worked
    ("2026-02-06", "2026-03-05"),
    ("2026-04-20", "2026-05-13"),
    ("2026-09-14", "2026-10-10"),  # a Saturday that is worked
    ("2026-09-18", "2026-10-15"),
]


@pytest.mark.parametrize(("received", "due"), GOLDEN)
@pytest.mark.parametrize("hour", ["00:00", "10:00", "12:30", "23:59"])
def test_fifteen_working_days_end_with_the_hours_of_the_right_day(received: str, due: str, hour: str) -> None:
    found = china().add_working_days(at(f"{received} {hour}"), 15, HOURS)
    assert found.at == at(f"{due} 18:00")
    assert not found.provisional
    midnight = china().add_working_days(at(f"{received} {hour}"), 15)
    assert midnight.at == at(f"{due} 00:00") + timedelta(days=1)


@pytest.mark.parametrize(("year", "days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_published_years_have_their_number_of_working_days(year: int, days: int) -> None:
    table = china().table
    dates = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    assert sum(table.day(day).works for day in dates if day.year == year) == days


@pytest.mark.parametrize("day", ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"])
def test_make_up_days_of_2026_are_worked(day: str) -> None:
    found = china().table.day(date.fromisoformat(f"2026-{day}"))
    assert found.kind is DayKind.MAKE_UP
    assert china().is_working(at(f"2026-{day} 10:00"))
    assert not china().is_working(at(f"2026-{day} 12:30"))


def test_working_time_crosses_a_make_up_sunday_and_a_long_holiday() -> None:
    eight_hours = timedelta(hours=8)
    assert china().add_working_time(at("2025-01-24 17:30"), eight_hours).at == at("2025-01-26 17:30")
    assert china().add_working_time(at("2025-09-30 17:59"), timedelta(minutes=2)).at == at("2025-10-09 09:01")
    assert china().working_time(at("2025-01-24 17:30"), at("2025-02-05 10:00")) == timedelta(hours=17, minutes=30)


def test_next_year_is_a_prediction_and_deadlines_in_it_say_so() -> None:
    assert shipped().file("china").status(2026) is YearStatus.PUBLISHED
    assert shipped().file("china").status(2027) is YearStatus.PREDICTED
    assert shipped().file("china").status(2028) is YearStatus.MISSING
    assert china().add_working_days(at("2026-12-20 10:00"), 15).provisional
    assert china().add_working_days(at("2026-12-01 10:00"), 15).provisional is False
    assert china().next_working(at("2026-12-31 19:00")).provisional
    assert china().next_working(at("2026-12-31 17:00")).provisional is False


def test_no_fifteen_day_deadline_of_the_published_years_needs_the_week_alone() -> None:
    """Against plain counting on the list of dates, for every working day there is."""
    calendar = china()
    dates = [date(2025, 1, 1) + timedelta(days=number) for number in range(730)]
    worked = [day for day in dates if calendar.table.day(day).works]
    checked = 0
    for index, day in enumerate(worked[:-15]):
        due = calendar.add_working_days(at(f"{day} 10:00"), 15, HOURS)
        assert due.at == at(f"{worked[index + 15]} 18:00"), day
        checked += 1
    assert checked == 481


def test_a_receipt_on_a_day_off_counts_from_the_next_working_day() -> None:
    assert china().add_working_days(at("2026-10-03 10:00"), 1, HOURS).at == at("2026-10-08 18:00")
