"""What is found ahead: gaps, unreachable people, leave in the way, overlapping overrides, swaps that change nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_duty import changes
from services.notifier.domain.roster_findings import Finding
from services.notifier.domain.roster_text import parse_roster
from services.notifier.domain.roster_timeline import handovers, timeline
from shared.contracts.values import ChannelKind

TEXT = """\
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, deputy: b, contacts: [{channel: sms, to: "13800000001", verified: true}]}
  - {id: b, name: {zh: 乙, en: B}, contacts: [{channel: sms, to: "13800000002", verified: true}]}
  - {id: room, name: {zh: 值班室, en: Duty room}, room: true,
     contacts: [{channel: voice, to: "13800000003", verified: true}]}
rotations:
  - {id: days, every: day, start: 2026-03-01, handover: "08:00", people: [a, b]}
roles:
  - {id: turn, name: {zh: 轮值, en: Turn}, duty: [{rotation: days}]}
"""
BEGINS = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, 08:00 in Shanghai: the turn of b begins


def _found(text: str, days: int = 7, **given: Any) -> list[Finding]:
    roster = parse_roster(text, file="r.yaml")
    return list(check_roster(roster, BEGINS, BEGINS + timedelta(days=days), **given))


def _kinds(text: str, **given: Any) -> list[str]:
    return [one.kind.value for one in _found(text, **given)]


def test_a_sound_roster_has_no_findings() -> None:
    assert _found(TEXT) == []


def test_a_role_that_is_filled_in_hours_only_has_a_gap_outside_them_unless_it_may_be_empty() -> None:
    office = TEXT.replace(
        "duty: [{rotation: days}]",
        'duty: [{rotation: days}], hours: {days: [mon, tue, wed, thu, fri], from: "08:30", to: "18:00"}',
    )
    gaps = _found(office, days=1)
    assert [(one.begins_at.hour, one.ends_at.hour, one.is_gap) for one in gaps] == [(0, 0, True), (10, 0, True)]
    assert gaps[0].ends_at == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    assert "无人值班" in gaps[0].what.zh
    assert _found(office.replace("name: {zh: 轮值", "may_be_empty: true, name: {zh: 轮值")) == []


def test_the_duty_room_as_last_resort_is_told_apart_from_a_gap() -> None:
    alone = TEXT.replace("deputy: b, ", "leave: [{from: 2026-03-03, to: 2026-03-03}], ")
    assert _kinds(alone) == ["gap"]
    resort = alone.replace("duty: [{rotation: days}]", "duty: [{rotation: days}], when_nobody: [{person: room}]")
    assert [(one.kind.value, one.person, one.is_gap) for one in _found(resort)] == [("last-resort", "room", False)]


def test_leave_during_an_own_turn_is_a_conflict_even_with_a_deputy() -> None:
    away = TEXT.replace("deputy: b, ", "deputy: b, leave: [{from: 2026-03-03, to: 2026-03-03}], ")
    [conflict] = _found(away)
    assert (conflict.kind.value, conflict.role, conflict.person, conflict.is_gap) == ("leave", "turn", "b", False)


def test_who_will_be_on_duty_without_a_verified_contact_point_is_named_once() -> None:
    unproved = TEXT.replace('to: "13800000002", verified: true', 'to: "13800000002"')
    [warning] = _found(unproved)
    assert (warning.kind.value, warning.person, warning.is_gap) == ("unverified", "b", False)
    assert "未经验证：sms-1" in warning.what.zh
    strict = _found("page_unverified: false\n" + unproved)
    assert [(one.kind.value, one.person, one.is_gap) for one in strict] == [
        ("unreachable", "b", True),
        ("unverified", "b", False),
    ]
    mail_only = _found(TEXT, channels={ChannelKind.EMAIL})
    assert {one.person for one in mail_only} == {"a", "b"}


def test_overlapping_overrides_idle_swaps_and_roles_of_plans_are_found() -> None:
    overlap = TEXT + (
        "overrides:\n"
        "  - {role: turn, people: [a], from: 2026-03-03, to: 2026-03-04, reason: x}\n"
        "  - {role: turn, people: [b], from: 2026-03-04, to: 2026-03-05, reason: y}\n"
    )
    assert _kinds(overlap) == ["overlap"]
    around = overlap.replace("to: 2026-03-04, reason: x", "to: 2026-03-06, reason: x").replace(
        "from: 2026-03-04, to: 2026-03-05", "from: 2026-03-03, to: 2026-03-03"
    )
    late = around + "  - {role: turn, people: [b], from: 2026-03-05, to: 2026-03-05, reason: z}\n"
    assert [one.what.en.split("(")[1].split(")")[0] for one in _found(late)] == ["x; y", "x; z"]
    idle = TEXT + 'swaps: [{between: [a, b], from: "2026-03-02 09:00", to: "2026-03-02 10:00", reason: x}]\n'
    assert [(one.kind.value, one.person) for one in _found(idle)] == [("idle-swap", "a")]
    assert _kinds(TEXT, named_by_plans={"turn", "nobody-has-this"}) == ["unstaffed"]


def test_a_finding_keeps_its_key_while_time_passes() -> None:
    alone = TEXT.replace("deputy: b, ", "leave: [{from: 2026-03-03, to: 2026-03-03}], ")
    roster = parse_roster(alone, file="r.yaml")
    first = check_roster(roster, BEGINS + timedelta(days=1, hours=1), BEGINS + timedelta(days=7))
    later = check_roster(roster, BEGINS + timedelta(days=1, hours=9), BEGINS + timedelta(days=7))
    assert [one.key for one in first] == [one.key for one in later] != []


def test_a_timeline_has_no_holes_and_hand_overs_name_both_sides() -> None:
    roster = parse_roster(TEXT, file="r.yaml")
    segments = list(timeline(roster, "turn", BEGINS, BEGINS + timedelta(days=3)))
    assert [(one.people, one.ends_at - one.begins_at) for one in segments] == [
        (("b",), timedelta(days=1)),
        (("a",), timedelta(days=1)),
        (("b",), timedelta(days=1)),
    ]
    passed = list(handovers(roster, "turn", BEGINS, BEGINS + timedelta(days=2)))
    assert [(one.leaving, one.coming) for one in passed] == [(("a",), ("b",)), (("b",), ("a",))]
    assert passed[0].at == BEGINS


def test_a_role_is_worked_out_anew_only_when_somebody_it_depends_on_comes_or_goes() -> None:
    """With thousands of people there is always somebody who goes on leave."""
    away = TEXT.replace("room: true,", 'leave: [{from: "2026-03-02 10:00", to: "2026-03-02 11:00"}],')
    roster = parse_roster(away, file="r.yaml")
    assert changes(roster, "turn", BEGINS, BEGINS + timedelta(days=1)) == [BEGINS]
    deputy = parse_roster(
        away.replace("deputy: b, ", 'deputy: room, leave: [{from: "2026-03-02 09:00", to: "2026-03-02 12:00"}], '),
        file="r.yaml",
    )
    assert [moment.hour for moment in changes(deputy, "turn", BEGINS, BEGINS + timedelta(days=1))] == [0, 1, 2, 3, 4]


def test_the_reason_of_a_swapped_turn_names_whose_turn_it_was() -> None:
    swapped = parse_roster(
        TEXT
        + "swaps:\n"
        + "  - {between: [a, b], from: 2026-03-03, to: 2026-03-03, rotation: days, reason: 家事, by: 值班长,\n"
        + "     back: {from: 2026-03-06, to: 2026-03-06}}\n",
        file="r.yaml",
    )
    [segment] = list(timeline(swapped, "turn", BEGINS + timedelta(days=1), BEGINS + timedelta(hours=30)))
    assert segment.people == ("b",)
    assert [step.kind.value for step in segment.duties[0].chain] == ["turn", "cover"]
    assert "与甲换班至2026-03-04 00:00（家事，值班长经办）" in segment.duties[0].because.zh
