"""Turns of days, weeks and months against an oracle that walks from hand-over to hand-over."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.domain.rotation import Period, Rotation, handovers_between, shift_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # changes its clocks at midnight
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # by half an hour
SANTIAGO = ZoneInfo("America/Santiago")  # falls back at midnight, into the day before

CHANGES = ["2026-03-06", "2026-03-27", "2026-04-03", "2026-09-04", "2026-10-02", "2026-10-23", "2026-10-30"]


def _rotation(**changes: object) -> Rotation:
    plain: dict[str, object] = {
        "id": "r",
        "every": Period.WEEK,
        "start": date(2026, 1, 5),
        "handovers": (time(9),),
        "zone": SHANGHAI,
        "turns": (("a",), ("b",), ("c",)),
    }
    return Rotation(**(plain | changes))  # type: ignore[arg-type]  # the fields named above


def _turns_walked(rotation: Rotation, until: datetime) -> list[tuple[datetime, tuple[str, ...]]]:
    """Walks minute by minute; a hand-over is where the furthest wall time seen so far reaches it."""
    days = rotation.length * (7 if rotation.every is Period.WEEK else 1)
    found: list[tuple[datetime, tuple[str, ...]]] = []
    minute = datetime.combine(rotation.start, time(), UTC) - timedelta(hours=30)
    due = [datetime.combine(rotation.start, one) for one in rotation.handovers]
    while minute <= until:
        wall = minute.astimezone(rotation.zone).replace(tzinfo=None)
        while due[0] <= wall:
            found.append((minute, rotation.turns[len(found) % len(rotation.turns)]))
            due.append(due.pop(0) + timedelta(days=days))
        minute += timedelta(minutes=1)
    return found


@pytest.mark.parametrize(
    ("at", "person"),
    [
        ("2026-01-05T00:59:59Z", None),  # 08:59:59 in Shanghai: not begun
        ("2026-01-05T01:00:00Z", "a"),  # 09:00 sharp
        ("2026-01-12T00:59:59Z", "a"),
        ("2026-01-12T01:00:00Z", "b"),
        ("2026-01-26T01:00:00Z", "a"),  # the fourth week begins again with the first person
    ],
)
def test_a_week_is_handed_over_at_the_second(at: str, person: str | None) -> None:
    shift = shift_at(_rotation(), datetime.fromisoformat(at))
    assert (shift.people if shift else None) == ((person,) if person else None)


def test_a_day_without_its_handover_hour_is_neither_skipped_nor_doubled() -> None:
    """2026-03-29 in Berlin jumps from 02:00 to 03:00; the hand-over at 02:30 takes place in that moment."""
    daily = _rotation(every=Period.DAY, zone=BERLIN, handovers=(time(2, 30),), start=date(2026, 3, 27))
    before = shift_at(daily, datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))
    after = shift_at(daily, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.people, after.people) == (("b",), ("c",))
    assert after.begins_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert after.ends_at - after.begins_at == timedelta(hours=23, minutes=30)


def test_an_hour_that_comes_twice_hands_over_once_the_first_time() -> None:
    """2026-10-25 in Berlin has 02:30 twice; the first is 00:30 UTC."""
    daily = _rotation(every=Period.DAY, zone=BERLIN, handovers=(time(2, 30),), start=date(2026, 10, 24))
    people: list[str] = []
    for minutes in (29, 30, 31, 90, 91):
        shift = shift_at(daily, datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes))
        assert shift is not None
        people += shift.people
    assert people == ["a", "b", "b", "b", "b"]


def test_three_shifts_a_day_follow_each_other_and_a_turn_may_be_a_crew() -> None:
    crews = _rotation(
        every=Period.DAY, handovers=(time(0), time(8), time(16)), turns=(("a", "b"), ("c",), ("d",), ("e", "f"))
    )
    seen = [shift_at(crews, datetime(2026, 1, 4, 16, tzinfo=UTC) + timedelta(hours=8 * turn)) for turn in range(5)]
    assert [shift.people for shift in seen if shift] == [("a", "b"), ("c",), ("d",), ("e", "f"), ("a", "b")]


def _walked(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first minute at which the clock on the wall has reached the time."""
    minute = datetime.combine(day, wall, UTC) - timedelta(hours=15)
    while minute.astimezone(zone).replace(tzinfo=None) < datetime.combine(day, wall):
        minute += timedelta(minutes=1)
    return minute


@pytest.mark.parametrize(
    ("at", "person"),
    [
        ("2027-12-31T00:59:59Z", None),
        ("2027-12-31T01:00:00Z", "a"),
        ("2028-01-31T00:59:59Z", "a"),
        ("2028-01-31T01:00:00Z", "b"),
        ("2028-02-29T00:59:59Z", "b"),
        ("2028-02-29T01:00:00Z", "c"),  # a leap year's February is too short for the 31st
        ("2028-03-31T00:59:59Z", "c"),  # and the next month hands over on the 31st again
        ("2028-03-31T01:00:00Z", "a"),
        ("2028-04-30T01:00:00Z", "b"),
        ("2029-02-28T00:59:59Z", "b"),
        ("2029-02-28T01:00:00Z", "c"),
    ],
)
def test_a_month_is_handed_over_on_its_day_or_on_its_last(at: str, person: str | None) -> None:
    monthly = _rotation(every=Period.MONTH, start=date(2027, 12, 31))
    shift = shift_at(monthly, datetime.fromisoformat(at))
    assert (shift.people if shift else None) == ((person,) if person else None)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from([SHANGHAI, BERLIN, HAVANA, LORD_HOWE, SANTIAGO]),
    start=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    length=st.integers(1, 13),
    handover=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
)
def test_months_follow_each_other_as_a_calendar_on_the_wall_has_them(
    zone: ZoneInfo, start: date, length: int, handover: time
) -> None:
    """Day by day for four years; the walk asks no arithmetic of months."""
    monthly = _rotation(every=Period.MONTH, zone=zone, start=start, length=length, handovers=(handover,))
    days = [start + timedelta(days=number) for number in range(4 * 366)]
    beginning = [
        day
        for day in days
        if ((day.year - start.year) * 12 + day.month - start.month) % length == 0
        and (day.day == start.day or (day.day < start.day and (day + timedelta(days=1)).day == 1))
    ]
    ends = datetime.combine(days[-1], time(), UTC)
    listed = list(handovers_between(monthly, datetime.combine(start, time(), UTC) - timedelta(days=3), ends))
    assert listed == [moment for day in beginning if (moment := _walked(day, handover, zone)) < ends]
    for number, moment in enumerate(listed):
        shift = shift_at(monthly, moment)
        assert shift is not None
        assert (shift.begins_at, shift.people) == (moment, monthly.turns[number % 3])
        before = shift_at(monthly, moment - timedelta(microseconds=1))
        assert (before.people if before else None) == (monthly.turns[(number - 1) % 3] if number else None)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from([SHANGHAI, BERLIN, HAVANA, LORD_HOWE, SANTIAGO]),
    weekly=st.booleans(),
    length=st.integers(1, 3),
    handovers=st.lists(st.times().map(lambda one: one.replace(second=0, microsecond=0)), min_size=1, max_size=4),
    people=st.integers(1, 4),
    change=st.sampled_from(CHANGES),
)
def test_every_minute_belongs_to_the_walked_turn(
    *, zone: ZoneInfo, weekly: bool, length: int, handovers: list[time], people: int, change: str
) -> None:
    """Around every change of clocks there is; the walk knows nothing of hand-overs as instants."""
    times = tuple(sorted(set(handovers)))
    daily_shifts = len(times) > 1
    rotation = _rotation(
        zone=zone,
        every=Period.DAY if daily_shifts or not weekly else Period.WEEK,
        length=1 if daily_shifts else length,
        start=date.fromisoformat(change),
        handovers=times,
        turns=tuple((one,) for one in "abcd"[:people]),
    )
    ends = datetime.combine(rotation.start, time(), UTC) + timedelta(days=4)
    walked = _turns_walked(rotation, ends)
    begins, at = walked[0][0] - timedelta(minutes=90), 0
    minute = begins
    while minute < ends:
        while at < len(walked) and walked[at][0] <= minute:
            at += 1
        shift = shift_at(rotation, minute)
        assert (shift.people if shift else None) == (walked[at - 1][1] if at else None), minute
        minute += timedelta(minutes=1)
    listed = list(handovers_between(rotation, begins, ends))
    assert listed == [moment for moment, _ in walked if moment < ends]
