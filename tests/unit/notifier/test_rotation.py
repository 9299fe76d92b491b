"""Turns of days and weeks against an oracle that walks from hand-over to hand-over."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.domain.rotation import Period, Rotation, Shift, shift_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # changes its clocks at midnight


def _rotation(**changes: object) -> Rotation:
    plain: dict[str, object] = {
        "id": "r",
        "every": Period.WEEK,
        "start": date(2026, 1, 5),
        "handover": time(9),
        "zone": SHANGHAI,
        "people": ("a", "b", "c"),
    }
    return Rotation(**(plain | changes))  # type: ignore[arg-type]  # the fields named above


def _walked(rotation: Rotation, instant: datetime) -> Shift | None:
    """Walks day by day in wall time; a hand-over is the first instant whose wall clock has reached it."""
    shifts: list[tuple[datetime, str]] = []
    day, turn = rotation.start, 0
    while (begins := datetime.combine(day, rotation.handover, rotation.zone).astimezone(UTC)) <= instant:
        shifts.append((begins, rotation.people[turn % len(rotation.people)]))
        days = rotation.length * (7 if rotation.every is Period.WEEK else 1)
        day, turn = day + timedelta(days=days), turn + 1
    if not shifts:
        return None
    ends = datetime.combine(day, rotation.handover, rotation.zone).astimezone(UTC)
    return Shift(shifts[-1][1], shifts[-1][0], ends)


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
    assert (shift.person if shift else None) == person


def test_a_day_without_its_handover_hour_is_neither_skipped_nor_doubled() -> None:
    """2026-03-29 in Berlin jumps from 02:00 to 03:00; the hand-over at 02:30 takes place at 03:30 CEST."""
    daily = _rotation(every=Period.DAY, zone=BERLIN, handover=time(2, 30), start=date(2026, 3, 27))
    before = shift_at(daily, datetime(2026, 3, 29, 1, 29, tzinfo=UTC))
    after = shift_at(daily, datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.person, after.person) == ("b", "c")
    assert after.begins_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert after.ends_at - after.begins_at == timedelta(hours=23)


def test_an_hour_that_comes_twice_hands_over_once_the_first_time() -> None:
    """2026-10-25 in Berlin has 02:30 twice; the first is 00:30 UTC."""
    daily = _rotation(every=Period.DAY, zone=BERLIN, handover=time(2, 30), start=date(2026, 10, 24))
    people = []
    for minutes in (29, 30, 31, 90, 91):
        shift = shift_at(daily, datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes))
        assert shift is not None
        people.append(shift.person)
    assert people == ["a", "b", "b", "b", "b"]


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from([SHANGHAI, BERLIN, HAVANA]),
    every=st.sampled_from(list(Period)),
    length=st.integers(1, 3),
    handover=st.times(),
    people=st.integers(1, 4),
    offset=st.timedeltas(timedelta(days=-3), timedelta(days=500)),
)
def test_every_instant_belongs_to_the_walked_shift(
    *, zone: ZoneInfo, every: Period, length: int, handover: time, people: int, offset: timedelta
) -> None:
    rotation = _rotation(zone=zone, every=every, length=length, handover=handover, people=tuple("abcd"[:people]))
    instant = datetime(2026, 1, 5, tzinfo=UTC) + offset
    assert shift_at(rotation, instant) == _walked(rotation, instant)
