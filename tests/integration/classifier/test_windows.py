"""Counts and warning cases on a real database: thresholds, replicas, late events, corrections, periods."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.classifier.app.forget_windows import forget_windows
from shared.contracts.envelope import Event
from tests.support.classification import (
    BURSTS,
    MONDAY,
    Classifier,
    create_classifier,
    create_complaint,
    create_incident,
    one_by_one,
)


def complaints(count: int, **given: Any) -> list[Event[Any]]:
    return [create_complaint(**given) for _ in range(count)]


async def test_a_burst_raises_one_warning_that_rises_with_the_count(classifier: Classifier) -> None:
    await one_by_one(classifier, complaints(5))
    assert await classifier.warnings() == []
    await one_by_one(classifier, complaints(1))
    await one_by_one(classifier, complaints(2))
    assert [(w.level, w.revision) for w in await classifier.warnings()] == [("yellow", 1)]
    await one_by_one(classifier, complaints(3))
    events = await classifier.published("warning")
    assert len({event.case_id for event in events}) == 1
    first, second = (event.data for event in events)
    assert (first.level, first.previous_level, first.decided_by, first.facts["today"]) == (
        "yellow", None, "yellow-day", 6,
    )  # fmt: skip
    assert (second.level, second.previous_level, second.revision, second.facts["today"]) == ("orange", "yellow", 2, 9)
    assert first.number == second.number == "2026-03-W00001"
    assert (first.topic, first.title) == ("slow-data", "slow-data：一天过五件")
    assert first.occurred_at == MONDAY


async def test_a_warning_links_the_cases_that_made_it(classifier: Classifier) -> None:
    reports = [create_complaint(at=MONDAY) for _ in range(60)]
    await classifier.classify(*reports)
    warning = next(w for w in await classifier.warnings() if w.topic)
    assert warning.linked_count == 60
    assert warning.linked_cases == tuple(sorted((report.case_id for report in reports), reverse=True)[:50])


async def test_topics_organisations_and_drills_count_apart(classifier: Classifier) -> None:
    await classifier.classify(*complaints(5), *complaints(5, topic="billing"), *complaints(5, org="other"))
    await classifier.classify(*complaints(5, drill=True))
    assert [w for w in await classifier.warnings() if w.topic] == []
    await classifier.classify(*complaints(1, drill=True))
    assert [(w.topic, w.drill) for w in await classifier.warnings() if w.topic] == [("slow-data", True)]
    await classifier.classify(*complaints(1, org="other"))
    raised = [event for event in await classifier.published("warning") if event.data.topic]
    assert [(event.org, event.data.drill) for event in raised] == [("demo", True), ("other", False)]


async def test_incidents_do_not_count_where_complaints_are_counted(classifier: Classifier) -> None:
    await classifier.classify(*(create_incident() for _ in range(9)))
    assert await classifier.warnings() == []


async def test_the_next_day_begins_anew_in_the_plans_time_zone(classifier: Classifier) -> None:
    late_evening = MONDAY.replace(hour=15, minute=59)  # 23:59 in Shanghai
    await classifier.classify(*complaints(4, at=late_evening), *complaints(4, at=late_evening + timedelta(minutes=1)))
    assert await classifier.warnings() == []
    await classifier.classify(*complaints(2, at=late_evening))
    await classifier.classify(*complaints(2, at=late_evening + timedelta(minutes=1)))
    assert [(w.number, w.level) for w in await classifier.warnings()] == [
        ("2026-03-W00001", "yellow"),
        ("2026-03-W00002", "yellow"),
    ]


async def test_a_late_event_counts_on_its_own_day(classifier: Classifier) -> None:
    await classifier.classify(*complaints(5), *complaints(5, at=MONDAY + timedelta(days=1)))
    classifier.clock.advance(timedelta(days=2))
    await classifier.classify(*complaints(1))
    (warning,) = await classifier.warnings()
    assert (warning.facts["today"], warning.occurred_at) == (6, MONDAY)


async def test_different_values_count_once(classifier: Classifier) -> None:
    for city in ("成都", "绵阳", "成都", "宜宾", "绵阳"):
        await classifier.classify(create_complaint(city=city))
    assert [w.level for w in await classifier.warnings()] == []
    await classifier.classify(create_complaint(city="泸州"))
    (warning,) = await classifier.warnings()
    assert (warning.level, warning.decided_by, warning.facts["cities_today"]) == ("red", "red-cities", 4)
    assert warning.linked_count == 6


async def test_a_fact_that_comes_later_counts_in_its_week(classifier: Classifier) -> None:
    days = [create_complaint(at=MONDAY + timedelta(days=day)) for day in range(3)]
    await classifier.classify(*days)
    for report in days:
        assert await classifier.warnings() == []
        await classifier.classify(create_complaint(report.case_id, sequence=2, facts={"escalated": True}))
    (warning,) = await classifier.warnings()
    assert (warning.decided_by, warning.facts["escalated_week"], warning.linked_count) == ("yellow-week", 3, 3)


async def test_the_week_and_the_day_warn_apart(classifier: Classifier) -> None:
    await classifier.classify(*complaints(3, facts={"escalated": True}))
    await classifier.classify(*complaints(3))
    assert [(w.decided_by, w.number[-1]) for w in await classifier.warnings()] == [
        ("yellow-week", "1"),
        ("yellow-day", "2"),
    ]
    # The week's criterion still holds on the next day, but nothing new happened to it.
    await classifier.classify(*complaints(2, at=MONDAY + timedelta(days=1)))
    assert len(await classifier.warnings()) == 2


async def test_a_correction_takes_a_case_out_of_a_count_and_the_warning_stays(classifier: Classifier) -> None:
    reports = complaints(6)
    await classifier.classify(*reports)
    assert [w.level for w in await classifier.warnings()] == ["yellow"]
    await classifier.classify(create_complaint(reports[0].case_id, sequence=2, topic="billing"))
    await classifier.classify(*complaints(1))
    counters = await classifier.rows(
        "SELECT g.group_key, c.count FROM window_counters c JOIN window_groups g USING (group_id) "
        "WHERE c.window_id = 'today' ORDER BY 1"
    )
    assert [(row["group_key"], row["count"]) for row in counters] == [
        ('[["topic", "billing"]]', 1),
        ('[["topic", "slow-data"]]', 6),
    ]
    assert len(await classifier.warnings()) == 1


async def test_a_case_counts_only_once_its_first_report_is_here(classifier: Classifier) -> None:
    case_id = uuid4()
    await classifier.classify(create_complaint(case_id, sequence=2, at=MONDAY + timedelta(days=1)))
    assert await classifier.rows("SELECT * FROM window_counters") == []
    await classifier.classify(create_complaint(case_id, sequence=1))
    starts = await classifier.rows("SELECT bucket_start FROM window_counters WHERE window_id = 'today'")
    assert [row["bucket_start"] for row in starts] == [MONDAY - timedelta(hours=9)]


async def test_the_third_complaint_of_one_person_is_graded_by_it(classifier: Classifier) -> None:
    for number in range(3):
        await classifier.classify(create_complaint(complainant_ref="c" * 32, topic=f"t{number}"))
    assert [(case.level, case.decided_by) for case in await classifier.cases()] == [
        (None, None),
        (None, None),
        ("orange", "again"),
    ]
    assert await classifier.warnings() == []


async def test_a_late_event_is_seen_in_the_sliding_hours_that_end_after_it(classifier: Classifier) -> None:
    source = "hotline"
    minute = timedelta(minutes=1)
    await classifier.classify(
        *(create_complaint(source=source, topic=f"t{n}", at=MONDAY + 50 * minute) for n in range(12))
    )
    await classifier.classify(
        *(create_complaint(source=source, topic=f"u{n}", at=MONDAY + 5 * minute) for n in range(8))
    )
    assert await classifier.warnings() == []
    # Looking back from minute 0 there is one; looking back from minute 50 there are 21.
    await classifier.classify(create_complaint(source=source, topic="v", at=MONDAY))
    (warning,) = await classifier.warnings()
    assert (warning.decided_by, warning.facts["hour"]) == ("yellow-hour", 21)


async def test_a_sliding_window_leaves_out_what_is_older_than_its_length(classifier: Classifier) -> None:
    early = [create_complaint(topic=f"t{n}", at=MONDAY) for n in range(15)]
    late = [create_complaint(topic=f"u{n}", at=MONDAY + timedelta(minutes=61)) for n in range(15)]
    await classifier.classify(*early)
    await classifier.classify(*late)
    assert await classifier.warnings() == []


@pytest.mark.parametrize("crossing", ["same window", "two windows", "two sliding buckets"])
async def test_two_replicas_that_cross_a_threshold_together_raise_one_warning(
    classifier: Classifier, classifier_url: str, crossing: str
) -> None:
    plan, left, right = _crossing(crossing)
    one, two = create_classifier(classifier_url, plan), create_classifier(classifier_url, plan)
    await asyncio.gather(one.classify(*left), two.classify(*right))
    events = await classifier.published("warning")
    assert [event.data.revision for event in events] == [1]
    assert len(await classifier.rows("SELECT * FROM warnings")) == 1
    await one.database.close()
    await two.database.close()


def _crossing(how: str) -> tuple[str, list[Event[Any]], list[Event[Any]]]:
    """Two batches neither of which reaches the level alone."""
    if how == "same window":
        return BURSTS, complaints(3), complaints(3)
    if how == "two windows":
        both = BURSTS.replace("cities_today >= 4", "cities_today >= 1 and escalated_week >= 1 and today < 99")
        return both, complaints(1, city="成都"), complaints(1, facts={"escalated": True})
    hour = timedelta(minutes=30)
    left = [create_complaint(topic=f"a{n}") for n in range(11)]
    right = [create_complaint(topic=f"b{n}", at=MONDAY + hour) for n in range(11)]
    return BURSTS, left, right


async def test_many_replicas_at_once_count_every_member_once(classifier_url: str, classifier: Classifier) -> None:
    replicas = [create_classifier(classifier_url, BURSTS) for _ in range(3)]
    reports = [create_complaint(topic=f"t{n % 4}", city=f"c{n % 3}") for n in range(120)]

    async def feed(replica: Classifier, shift: int) -> None:
        for start in range(0, 120, 10):
            at = (start + shift * 40) % 120
            await replica.classify(*reports[at : at + 10])

    await asyncio.gather(*(feed(replica, shift) for shift, replica in enumerate(replicas)))
    counts = await classifier.rows(
        "SELECT window_id, count FROM window_counters WHERE window_id <> 'hour' ORDER BY 1, 2"
    )
    assert [(row["window_id"], row["count"]) for row in counts] == [("cities_today", 3)] * 4 + [("today", 30)] * 4
    assert sorted((w.topic, w.level) for w in await classifier.warnings() if w.topic and w.level == "orange") == [
        (f"t{n}", "orange") for n in range(4)
    ]
    for replica in replicas:
        await replica.database.close()


async def test_an_open_warning_is_judged_by_the_plan_it_opened_with(
    classifier: Classifier, classifier_url: str
) -> None:
    await classifier.classify(*complaints(6))
    milder = BURSTS.replace("version: 1", "version: 2").replace("today > 8", "today > 80")
    replica = create_classifier(classifier_url, milder)
    await replica.classify(*complaints(3))
    await replica.classify(*complaints(9, topic="billing"))
    assert [(w.topic, w.level, w.plan.version) for w in await classifier.warnings()] == [
        ("slow-data", "yellow", 1),
        ("slow-data", "orange", 1),
        ("billing", "yellow", 2),
    ]
    await replica.database.close()


async def test_old_buckets_are_forgotten_and_young_ones_kept(classifier: Classifier) -> None:
    await classifier.classify(*complaints(2, at=MONDAY - timedelta(days=90)), *complaints(2))
    classifier.clock.advance(timedelta(days=10))
    await forget_windows(classifier.database, timedelta(days=50))
    buckets = await classifier.rows("SELECT DISTINCT bucket_start FROM window_members ORDER BY 1")
    assert min(row["bucket_start"] for row in buckets) > MONDAY - timedelta(days=50)
    assert await classifier.rows("SELECT count(*)::int AS n FROM window_counters WHERE window_id = 'today'") == [
        {"n": 1}
    ]
    classifier.clock.advance(timedelta(days=90))
    await forget_windows(classifier.database, timedelta(days=50))
    assert await classifier.rows("SELECT series_id FROM window_members") == []
    assert await classifier.rows("SELECT series_id FROM window_counters") == []
    assert await classifier.rows("SELECT group_id FROM window_groups") == []
