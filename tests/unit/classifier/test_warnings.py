"""Spans of warnings, what is judged again, and what a warning says."""

from datetime import timedelta
from uuid import UUID

from services.classifier.domain.cases import merge
from services.classifier.domain.warnings import (
    Movements,
    Span,
    bucket_of,
    counts_at,
    distinct_moments,
    facts_of,
    highest,
    later_spans,
    span_of,
    title_of,
    verdicts,
)
from services.classifier.domain.windows import Group, counted_of, reading_of
from shared.contracts.values import Bilingual
from shared.plans.compiled import Scope
from tests.support.classification import BURSTS, MONDAY, create_complaint, library_of

PLAN = library_of(BURSTS).get("bursts")
READING = reading_of(PLAN)
TOPIC = Group("demo", "bursts", drill=False, key=(("topic", "slow-data"),))


def test_what_each_kind_of_criterion_reads_is_known() -> None:
    assert READING.case_windows == {"repeats"}
    assert {shape: set(names) for shape, names in READING.raising.items()} == {
        ("topic",): {"today", "escalated_week", "cities_today"},
        ("source",): {"hour"},
    }


def test_groups_of_other_organisations_plans_and_drills_have_other_counts() -> None:
    others = [
        Group("other", "bursts", drill=False, key=TOPIC.key),
        Group("demo", "other", drill=False, key=TOPIC.key),
        Group("demo", "bursts", drill=True, key=TOPIC.key),
        Group("demo", "bursts", drill=False, key=(("topic", "billing"),)),
        # Neither do names and values run into each other.
        Group("demo", "bursts", drill=False, key=(("topi", "cslow-data"),)),
    ]
    assert len({TOPIC.id, *(group.id for group in others)}) == 6
    assert len({TOPIC.series("today"), TOPIC.series("hour"), *(group.series("today") for group in others)}) == 7
    assert TOPIC.id == Group("demo", "bursts", drill=False, key=TOPIC.key).id
    assert TOPIC.id != TOPIC.series("today")


def test_a_span_is_the_calendar_period_of_the_window() -> None:
    spans = {name: span_of(window) for name, window in PLAN.windows.items()}
    assert spans == {
        "today": Span.DAY, "escalated_week": Span.WEEK, "cities_today": Span.DAY, "repeats": Span.MONTH,
        "hour": Span.DAY,
    }  # fmt: skip
    noon = MONDAY + timedelta(days=3, hours=3)
    starts = {span: bucket_of(PLAN, span, noon).isoformat() for span in Span}
    assert starts == {
        Span.DAY: "2026-03-04T16:00:00+00:00",
        Span.WEEK: "2026-03-01T16:00:00+00:00",
        Span.MONTH: "2026-02-28T16:00:00+00:00",
    }


def test_day_and_week_criteria_give_a_verdict_each_and_the_highest_decides() -> None:
    counts = {"today": 9, "escalated_week": 3, "cities_today": 1}
    evaluation = PLAN.evaluate(PLAN.group_inputs(TOPIC.key), counts, MONDAY, Scope.TOPIC)
    found = {verdict.span: verdict for verdict in verdicts(PLAN, evaluation, MONDAY)}
    assert {span: (verdict.level, verdict.decided_by) for span, verdict in found.items()} == {
        Span.DAY: ("orange", "orange-day"),
        Span.WEEK: ("yellow", "yellow-week"),
    }
    day = found[Span.DAY]
    assert {result.id for result in day.criteria} == {"orange-day", "yellow-day", "red-cities"}
    assert facts_of(PLAN, TOPIC, day) == {"today": 9, "cities_today": 1}
    assert title_of(TOPIC, day) == Bilingual(zh="slow-data：一天过八件", en="slow-data: More than 8 in a day")
    assert day.held_names == {"today"}


def test_of_several_instants_in_one_span_the_highest_level_counts() -> None:
    group = PLAN.group_inputs(TOPIC.key)
    found = [
        verdict
        for number, hour in ((6, 0), (9, 1), (7, 2))
        for verdict in verdicts(
            PLAN,
            PLAN.evaluate(group, {"today": number}, MONDAY, Scope.TOPIC),
            MONDAY + timedelta(hours=hour),
        )
    ]
    (best,) = highest(found).values()
    assert (best.level, best.at) == ("orange", MONDAY + timedelta(hours=1))


def test_many_members_of_the_same_buckets_are_judged_once() -> None:
    movements = Movements.none()
    for second in range(200):
        report = create_complaint(UUID(int=second), at=MONDAY + timedelta(seconds=second), city="成都").data
        view = merge(None, report).view(UUID(int=second), "demo")
        for contribution in PLAN.contributions(view):
            group = Group("demo", "bursts", drill=False, key=contribution.group_key)
            movements.add(PLAN, READING, group, counted_of(contribution), view)
    at = {moment.at for moment in movements.moments() if moment.group == TOPIC}
    assert at == {MONDAY + timedelta(seconds=199)}


def test_instants_are_told_apart_by_their_buckets_only() -> None:
    hours = [MONDAY + timedelta(hours=hour) for hour in range(48)]
    # 09:00 in Shanghai: fifteen hours are left of the day.
    assert distinct_moments(PLAN, ("today",), hours) == [hours[14], hours[38], hours[47]]
    assert distinct_moments(PLAN, ("escalated_week",), hours) == [hours[47]]


def test_only_sliding_windows_look_ahead() -> None:
    source = Group("demo", "bursts", drill=False, key=(("source", "s"),))
    assert list(later_spans(PLAN, READING.raising["topic",], TOPIC, MONDAY)) == []
    (ahead,) = later_spans(PLAN, ("hour",), source, MONDAY)
    start, end = PLAN.windows["hour"].bucket(MONDAY)
    assert (ahead.start, ahead.end) == (end, start + timedelta(hours=1))
    assert counts_at(PLAN, ("hour",), source, MONDAY)["hour"].end == end
