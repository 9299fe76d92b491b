"""When duties come round: weekdays, ends of periods, days off, and dates of a year."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.plans.rounds import due_between, next_due
from shared.plans.time_spec import Every

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Duty:
    every: Every
    on: tuple[str, ...] = ()
    at: tuple[str, ...] = ("09:00",)
    if_day_off: str = "keep"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("duty", "after", "expected"),
    [
        (Duty("day"), "2026-03-02T09:00", "2026-03-03T09:00"),
        (Duty("day", at=("15:00", "09:00")), "2026-03-02T09:00", "2026-03-02T15:00"),
        (Duty("working-day"), "2026-03-06T10:00", "2026-03-09T09:00"),
        (Duty("week"), "2026-03-03T00:00", "2026-03-09T09:00"),
        (Duty("week", ("fri",)), "2026-03-03T00:00", "2026-03-06T09:00"),
        (Duty("month"), "2026-03-02T00:00", "2026-04-01T09:00"),
        (Duty("month", ("end",)), "2026-02-02T00:00", "2026-02-28T09:00"),
        (Duty("month", ("31",)), "2026-04-02T00:00", "2026-04-30T09:00"),
        (Duty("month", ("15", "end")), "2026-04-16T00:00", "2026-04-30T09:00"),
        (Duty("month", ("end",), if_day_off="previous"), "2026-05-02T00:00", "2026-05-29T09:00"),
        (Duty("month", ("1",), if_day_off="next"), "2026-07-20T00:00", "2026-08-03T09:00"),
        (Duty("quarter", ("end",)), "2026-03-02T00:00", "2026-03-31T09:00"),
        (Duty("half-year", ("end",)), "2026-03-02T00:00", "2026-06-30T09:00"),
        (Duty("half-year"), "2026-03-02T00:00", "2026-07-01T09:00"),
        (Duty("year", ("11-01",)), "2026-11-01T09:00", "2027-11-01T09:00"),
        (Duty("year", ("02-29",)), "2026-02-01T00:00", "2026-02-28T09:00"),
        (Duty("year", ("end",)), "2026-02-01T00:00", "2026-12-31T09:00"),
        (Duty("once", ("2026-11-01",)), "2026-02-01T00:00", "2026-11-01T09:00"),
    ],
)
def test_the_next_time_is_the_first_after_now(duty: Duty, after: str, expected: str) -> None:
    assert next_due(duty, local(after), ZONE) == local(expected)


def test_what_is_done_once_is_never_due_again() -> None:
    assert next_due(Duty("once", ("2026-11-01",)), local("2026-11-01T09:00"), ZONE) is None


def test_days_off_are_those_of_the_calendar() -> None:
    spring_festival = {date(2026, 2, 16) + timedelta(days=ahead) for ahead in range(8)}
    duty = Duty("month", ("16",), if_day_off="next")
    found = next_due(duty, local("2026-02-01T00:00"), ZONE, lambda day: day not in spring_festival)
    assert found == local("2026-02-24T09:00")


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(
        [
            Duty("day"),
            Duty("week", ("wed", "sun")),
            Duty("month", ("end",), if_day_off="next"),
            Duty("month", ("1",), if_day_off="previous"),
            Duty("quarter", ("31",)),
        ]
    ),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  # the zone is put on below
)
def test_nothing_between_two_times_is_left_out(duty: Duty, start: datetime) -> None:
    after = start.replace(tzinfo=ZONE)
    until = after + timedelta(days=100)
    whole = list(due_between(duty, after, until, ZONE))
    middle = after + timedelta(days=40)
    parts = [*due_between(duty, after, middle, ZONE), *due_between(duty, middle, until, ZONE)]
    assert whole == parts
    assert whole == sorted(set(whole))
    assert all(after < moment <= until for moment in whole)
