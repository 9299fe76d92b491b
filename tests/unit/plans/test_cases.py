from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ClockState
from shared.contracts.values import ChannelKind
from shared.plans.cases import Bounds, Case, burst_reports, load_cases, parse_case_file
from shared.plans.judging import judge_bounds
from shared.plans.problems import PlanLibraryError
from tests.support.plans import compiled

CASE = """\
case: two-reports
about: {zh: 两次上报, en: Two reports}
start: 2026-03-02T09:00:00+08:00
report: {kind: complaint, topic: roaming, place: {city: 长春}, facts: {people: 4}, occurred: 30m}
then:
  - {at: 5m, report: {facts: {people: 10}}}
  - {at: 10m, command: acknowledge, by: clerk}
  - {at: 20m, command: milestone, milestone: answered}
  - {at: 25m, report: {topic: roaming}, burst: {count: 3, every: 10m}}
run_for: 30m
expect:
  level: null
  climbs: [{at: 0s, level: mild}, {at: 5m, level: grave}]
  clocks: {answer: {due: 2h, state: met}}
  told: [{at: 0s, role: clerk, channel: sms, purpose: page}]
"""
TABLE = """\
bounds: people
about: {zh: 人数, en: People}
start: 2026-03-02T09:00:00+08:00
rows:
  - {facts: {people: 2}, level: null}
  - {facts: {people: 3}, level: mild, decided_by: some-people}
  - {windows: {today: 3}, level: mild, decided_by: many-today}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PlanLibraryError) as raised:
        parse_case_file(text, "c.yaml")
    return [str(problem) for problem in raised.value.problems]


def test_a_case_is_read_as_written() -> None:
    case = parse_case_file(CASE, "c.yaml")
    assert isinstance(case, Case)
    assert case.report.occurred_at(case.start) == datetime.fromisoformat("2026-03-02T08:30:00+08:00")
    assert [step.command for step in case.then] == [None, CommandKind.ACKNOWLEDGE, CommandKind.MILESTONE, None]
    assert case.expect.clocks["answer"].state is ClockState.MET
    assert case.expect.told[0].channel is ChannelKind.SMS
    assert case.length == timedelta(minutes=45)


def test_no_level_is_an_expectation_and_silence_is_none() -> None:
    case = parse_case_file(CASE, "c.yaml")
    assert isinstance(case, Case)
    assert case.expect.checks("level")
    assert not case.expect.checks("warning_level")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("at: 5m, report", "at: soon, report", "c.yaml:6:10: 'soon' is not a length of time"),
        ("by: clerk}", "by: clerk, report: {}}", "c.yaml:7:5: what happens is exactly one of"),
        (
            "milestone: answered}",
            "milestone: answered, burst: {count: 2}}",
            "c.yaml:8:5: what happens is exactly one of",
        ),
        (", milestone: answered}", "}", "c.yaml:8:5: the command milestone, and only it, names a milestone"),
        ("2026-03-02T09:00:00+08:00", "2026-03-02T09:00:00", "c.yaml:3:8:"),
        ("run_for", "runs_for", "unknown key 'runs_for'"),
        ("count: 3", "count: 0", "burst.count"),
        ("purpose: page", "purpose: shout", "expect.told.0.purpose"),
        ("command: acknowledge", "command: applaud", "then.1.command"),
        ("about: {zh: 两次上报, en: Two reports}", "about: {zh: 两次上报}", "'en' is missing"),
    ],
)
def test_what_is_wrong_in_a_case_is_named_with_its_place(old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in problems(CASE.replace(old, new))), problems(CASE.replace(old, new))


def test_a_burst_varies_facts_and_attributes_in_turn() -> None:
    text = CASE.replace(
        "run_for: 30m", "burst: {count: 4, every: 2s, vary: {people: [1, 2], channel: [web], place.city: [A, B, C]}}"
    )
    case = parse_case_file(text, "c.yaml")
    assert isinstance(case, Case)
    assert case.burst is not None
    found = [
        (at.total_seconds(), report.facts["people"], report.channel, report.place.city, report.complainant)
        for at, report in burst_reports(case.report, case.burst)
    ]
    assert found == [
        (0, 1, "web", "A", "complainant-1"),
        (2, 2, "web", "B", "complainant-2"),
        (4, 1, "web", "C", "complainant-3"),
        (6, 2, "web", "A", "complainant-4"),
    ]


def test_tables_are_judged_row_by_row() -> None:
    plan = compiled()
    table = parse_case_file(TABLE, "t.yaml")
    assert isinstance(table, Bounds)
    assert judge_bounds(plan, table) == []
    wrong = parse_case_file(
        TABLE.replace("people: 3", "people: 2")
        .replace("today: 3", "today: 2")
        .replace("people: 2}, level: null", "peopl: 2}, level: null"),
        "t.yaml",
    )
    assert isinstance(wrong, Bounds)
    assert judge_bounds(plan, wrong) == [
        "sample, people, row 1: 'peopl' is not declared by the plan",
        "sample, people, row 2: expected mild by some-people, found None by None",
        "sample, people, row 3: expected mild by many-today, found None by None",
    ]


def test_a_fact_of_the_wrong_type_fails_the_row() -> None:
    table = parse_case_file(TABLE.replace("people: 2", "people: two"), "t.yaml")
    assert isinstance(table, Bounds)
    assert "must be a whole number" in judge_bounds(compiled(), table)[0]


def test_a_level_needs_its_criterion() -> None:
    assert "a level has a deciding criterion" in problems(TABLE.replace(", decided_by: some-people", ""))[0]


def test_all_files_of_a_pack_are_read_or_refused_together(tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    with pytest.raises(PlanLibraryError, match="the pack has no cases"):
        load_cases(tmp_path)
    (folder / "a.yaml").write_text(CASE, encoding="utf-8")
    (folder / "b.yaml").write_text(TABLE, encoding="utf-8")
    found = load_cases(tmp_path)
    assert (len(found.cases), len(found.bounds)) == (1, 1)
    (folder / "c.yaml").write_text(CASE, encoding="utf-8")
    (folder / "d.yaml").write_bytes(b"\xff")
    (folder / "e.yaml").write_text("case: x", encoding="utf-8")
    with pytest.raises(PlanLibraryError) as raised:
        load_cases(tmp_path)
    text = str(raised.value)
    for words in (
        "'two-reports' is the name of a.yaml too",
        "d.yaml:1:1: this is not UTF-8 (byte 0xff)",
        "e.yaml:1:1: 'about' is missing",
    ):
        assert words in text
