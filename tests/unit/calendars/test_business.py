"""Hours, exceptions, zones and horizons of a compiled calendar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.calendars.business import BusinessCalendar
from shared.calendars.civil import PLAIN, CalendarHorizonError, add_months, end_of_days, end_of_months
from shared.calendars.days import DayKind
from shared.calendars.model import CalendarFile, OverlayFile
from shared.calendars.pieces import WORKING_DAY
from shared.plans.time_spec import Basis
from tests.support.calendars import OFFICE, at, calendar, calendar_file, year_file

HOURS, SAME_TIME = Basis(ends="end-of-hours"), Basis(ends="same-time")
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ROUND_THE_CLOCK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ("00:00-24:00",))


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_split_shifts_leave_the_lunch_hour_out() -> None:
    found = calendar()
    assert found.working_time(at("2026-03-02 08:00"), at("2026-03-02 20:00")) == hours(8)
    assert found.add_working_time(at("2026-03-02 11:30"), hours(1)).at == at("2026-03-02 13:30")


def test_an_amount_that_fills_a_span_ends_with_it_and_not_with_the_next() -> None:
    assert calendar().add_working_time(at("2026-03-02 09:00"), hours(3)).at == at("2026-03-02 12:00")
    assert calendar().add_working_time(at("2026-03-06 13:00"), hours(5)).at == at("2026-03-06 18:00")


def test_nothing_to_wait_for_ends_at_once_even_at_night() -> None:
    assert calendar().add_working_time(at("2026-03-02 03:00"), hours(0)).at == at("2026-03-02 03:00")


def test_special_hours_shorten_a_day_and_a_day_off_has_none() -> None:
    found = calendar(
        {"date": "2026-03-03", "is": "work", "name": "inventory", "hours": ["09:00-11:00"]},
        {"date": "2026-03-04", "is": "off", "name": "founding day"},
    )
    assert found.table.day(at("2026-03-03 00:00").date()).kind is DayKind.SPECIAL
    assert found.working_time(at("2026-03-03 00:00"), at("2026-03-05 00:00")) == hours(2)
    assert found.add_working_days(at("2026-03-02 10:00"), 1, HOURS).at == at("2026-03-03 11:00")
    assert found.add_working_days(at("2026-03-02 10:00"), 2, HOURS).at == at("2026-03-05 18:00")


def test_an_organisations_days_and_hours_win_over_the_calendars() -> None:
    holiday = {"date": "2026-03-03", "is": "off", "name": "holiday"}
    found = calendar(
        holiday,
        overlay={
            "week": {"mon": ["08:00-16:00"], "tue": ["08:00-16:00"]},
            "days": [
                {"date": "2026-03-03", "is": "work", "name": "on call", "hours": ["10:00-12:00"]},
                {"date": "2026-03-09", "is": "off", "name": "company outing"},
            ],
        },
    )
    assert found.working_time(at("2026-03-02 00:00"), at("2026-03-03 00:00")) == hours(8)
    assert found.working_time(at("2026-03-03 00:00"), at("2026-03-04 00:00")) == hours(2)
    assert found.working_time(at("2026-03-04 00:00"), at("2026-03-10 00:00")) == hours(0)
    assert found.table.day(at("2026-03-09 00:00").date()).own
    assert found.identity != calendar(holiday).identity


@pytest.mark.parametrize(
    ("ends", "day_zero", "expected"),
    [
        ("end-of-hours", "start", "2026-03-06 18:00"),
        ("end-of-hours", "before", "2026-03-05 18:00"),
        ("end-of-day", "start", "2026-03-07 00:00"),
        ("end-of-day", "before", "2026-03-06 00:00"),
        ("same-time", "start", "2026-03-06 10:00"),
    ],
)
def test_three_working_days_end_by_their_basis(ends: str, day_zero: str, expected: str) -> None:
    basis = Basis.model_validate({"ends": ends, "day_zero": day_zero})
    assert calendar().add_working_days(at("2026-03-03 10:00"), 3, basis).at == at(expected)


def test_half_a_working_day_is_half_of_its_working_hours() -> None:
    found = calendar()
    begin = found.counting_from(at("2026-03-02 10:00"), HOURS)
    assert found.add_working_day_units(begin, WORKING_DAY // 2, HOURS).at == at("2026-03-03 14:00")


def test_months_end_with_the_month_that_is_shorter() -> None:
    shanghai, berlin = ZoneInfo("Asia/Shanghai"), ZoneInfo(BERLIN)
    assert add_months(at("2026-01-31 10:00"), 1, shanghai) == at("2026-02-28 10:00")
    assert add_months(at("2028-01-31 10:00"), 1, shanghai) == at("2028-02-29 10:00")
    assert add_months(at("2026-11-30 10:00"), 3, shanghai) == at("2027-02-28 10:00")
    assert add_months(at("2026-02-28 09:00", BERLIN), 1, berlin) == at("2026-03-28 09:00", BERLIN)
    assert add_months(at("2026-03-28 09:00", BERLIN), 1, berlin) == datetime(2026, 4, 28, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends", "day_zero", "days", "month"),
    [
        ("end-of-day", "start", "2026-03-18 00:00", "2026-04-03 00:00"),
        ("end-of-day", "before", "2026-03-17 00:00", "2026-04-02 00:00"),
        ("end-of-hours", "start", "2026-03-17 18:00", "2026-04-02 18:00"),
        ("same-time", "start", "2026-03-17 10:00", "2026-04-02 10:00"),
    ],
)
def test_fifteen_calendar_days_and_a_month_end_by_their_basis(ends: str, day_zero: str, days: str, month: str) -> None:
    found, start = calendar(), at("2026-03-02 10:00")
    basis = Basis.model_validate({"ends": ends, "day_zero": day_zero})
    assert end_of_days(start, 15, found.zone, basis, found.end_of_day) == at(days)
    assert end_of_months(start, 1, found.zone, basis, found.end_of_day) == at(month)


def test_a_calendar_day_of_change_ends_at_its_midnight() -> None:
    found = calendar(zone=BERLIN)
    start = at("2026-03-28 10:00", BERLIN)
    assert end_of_days(start, 1, found.zone, PLAIN, found.end_of_day) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert end_of_days(start, 0, found.zone, PLAIN, found.end_of_day) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    # Sunday has no hours: it ends at midnight whatever the basis.
    assert end_of_days(start, 1, found.zone, HOURS, found.end_of_day) == datetime(2026, 3, 29, 22, tzinfo=UTC)


# Europe/Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00 (changes at 01:00 UTC).
# America/New_York: 2026-03-08 02:00 becomes 03:00 (07:00 UTC), 2026-11-01 02:00 becomes 01:00 (06:00 UTC).
@pytest.mark.parametrize(
    ("zone", "start", "worked", "due"),
    [
        # Same-zone arithmetic in Python answers 04:00, an hour early by the clock that passes.
        (BERLIN, "2026-03-28 20:00", 8, datetime(2026, 3, 29, 3, tzinfo=UTC)),
        (BERLIN, "2026-03-29 02:30", 1, datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),  # starts in the gap
        (BERLIN, "2026-03-29 01:30", 1, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # would end in the gap
        (BERLIN, "2026-10-24 20:00", 8, datetime(2026, 10, 25, 2, tzinfo=UTC)),
        (BERLIN, "2026-10-25 01:30", 2, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # ends in the repeated hour
        (NEW_YORK, "2026-03-07 22:00", 8, datetime(2026, 3, 8, 11, tzinfo=UTC)),
        (NEW_YORK, "2026-03-08 01:30", 1, datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        (NEW_YORK, "2026-10-31 22:00", 8, datetime(2026, 11, 1, 10, tzinfo=UTC)),
    ],
)
def test_round_the_clock_hours_are_real_hours_across_a_change(
    zone: str, start: str, worked: int, due: datetime
) -> None:
    found = calendar(zone=zone, week=ROUND_THE_CLOCK)
    assert found.add_working_time(at(start, zone), hours(worked)).at == due
    assert found.working_time(at(start, zone), due) == hours(worked)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (BERLIN, "2026-03-29", 23),
        (BERLIN, "2026-10-25", 25),
        (NEW_YORK, "2026-03-08", 23),
        (NEW_YORK, "2026-11-01", 25),
    ],
)
def test_a_day_of_change_is_as_long_as_it_is(zone: str, day: str, length: int) -> None:
    found = calendar(zone=zone, week=ROUND_THE_CLOCK)
    start = at(f"{day} 00:00", zone)
    assert found.working_time(start, start.astimezone(UTC) + hours(length)) == hours(length)
    assert found.working_day_units(start, start.astimezone(UTC) + hours(length)) == WORKING_DAY
    before = at(f"{day} 00:00", zone) - timedelta(days=1)
    assert found.add_working_days(before + hours(5), 1).at == start.astimezone(UTC) + hours(length)


@pytest.mark.parametrize(
    ("zone", "day", "window", "length"),
    [
        (BERLIN, "2026-03-29", "01:00-02:30", 1.0),  # closes in the gap
        (BERLIN, "2026-03-29", "02:30-04:00", 1.0),  # opens in the gap
        (BERLIN, "2026-03-29", "02:10-02:50", 0.0),  # lies in the gap
        (BERLIN, "2026-10-25", "01:00-02:30", 2.0),  # its end is repeated
        (BERLIN, "2026-10-25", "02:30-04:00", 2.0),  # its beginning is repeated
        (NEW_YORK, "2026-03-08", "01:30-03:30", 1.0),
        (NEW_YORK, "2026-11-01", "00:30-01:30", 1.5),
    ],
)
def test_hours_are_what_the_wall_clock_shows(zone: str, day: str, window: str, length: float) -> None:
    week = {"mon": OFFICE, "sun": (window,)}
    found = calendar(zone=zone, week=week)
    start = at(f"{day} 00:00", zone)
    assert found.working_time(start, start.astimezone(UTC) + hours(26)) == hours(length)


@pytest.mark.parametrize(
    ("zone", "start", "paused", "resumed", "due"),
    [
        # Four hours are counted before the pause, four after it, and the hour that is skipped is none of them.
        (BERLIN, "2026-03-28 20:00", (2026, 3, 28, 23), (2026, 3, 29, 2), (2026, 3, 29, 6)),
        (BERLIN, "2026-10-24 20:00", (2026, 10, 24, 22), (2026, 10, 25, 1, 30), (2026, 10, 25, 5, 30)),
        (NEW_YORK, "2026-03-07 22:00", (2026, 3, 8, 7), (2026, 3, 8, 7, 30), (2026, 3, 8, 11, 30)),
        (NEW_YORK, "2026-10-31 22:00", (2026, 11, 1, 6), (2026, 11, 1, 6, 30), (2026, 11, 1, 10, 30)),
    ],
)
def test_a_pause_across_a_change_gives_back_exactly_its_length(
    zone: str, start: str, paused: tuple[int, ...], resumed: tuple[int, ...], due: tuple[int, ...]
) -> None:
    found = calendar(zone=zone, week=ROUND_THE_CLOCK)
    stop, go = datetime(*paused, tzinfo=UTC), datetime(*resumed, tzinfo=UTC)  # type: ignore[misc,arg-type]  # parts of a date
    spent = found.working_micros(at(start, zone), stop)
    left = 8 * 3_600_000_000 - spent
    assert found.add_working_micros(go, left).at == datetime(*due, tzinfo=UTC)  # type: ignore[misc,arg-type]  # as above


def test_the_same_time_of_day_survives_a_change() -> None:
    found = calendar(zone=BERLIN, week=ROUND_THE_CLOCK)
    assert found.add_working_days(at("2026-03-28 10:00", BERLIN), 2, SAME_TIME).at == at("2026-03-30 10:00", BERLIN)
    assert found.add_working_days(at("2026-03-28 10:00", BERLIN), 1, SAME_TIME).at == at("2026-03-29 10:00", BERLIN)
    assert found.add_working_days(at("2026-10-24 10:00", BERLIN), 1, SAME_TIME).at == at("2026-10-25 10:00", BERLIN)
    # What is skipped is passed at the instant of the change.
    assert found.add_working_days(at("2026-03-28 02:30", BERLIN), 1, SAME_TIME).at == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_a_zone_with_a_change_at_midnight_begins_its_day_then() -> None:
    """Beirut goes from 00:00 to 01:00 on 2026-03-29; that Sunday has 23 hours and its day begins at 22:00 UTC."""
    found = calendar(zone="Asia/Beirut", week=ROUND_THE_CLOCK)
    begin = datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert found.working_day_units(begin, begin + hours(23)) == WORKING_DAY
    assert found.add_working_days(begin - hours(3), 1).at == begin + hours(23)


@pytest.mark.parametrize(
    "zone", ["Pacific/Apia", "Asia/Beirut", "Africa/Cairo", "America/Asuncion", "Australia/Lord_Howe"]
)
def test_every_day_that_exists_is_one_day_whatever_its_length(zone: str) -> None:
    """Days of 23, 24 and 25 hours, days that begin at 01:00, and one that was skipped: 2011-12-30 in Apia."""
    found = calendar(zone=zone, year=2011, week=ROUND_THE_CLOCK)
    begin = at("2011-01-01 00:00", zone)
    days = 0
    while days < 1500:
        end = end_of_days(begin, 0, found.zone, PLAIN, found.end_of_day)
        if end > begin.astimezone(UTC):
            assert found.working_day_units(begin, end) == WORKING_DAY
            days += 1
        begin = end


def test_china_had_another_offset_in_the_summer_of_1990() -> None:
    found = calendar(year=1990)
    assert found.next_working(datetime(1990, 7, 2, tzinfo=UTC)).at == datetime(1990, 7, 2, tzinfo=UTC)
    assert found.next_working(datetime(1990, 7, 1, tzinfo=UTC)).at == datetime(1990, 7, 2, tzinfo=UTC)
    assert found.next_working(datetime(1990, 12, 2, tzinfo=UTC)).at == datetime(1990, 12, 3, 1, tzinfo=UTC)


def test_years_without_a_list_make_deadlines_provisional() -> None:
    found = calendar(year=2026)
    assert found.add_working_days(at("2026-12-30 10:00"), 1) == (at("2027-01-01 00:00"), False)
    assert found.add_working_days(at("2026-12-30 10:00"), 2) == (at("2027-01-02 00:00"), True)
    assert found.add_working_time(at("2026-12-31 17:00"), hours(1)) == (at("2026-12-31 18:00"), False)


def test_a_gap_between_published_years_is_provisional_too() -> None:
    found = BusinessCalendar(calendar_file(), [year_file(2024), year_file(2026)])
    assert found.unsure(at("2024-12-30 10:00"), at("2026-01-02 10:00"))
    assert found.unsure(at("2025-03-03 10:00"), at("2025-03-04 10:00"))
    assert not found.unsure(at("2026-01-01 00:00"), at("2027-01-01 00:00"))
    assert not found.unsure(at("2024-01-01 00:00"), at("2025-01-01 00:00"))
    assert found.unsure(at("2026-12-31 23:59"), at("2027-01-01 00:01"))


@pytest.mark.parametrize("start", ["2025-12-31 23:00", "2039-01-01 00:01"])
def test_what_lies_outside_the_calendar_is_refused_by_name(start: str) -> None:
    found = calendar(year=2026)
    asked: list[Callable[[], object]] = [
        lambda: found.add_working_time(at(start), hours(1)),
        lambda: found.add_working_days(at(start), 1),
        lambda: found.next_working(at(start)),
        lambda: found.is_working(at(start)),
        lambda: found.working_time(at(start), at(start) + hours(1)),
    ]
    for ask in asked:
        with pytest.raises(CalendarHorizonError, match=r"'sample' covers 2026 to 2038; .* is outside"):
            ask()


def test_a_limit_that_ends_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(CalendarHorizonError, match="covers 2026 to 2038"):
        calendar(year=2026).add_working_days(at("2038-12-30 10:00"), 5)
    with pytest.raises(CalendarHorizonError):
        add_months(at("9999-01-31 10:00"), 12, ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone", "not a time zone"),
        ({"week": {}}, "week", "without a single working hour"),
        ({"week": {"mon": ["09:00-09:00"]}}, "week.mon", "has no length"),
        ({"week": {"mon": ["18:00-09:00"]}}, "week.mon", "two spans"),
        ({"week": {"mon": ["09:00-13:00", "12:00-18:00"]}}, "week.mon", "overlap"),
        ({"week": {"mon": ["9-17"]}}, "week.mon", "not a span"),
        ({"week": {"mon": ["09:00-24:01"]}}, "week.mon", "not a span"),
        ({"week": {"tue": list(OFFICE)}}, "", "make_up_hours"),
        ({"alarm": "13-01"}, "alarm", "pattern"),
        ({"wek": {}}, "wek", "xtra"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_by_field(
    change: dict[str, object], field: str, message: str
) -> None:
    sound = calendar_file().model_dump(by_alias=True)
    with pytest.raises(ValidationError, match=message) as refused:
        CalendarFile.model_validate({**sound, **change})
    assert ".".join(str(step) for step in refused.value.errors()[0]["loc"]) == field


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ({"date": "2026-02-30", "is": "off", "name": "x"}, "not a date"),
        ({"date": "2027-01-01", "is": "off", "name": "x"}, "is not in 2026"),
        ({"from": "2026-02-03", "is": "off", "name": "x"}, "give either"),
        ({"from": "2026-02-03", "until": "2026-02-01", "is": "off", "name": "x"}, "before"),
        ({"from": "2026-02-03", "until": "2026-05-01", "is": "off", "name": "x"}, "longer than"),
        ({"date": "2026-02-03", "is": "off", "name": "x", "hours": ["09:00-12:00"]}, "has no hours"),
        ({"date": "2026-02-03", "is": "perhaps", "name": "x"}, "off"),
    ],
)
def test_a_day_that_makes_no_sense_is_refused(day: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        year_file(2026, day)


def test_a_date_named_twice_is_refused() -> None:
    span = {"from": "2026-05-01", "until": "2026-05-05", "is": "off", "name": "x"}
    with pytest.raises(ValidationError, match="2026-05-03 stands twice"):
        year_file(2026, span, {"date": "2026-05-03", "is": "work", "name": "y"})
    with pytest.raises(ValidationError, match="2026-05-03 stands twice"):
        OverlayFile.model_validate(
            {"organisation": "a", "calendar": "b", "days": [span, {"date": "2026-05-03", "is": "work", "name": "y"}]}
        )


def test_a_list_may_move_days_of_the_december_before_it() -> None:
    found = BusinessCalendar(
        calendar_file(), [year_file(2026), year_file(2027, {"date": "2026-12-26", "is": "work", "name": "moved"})]
    )
    assert found.is_working(at("2026-12-26 10:00"))


def test_a_calendar_of_no_year_is_refused() -> None:
    with pytest.raises(ValueError, match="lists no year"):
        BusinessCalendar(calendar_file(), [])


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="offset from UTC"):
        calendar().is_working(datetime(2026, 3, 2, 10))  # noqa: DTZ001  # the point of the test
