"""The compiled calendar against one that looks at the wall clock minute by minute."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calendars.business import BusinessCalendar
from shared.calendars.model import parse_window
from shared.calendars.pieces import WORKING_DAY
from shared.plans.time_spec import Basis
from tests.support.calendars import SlowCalendar, calendar_file, year_file

HOURS = Basis(ends="end-of-hours")
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Around both changes of offset in 2026 for most of these zones, and one quiet month.
MONTHS = (
    date(2026, 3, 5),
    date(2026, 3, 26),
    date(2026, 4, 2),
    date(2026, 10, 1),
    date(2026, 10, 22),
    date(2026, 6, 1),
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, ...]:
    """One to three spans of a day, apart or touching; quarter hours, so that they meet the hours that are skipped."""
    edges = draw(st.lists(st.integers(0, 96), min_size=2, max_size=6, unique=True).map(sorted))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}" for a, b in pairs)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[BusinessCalendar, SlowCalendar, date]:
    zone = draw(st.sampled_from(ZONES))
    week: dict[str, Any] = {"mon": draw(windows())}
    for weekday in WEEKDAYS[1:]:
        if draw(st.booleans()):
            week[weekday] = draw(windows())
    month = draw(st.sampled_from(MONTHS))
    days: list[dict[str, Any]] = []
    own: dict[date, tuple[tuple[int, int], ...]] = {}
    for offset in draw(st.sets(st.integers(0, 20), max_size=6)):
        day = month + timedelta(days=offset)
        if draw(st.booleans()):
            days.append({"date": str(day), "is": "off", "name": "off"})
            own[day] = ()
        else:
            hours = draw(windows())
            days.append({"date": str(day), "is": "work", "name": "work", "hours": hours})
            own[day] = tuple(parse_window(text) for text in hours)
    fast = BusinessCalendar(calendar_file(zone=zone, week=week), [year_file(2026, *days)], years_ahead=0)
    slow = SlowCalendar(
        zone,
        own,
        {WEEKDAYS.index(name): tuple(parse_window(text) for text in texts) for name, texts in week.items()},
    )
    return fast, slow, month


minutes = st.integers(0, 6 * 24 * 60)


@settings(max_examples=60, deadline=None)
@given(pair=pairs(), first=minutes, length=st.integers(0, 5 * 24 * 60))
def test_working_time_between_two_instants_is_what_the_wall_clock_shows(
    pair: tuple[BusinessCalendar, SlowCalendar, date], first: int, length: int
) -> None:
    fast, slow, month = pair
    start = datetime(month.year, month.month, month.day, tzinfo=UTC) + timedelta(minutes=first)
    end = start + timedelta(minutes=length)
    assert fast.working_time(start, end) == timedelta(minutes=slow.minutes(start, end))
    assert fast.is_working(start) == slow.working(start)


@settings(max_examples=60, deadline=None)
@given(pair=pairs(), first=minutes, amount=st.integers(1, 20 * 60))
def test_working_time_added_ends_where_the_wall_clock_has_shown_it(
    pair: tuple[BusinessCalendar, SlowCalendar, date], first: int, amount: int
) -> None:
    fast, slow, month = pair
    start = datetime(month.year, month.month, month.day, tzinfo=UTC) + timedelta(minutes=first)
    assert fast.add_working_time(start, timedelta(minutes=amount)).at == slow.after(start, amount)


@settings(max_examples=60, deadline=None)
@given(pair=pairs(), first=minutes)
def test_the_next_working_instant_is_the_first_minute_worked(
    pair: tuple[BusinessCalendar, SlowCalendar, date], first: int
) -> None:
    fast, slow, month = pair
    start = datetime(month.year, month.month, month.day, tzinfo=UTC) + timedelta(minutes=first)
    found = start
    while not slow.working(found):
        found += timedelta(minutes=1)
    assert fast.next_working(start).at == found


@settings(max_examples=60, deadline=None)
@given(pair=pairs(), first=minutes, days=st.integers(1, 15))
def test_working_days_end_with_the_hours_of_the_nth_day(
    pair: tuple[BusinessCalendar, SlowCalendar, date], first: int, days: int
) -> None:
    fast, slow, month = pair
    start = datetime(month.year, month.month, month.day, tzinfo=UTC) + timedelta(minutes=first)
    due = fast.add_working_days(start, days, HOURS).at
    for basis in (HOURS, Basis(), Basis(day_zero="before"), Basis(ends="end-of-hours", day_zero="before")):
        counted = fast.add_working_day_units(fast.counting_from(start, basis), days * WORKING_DAY, basis).at
        assert fast.add_working_days(start, days, basis).at == counted
    expected = slow.close_of_nth_day(start, days).astimezone(UTC)
    if due != expected:
        # A close that is skipped is passed at the change; one that is repeated ends the second time; a day whose
        # hours are all skipped is no day.
        local = expected.astimezone(slow.zone)
        assert local.utcoffset() != (local - timedelta(hours=30)).utcoffset() or _changes(slow, start, expected)


def _changes(slow: SlowCalendar, start: datetime, end: datetime) -> bool:
    return start.astimezone(slow.zone).utcoffset() != (end + timedelta(days=1)).astimezone(slow.zone).utcoffset()


@settings(max_examples=80, deadline=None)
@given(pair=pairs(), cuts=st.lists(st.integers(0, 20 * 24 * 3_600_000_000), min_size=3, max_size=3).map(sorted))
def test_counting_is_additive_and_its_end_never_late(
    pair: tuple[BusinessCalendar, SlowCalendar, date], cuts: list[int]
) -> None:
    fast, _, month = pair
    base = datetime(month.year, month.month, month.day, tzinfo=UTC)
    a, b, c = (base + timedelta(microseconds=cut) for cut in cuts)
    for between, add in (
        (fast.working_micros, fast.add_working_micros),
        (fast.working_day_units, fast.add_working_day_units),
    ):
        assert between(a, b) + between(b, c) == between(a, c)
        assert between(b, a) == 0 or a == b
        assert add(a, between(a, c)).at <= c
        reached = add(a, between(a, c)).at
        assert between(a, reached) >= between(a, c)
