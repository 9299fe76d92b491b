"""A role's duty laid out by day for the roster page."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.console.domain.timetable import days_of, lay_out

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)  # 04:00 on the 2nd in Shanghai


def _role(*segments: tuple[str, str, str], may_be_empty: bool = False) -> dict[str, Any]:
    def duty(name: str) -> list[dict[str, Any]]:
        words = {"zh": name, "en": name}
        return [{"label": words, "because": words}] if name else []

    return {
        "role": "turn",
        "label": {"zh": "轮值", "en": "Turn"},
        "may_be_empty": may_be_empty,
        "segments": [{"begins_at": one, "ends_at": two, "on_duty": duty(name)} for one, two, name in segments],
    }


SEGMENTS = (
    ("2026-03-01T20:00:00Z", "2026-03-02T00:00:00Z", "甲"),
    ("2026-03-02T00:00:00Z", "2026-03-02T16:00:00Z", "乙"),  # until midnight in Shanghai, sharp
    ("2026-03-02T16:00:00Z", "2026-03-03T20:00:00Z", ""),
)


def test_days_are_those_of_the_zone() -> None:
    assert days_of(NOW, 2, SHANGHAI) == (date(2026, 3, 2), date(2026, 3, 3))


def test_each_day_has_its_stretches_with_the_wall_time_of_their_beginning() -> None:
    row = lay_out(_role(*SEGMENTS), days_of(NOW, 2, SHANGHAI), SHANGHAI)
    shown = [[(one.begins, [who["zh"] for who in one.people]) for one in day] for day in row.days]
    assert shown == [[(None, ["甲"]), ("08:00", ["乙"])], [("00:00", [])]]
    assert [one.is_gap for one in row.days[1]] == [True]
    assert row.has_gap


def test_now_and_next_are_named_and_a_role_that_may_be_empty_has_no_gap() -> None:
    row = lay_out(_role(*SEGMENTS, may_be_empty=True), days_of(NOW, 2, SHANGHAI), SHANGHAI)
    assert [who["zh"] for who in row.now.people] == ["甲"]
    assert row.following is not None
    assert [who["zh"] for who in row.following.people] == ["乙"]
    assert row.until == datetime(2026, 3, 2, 8, tzinfo=SHANGHAI)
    assert not row.has_gap
    alone = lay_out(_role(SEGMENTS[0]), days_of(NOW, 1, SHANGHAI), SHANGHAI)
    assert alone.following is None
