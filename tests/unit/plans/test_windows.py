from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts.values import CaseKind, Place
from shared.plans.compiled import CompiledPlan, Contribution
from tests.support.plans import NOW, SOUND, compiled, create_case


def with_window(window: str, *, zone: str = "Asia/Shanghai", day_start: str = "00:00") -> CompiledPlan:
    text = SOUND.replace("today: {count: complaint, per: day, by: [topic]}", f"today: {window}")
    text = text.replace("timezone: Asia/Shanghai", f'timezone: {zone}\nbusiness_day_start: "{day_start}"')
    return compiled(text)


def only(plan: CompiledPlan, **changes: Any) -> Contribution | None:
    found = [found for found in plan.contributions(create_case(**changes)) if found.window_id == "today"]
    return found[0] if found else None


def bucket(per: str, at: str, **settings: str) -> tuple[str, str]:
    plan = with_window(f"{{count: complaint, per: {per}, by: [topic]}}", **settings)
    start, end = plan.windows["today"].bucket(datetime.fromisoformat(at).astimezone(UTC))
    return start.astimezone(UTC).isoformat(), end.astimezone(UTC).isoformat()


@pytest.mark.parametrize(
    ("per", "at", "start", "end"),
    [
        ("day", "2026-03-02T00:00:00+08:00", "2026-03-02T00:00:00+08:00", "2026-03-03T00:00:00+08:00"),
        ("day", "2026-03-02T23:59:59.999999+08:00", "2026-03-02T00:00:00+08:00", "2026-03-03T00:00:00+08:00"),
        ("week", "2026-03-08T23:59:59+08:00", "2026-03-02T00:00:00+08:00", "2026-03-09T00:00:00+08:00"),
        ("week", "2026-03-09T00:00:00+08:00", "2026-03-09T00:00:00+08:00", "2026-03-16T00:00:00+08:00"),
        ("month", "2026-02-28T12:00:00+08:00", "2026-02-01T00:00:00+08:00", "2026-03-01T00:00:00+08:00"),
        ("hour", "2026-03-02T09:59:59+08:00", "2026-03-02T09:00:00+08:00", "2026-03-02T10:00:00+08:00"),
    ],
)
def test_periods_begin_in_the_plans_time_zone(per: str, at: str, start: str, end: str) -> None:
    expected = tuple(datetime.fromisoformat(text).astimezone(UTC).isoformat() for text in (start, end))
    assert bucket(per, at) == expected


def test_a_business_day_may_begin_later() -> None:
    assert bucket("day", "2026-03-02T05:59:00+08:00", day_start="06:00")[0] == "2026-02-28T22:00:00+00:00"
    assert bucket("day", "2026-03-02T06:00:00+08:00", day_start="06:00")[0] == "2026-03-01T22:00:00+00:00"


def test_a_day_is_as_long_as_the_zone_says() -> None:
    start, end = bucket("day", "2026-03-29T12:00:00+02:00", zone="Europe/Berlin")
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(hours=23)


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    first = bucket("hour", "2026-10-25T02:30:00+02:00", zone="Europe/Berlin")
    second = bucket("hour", "2026-10-25T02:30:00+01:00", zone="Europe/Berlin")
    assert (first[1], second[0]) == ("2026-10-25T01:00:00+00:00", "2026-10-25T01:00:00+00:00")


def test_a_case_counts_once_in_its_group() -> None:
    contribution = only(with_window("{count: complaint, per: day, by: [topic]}"))
    assert contribution is not None
    assert contribution.group_key == (("topic", "roaming"),)
    assert contribution.member == "00000000-0000-0000-0000-000000000001"
    assert contribution.bucket_start == contribution.span_start == datetime(2026, 3, 1, 16, tzinfo=UTC)


def test_distinct_windows_count_values() -> None:
    plan = with_window("{distinct: place.city, of: complaint, per: day, by: [topic]}")
    first = only(plan)
    assert first is not None
    assert first.member == "长春"
    assert only(plan, place=Place()) is None
    assert only(plan, kind=CaseKind.INCIDENT) is None


@pytest.mark.parametrize(
    ("window", "changes", "counted"),
    [
        ("{count: complaint, per: day, by: [topic]}", {"topic": None}, False),
        ("{count: complaint, per: day, by: [topic]}", {"kind": CaseKind.INCIDENT}, False),
        ("{count: incident, per: day, by: [topic]}", {"kind": CaseKind.INCIDENT}, True),
        ("{count: any, per: day, by: [topic]}", {"kind": CaseKind.INCIDENT}, True),
        ("{count: complaint, where: hurt, per: day, by: [topic]}", {"facts": {"hurt": True}}, True),
        ("{count: complaint, where: hurt, per: day, by: [topic]}", {"facts": {"hurt": False}}, False),
        ("{count: complaint, where: hurt, per: day, by: [topic]}", {"facts": {}}, False),
        ("{count: complaint, per: day, by: [media]}", {"facts": {"media": "city"}}, True),
        ("{count: complaint, per: day, by: [media]}", {"facts": {}}, False),
        ("{count: complaint, per: day, by: [media]}", {"facts": {"media": 3}}, False),
        ("{count: complaint, per: day, by: [people]}", {"facts": {"people": 3}}, True),
        ("{count: complaint, per: day, by: [people]}", {"facts": {"people": -3}}, False),
        ("{distinct: people, per: day, by: [topic]}", {"facts": {"people": -3}}, False),
        ("{distinct: hurt, per: day, by: [hurt]}", {"facts": {"hurt": False}}, True),
        ("{count: complaint, per: day, by: [complainant]}", {"complainant_ref": None}, False),
        ("{count: complaint, per: day}", {"topic": None}, True),
    ],
)
def test_only_what_is_known_to_belong_counts(window: str, changes: dict[str, Any], *, counted: bool) -> None:
    assert (only(with_window(window), **changes) is not None) is counted


def test_the_instant_of_receipt_counts_unless_the_window_says_otherwise() -> None:
    earlier = {"occurred_at": NOW - timedelta(days=2)}
    received = only(with_window("{count: complaint, per: day, by: [topic]}"), **earlier)
    occurred = only(with_window("{count: complaint, per: day, by: [topic], at: occurred}"), **earlier)
    assert received is not None
    assert occurred is not None
    assert received.bucket_start - occurred.bucket_start == timedelta(days=2)


def test_a_sliding_window_never_counts_what_is_older_than_its_length() -> None:
    window = compiled().windows["by_person"]
    step = timedelta(hours=24) / 96
    for offset in (timedelta(), timedelta(minutes=7), step - timedelta(microseconds=1)):
        at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC) + offset
        start, end = window.span(at)
        assert start <= at < end
        assert at - timedelta(hours=24) <= start <= at - timedelta(hours=24) + step
        assert window.bucket(at)[1] == end


def test_what_a_case_reads_does_not_depend_on_whether_it_counts() -> None:
    plan = with_window("{count: complaint, where: hurt, per: day, by: [topic]}")
    reads = {read.window_id: read for read in plan.reads(create_case())}
    assert reads["today"].group_key == (("topic", "roaming"),)
    assert reads["today"].span_end - reads["today"].span_start == timedelta(days=1)
    assert reads["by_person"].group_key == (("complainant", "a" * 32), ("topic", "roaming"))
    assert [read.window_id for read in plan.reads(create_case(complainant_ref=None))] == ["today"]


def test_windows_by_complainant_raise_no_warning_case() -> None:
    windows = compiled().windows
    assert windows["today"].raises_warning
    assert not windows["by_person"].raises_warning
