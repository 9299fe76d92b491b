"""Virtual time: the same rules as in earnest, everybody who would be told, and differences that are found."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.drill.app.run_pack_cases import run_pack_cases
from services.drill.app.simulate_plan import simulate_case
from services.drill.domain.comparison import after, differences
from services.drill.domain.timeline import Happened, Outcome
from services.escalator.domain.time_bases import NeedsCalendarError
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.plans.cases import Case, parse_case_file
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan
from shared.plans.problems import PlanLibraryError
from tests.support.calendars import shipped
from tests.support.escalations import PLAN_TEXT

PLAN = CompiledPlan.of(parse_plan(PLAN_TEXT, "plan.yaml"))
COUNTING = """
windows:
  today: {count: complaint, per: day, by: [topic]}
  cities: {distinct: place.city, of: complaint, per: day, by: [topic]}
criteria:
  - {id: many, level: yellow, when: today >= 3, label: {zh: 三件, en: three}}
  - {id: more, level: orange, when: today >= 5, label: {zh: 五件, en: five}}
  - {id: wide, level: red, when: cities >= 2, label: {zh: 两市, en: two cities}}
"""
HEAD = """
case: trial
about: {zh: 测试, en: test}
start: 2026-11-02T09:00:00+08:00
"""


def case_of(text: str) -> Case:
    parsed = parse_case_file(HEAD + text, "trial.yaml")
    assert isinstance(parsed, Case)
    return parsed


def run(text: str, plan: CompiledPlan = PLAN) -> tuple[Case, Outcome]:
    case = case_of(text)
    return case, simulate_case(plan, case)


def told(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(after(entry.at - outcome.start), entry.role, entry.purpose) for entry in outcome.told]


def test_unanswered_case_tells_everybody_at_the_planned_time() -> None:
    _, outcome = run("report: {facts: {people: 1}}\nrun_for: 45m\nexpect: {}")
    assert told(outcome) == [
        ("0s", "liaison", Purpose.PAGE),
        ("15m", "liaison", Purpose.PAGE),
        ("30m", "head", Purpose.PAGE),
        ("30m", "deputy", Purpose.PAGE),
        ("30m", "head", Purpose.WARN),
        ("30m", "deputy", Purpose.WARN),
        ("40m", "head", Purpose.PAGE),
        ("40m", "deputy", Purpose.PAGE),
    ]


def test_person_who_answers_at_the_very_deadline_is_in_time() -> None:
    _, outcome = run(
        "report: {facts: {people: 1}}\nthen: [{at: 15m, command: acknowledge, by: liaison}]\nrun_for: 2h\nexpect: {}"
    )
    assert told(outcome) == [("0s", "liaison", "page")]
    assert outcome.case is not None
    assert outcome.case.case.state is CaseState.ACKNOWLEDGED


def test_roles_are_resolved_at_the_time_they_are_told() -> None:
    case = case_of("report: {facts: {people: 1}}\nrun_for: 20m\nexpect: {}")
    outcome = simulate_case(PLAN, case, resolve=lambda role, at: (f"{role}@{at:%H:%M}",))
    assert [entry.people for entry in outcome.told] == [("liaison@09:00",), ("liaison@09:15",)]


def test_time_alone_raises_a_forecast_and_later_facts_replace_earlier_ones() -> None:
    text = PLAN_TEXT.replace("facts:\n", "facts:\n  expected_at: instant\n").replace(
        "when: people >= 100", "when: until(expected_at) <= 1h"
    )
    plan = CompiledPlan.of(parse_plan(text, "plan.yaml"))
    _, outcome = run(
        'report: {facts: {people: 1, expected_at: "2026-11-02T14:00:00+08:00"}}\n'
        'then: [{at: 1h, report: {facts: {expected_at: "2026-11-02T12:00:00+08:00"}}}]\nrun_for: 6h\nexpect: {}',
        plan,
    )
    assert [(after(at - outcome.start), level) for at, level in outcome.climbs("case")] == [
        ("0s", "yellow"),
        ("2h", "red"),
    ]


def test_burst_raises_one_warning_case_that_only_rises() -> None:
    head, _, tail = PLAN_TEXT.partition("criteria:")
    plan = CompiledPlan.of(parse_plan(head + COUNTING + tail[tail.index("clocks:") :], "plan.yaml"))
    _, outcome = run(
        "report: {topic: t, place: {city: a}}\nburst: {count: 6, every: 1m}\n"
        "then: [{at: 30m, burst: {count: 1}, report: {topic: t, place: {city: b}}}]\nexpect: {}",
        plan,
    )
    assert [(after(at - outcome.start), level) for at, level in outcome.climbs("warning")] == [
        ("2m", "yellow"),
        ("4m", "orange"),
        ("30m", "red"),
    ]
    assert outcome.case is not None
    assert outcome.case.case.level is None


def test_complaint_corrected_to_another_topic_no_longer_counts_for_the_first() -> None:
    head, _, tail = PLAN_TEXT.partition("criteria:")
    plan = CompiledPlan.of(parse_plan(head + COUNTING + tail[tail.index("clocks:") :], "plan.yaml"))
    _, outcome = run(
        "report: {topic: t}\nthen:\n"
        "  - {at: 1m, report: {topic: other}}\n"
        "  - {at: 2m, burst: {count: 2}, report: {topic: t}}\nexpect: {}",
        plan,
    )
    assert outcome.warning is None


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("{level: red}", "level: expected red, found yellow"),
        ("{level: null}", "level: expected None, found yellow"),
        ("{decided_by: r}", "decided_by: expected r, found y"),
        ("{warning_level: red}", "warning_level: expected red, found None"),
        ("{climbs: [{at: 1m, level: yellow}]}", "climbs: expected yellow at 1m, found yellow at 0s"),
        ("{state: closed}", "state: expected closed, found acknowledged"),
        ("{tier: leader}", "tier: expected leader, found liaison"),
        ("{clocks: {respond: {state: missed}}}", "clocks.respond.state: expected missed, found met"),
        ("{clocks: {respond: {due: 2h}}}", "clocks.respond.due: expected 2h, found 1h"),
        ("{clocks: {submit: {state: met}}}", "clocks.submit: expected to run, but never started"),
        ("{told: [{at: 1m, role: liaison}]}", "told: expected liaison at 1m, but was not told"),
        ("{told: [{at: 0s, role: liaison, channel: im}]}", "told: expected liaison at 0s im, but was not told"),
        ("{nobody_else: true}", "told: liaison was told at 0s (page), not expected"),
    ],
)
def test_every_kind_of_difference_is_found(expect: str, difference: str) -> None:
    case, outcome = run(
        "report: {facts: {people: 1}}\nthen: [{at: 5m, command: acknowledge, by: liaison}]\n" + f"expect: {expect}"
    )
    assert differences(case, outcome) == (difference,)


def test_what_comes_true_makes_no_difference() -> None:
    case, outcome = run(
        "report: {facts: {people: 1}}\nthen: [{at: 5m, command: acknowledge, by: liaison}]\n"
        "expect: {level: yellow, state: acknowledged, told: [{at: 0s, role: liaison, channel: voice}], "
        "nobody_else: true, clocks: {respond: {state: met, due: 1h}}}"
    )
    assert differences(case, outcome) == ()


def test_command_for_a_case_that_is_not_there_is_a_difference() -> None:
    case, outcome = run(
        "report: {facts: {people: 1}}\nthen: [{at: 5m, command: close, on: warning, by: liaison}]\nexpect: {}"
    )
    assert differences(case, outcome) == ("close at 5m: there is no warning case yet",)


def test_plan_that_needs_a_calendar_says_so() -> None:
    text = PLAN_TEXT.replace("limit: 48h", "limit: 15wd").replace("timezone:", "calendar: china\ntimezone:")
    with pytest.raises(NeedsCalendarError):
        run("report: {facts: {people: 1}}\nexpect: {}", CompiledPlan.of(parse_plan(text, "plan.yaml")))


def test_a_drill_counts_by_the_same_calendars_as_the_escalator() -> None:
    """Received on Monday 26 January 2026: the seventh and a half of fifteen working days is 5 February at noon."""
    text = PLAN_TEXT.replace("    limit: 48h", '    limit: 15wd\n    warn: ["50%"]').replace(
        "timezone:", "calendar: china\ntimezone:"
    )
    plan = CompiledPlan.of(parse_plan(text, "plan.yaml"))
    begin = datetime.fromisoformat("2026-01-26T10:00:00+08:00")
    case = case_of("report: {facts: {people: 1}}\nrun_for: 30d\nexpect: {}").model_copy(update={"start": begin})
    outcome = simulate_case(plan, case, calendars=shipped())
    passed = {
        entry.kind: entry.at for entry in outcome.timeline if isinstance(entry, Happened) and "办结" in entry.because
    }
    assert passed[ChangeKind.CLOCK_WARNED] == datetime.fromisoformat("2026-02-05T12:00:00+08:00")
    assert passed[ChangeKind.CLOCK_BREACHED] == datetime.fromisoformat("2026-02-15T00:00:00+08:00")


def test_simulating_twice_gives_the_same_timeline() -> None:
    text = "report: {facts: {people: 100}}\nrun_for: 30h\nexpect: {}"
    first, second = run(text)[1], run(text)[1]
    assert first == second
    assert any(isinstance(entry, Happened) and entry.kind is ChangeKind.CHAIN_ENDED for entry in first.timeline)
    assert all(first.start <= entry.at <= first.end for entry in first.timeline)


def test_pack_whose_cases_are_broken_is_refused_with_the_place(tmp_path: Path) -> None:
    pack = tmp_path / "ladder-test"
    (pack / "cases").mkdir(parents=True)
    (pack / "plan.yaml").write_text(PLAN_TEXT, encoding="utf-8")
    (pack / "cases" / "bad.yaml").write_text(HEAD + "report: {}\nexpect: {levle: red}\n", encoding="utf-8")
    with pytest.raises(PlanLibraryError, match=r"bad\.yaml:6:\d+: unknown key 'levle'"):
        run_pack_cases(tmp_path)
    (pack / "cases" / "bad.yaml").write_text(HEAD + "report: {}\nexpect: {level: red}\n", encoding="utf-8")
    (result,) = run_pack_cases(tmp_path)
    assert result.differences == ("level: expected red, found None",)
    with pytest.raises(PlanLibraryError, match="there is no plan 'other'"):
        run_pack_cases(tmp_path, ["other"])


def test_lengths_are_written_as_a_case_file_writes_them() -> None:
    assert [after(timedelta(seconds=n)) for n in (0, 59, 3600, 90_061, -60)] == ["0s", "59s", "1h", "1d1h1m1s", "-1m"]
