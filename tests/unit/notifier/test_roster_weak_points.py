"""What a roster hides as long as all goes well: shared addresses, circles of deputies, rotations of one person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_findings import Finding
from services.notifier.domain.roster_notices import keys_of
from services.notifier.domain.roster_text import parse_roster
from shared.contracts.values import ChannelKind

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, 08:00 in Shanghai: the turn of b begins
TEXT = """\
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, deputy: b, contacts: [{channel: sms, to: "13800000001", verified: true}]}
  - {id: b, name: {zh: 乙, en: B}, deputy: c, contacts: [{channel: sms, to: "13800000002", verified: true}]}
  - {id: c, name: {zh: 丙, en: C}, deputy: a, contacts: [{channel: sms, to: "13800000003", verified: true}]}
  - {id: room, name: {zh: 值班室, en: Duty room}, room: true,
     contacts: [{channel: voice, to: "13800000009", verified: true}]}
rotations:
  - {id: days, every: day, start: 2026-03-01, handover: "08:00", people: [a, b]}
roles:
  - {id: turn, name: {zh: 轮值, en: Turn}, duty: [{rotation: days}], when_nobody: [{person: room}]}
"""


def _found(text: str, **given: Any) -> list[Finding]:
    roster = parse_roster(text, file="r.yaml")
    return list(check_roster(roster, BEGINS, BEGINS + timedelta(days=7), **given))


def _kinds(found: list[Finding]) -> list[str]:
    return [one.kind.value for one in found]


def _away(person: str, first: str, last: str | None = None) -> tuple[str, str]:
    return f"deputy: {person}, ", f"deputy: {person}, leave: [{{from: {first}, to: {last or first}}}], "


def test_a_circle_of_deputies_is_no_trouble_as_long_as_one_of_it_is_there() -> None:
    assert _found(TEXT) == []
    two = TEXT.replace(*_away("b", "2026-03-03")).replace(*_away("c", "2026-03-03"))
    assert "deputy-loop" not in _kinds(_found(two))


def test_two_people_with_one_number_are_found_however_the_number_is_written() -> None:
    for same in ("13800000001", "+8613800000001", "008613800000001"):
        [shared] = _found(TEXT.replace("13800000002", same))
        assert (shared.kind.value, shared.person, shared.is_gap) == ("shared", "a", False)
        assert "甲（a）、乙（b）共用联系方式138****0001" in shared.what.zh
        assert "A (a), B (b) share 138****0001" in shared.what.en
        assert "13800000001" not in shared.what.zh + shared.what.en


def test_a_person_with_the_number_of_the_duty_room_is_found_where_voice_is_in_use() -> None:
    [shared] = _found(TEXT.replace("13800000009", "13800000003"))
    assert "丙（c）、值班室（room）" in shared.what.zh
    assert _found(TEXT.replace("13800000009", "13800000003"), channels={ChannelKind.SMS, ChannelKind.EMAIL}) == []


def test_mailboxes_are_compared_without_regard_to_case_and_chats_not_at_all() -> None:
    mail = TEXT.replace('{channel: sms, to: "13800000001"', "{channel: email, to: Duty@Example.org")
    mail = mail.replace('{channel: sms, to: "13800000002"', "{channel: email, to: duty@example.org")
    assert _kinds(_found(mail)) == ["shared"]
    chat = TEXT.replace('{channel: sms, to: "13800000001"', "{channel: im, to: all-of-us")
    chat = chat.replace('{channel: sms, to: "13800000002"', "{channel: im, to: all-of-us")
    assert _found(chat) == []


def test_the_same_people_with_several_addresses_in_common_are_one_finding() -> None:
    mail = ", {channel: email, to: duty@example.org, verified: true}]}\n  - {id: "
    both = TEXT.replace("13800000002", "13800000001").replace("]}\n  - {id: ", mail, 2)
    [shared] = _found(both)
    assert "138****0001, d***@example.org" in shared.what.zh


def test_a_circle_whose_people_are_all_away_at_once_is_found_with_when_and_who() -> None:
    away = TEXT
    for deputy, first, last in (("b", "2026-03-03", "2026-03-06"), ("c", "2026-03-04", "2026-03-05")):
        away = away.replace(*_away(deputy, first, last))
    away = away.replace("deputy: a, ", "deputy: a, leave: [{from: 2026-03-05, to: 2026-03-08}], ")
    [loop] = [one for one in _found(away) if one.kind.value == "deputy-loop"]
    assert (loop.role, loop.person, loop.is_gap) == (None, "a", False)
    assert (loop.begins_at, loop.ends_at) == (
        datetime(2026, 3, 4, 16, tzinfo=UTC),  # midnight in Shanghai, when the last of them leaves
        datetime(2026, 3, 5, 16, tzinfo=UTC),
    )
    assert "甲（a）→乙（b）→丙（c）→甲（a）" in loop.what.zh


def test_a_way_out_of_the_circle_is_no_loop() -> None:
    out = TEXT.replace("deputy: a, ", "deputy: [a, room], ")
    for deputy in ("b", "c"):
        out = out.replace(*_away(deputy, "2026-03-03"))
    out = out.replace("deputy: [a, room], ", "deputy: [a, room], leave: [{from: 2026-03-03, to: 2026-03-03}], ")
    assert "deputy-loop" not in _kinds(_found(out))
    of_the_leave = out.replace("[a, room]", "a").replace("to: 2026-03-03}]", "to: 2026-03-03, deputy: room}]", 1)
    assert "deputy-loop" not in _kinds(_found(of_the_leave))


def test_people_of_one_duty_who_only_stand_in_for_each_other_are_found_once_for_the_role() -> None:
    pair = TEXT.replace("deputy: c, ", "deputy: a, ").replace("people: [a, b]", "people: [[a, b], [b, c]]")
    [loop] = _found(pair)
    assert (loop.kind.value, loop.role, loop.person) == ("deputy-loop", "turn", "a")
    assert "甲（a）→乙（b）→甲（a）" in loop.what.zh


def test_a_turn_of_two_of_whom_one_is_away_without_a_deputy_is_a_leave_conflict_though_no_gap() -> None:
    shrunk = TEXT.replace("deputy: c, ", "leave: [{from: 2026-03-04, to: 2026-03-04}], ")
    shrunk = shrunk.replace("people: [a, b]", "people: [[a, b]]")
    found = [one for one in _found(shrunk) if one.kind.value != "deputy-loop"]
    assert {(one.kind.value, one.role, one.person, one.is_gap) for one in found} == {("leave", "turn", "b", False)}
    assert "当班者乙休假，无人代理" in found[0].what.zh
    assert found[0].begins_at == datetime(2026, 3, 3, 16, tzinfo=UTC)
    assert found[-1].ends_at - found[0].begins_at == timedelta(days=1)


@pytest.mark.parametrize(
    ("rotation", "kinds"),
    [
        ("people: [a]", ["alone"]),
        ("people: [a, a]", ["alone"]),
        ("people: [[a, b]]", []),
        ("people: [room]", []),
    ],
)
def test_a_rotation_of_one_person_around_the_clock_is_found(rotation: str, kinds: list[str]) -> None:
    assert _kinds(_found(TEXT.replace("people: [a, b]", rotation))) == kinds


def test_one_person_of_a_rotation_within_hours_or_beside_others_is_not_alone() -> None:
    one = TEXT.replace("people: [a, b]", "people: [a]")
    hours = one.replace("[{rotation: days}]", '[{rotation: days}], hours: {from: "08:00", to: "18:00"}')
    assert "alone" not in _kinds(_found(hours))
    assert _found(one.replace("[{rotation: days}]", "[{rotation: days}, {person: c}]")) == []


def test_how_a_roster_is_made_is_said_once_and_again_when_it_is_made_differently() -> None:
    shared, later = TEXT.replace("13800000002", "13800000001"), BEGINS + timedelta(days=30)
    [found] = _found(shared)
    [again] = check_roster(parse_roster(shared, file="r.yaml"), later, later + timedelta(days=7))
    [other] = _found(shared.replace("13800000003", "13800000001"))
    keys = [keys_of(found, BEGINS, found.ends_at), keys_of(again, later, again.ends_at)]
    assert keys[0] == keys[1] != keys_of(other, BEGINS, other.ends_at)
