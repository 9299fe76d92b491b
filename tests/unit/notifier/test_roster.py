"""Who is on duty: sources, hours, overrides, leave, deputies and recusal."""

import re
from datetime import UTC, datetime

import pytest

from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_duty import Duty, on_duty
from services.notifier.domain.roster_problems import RosterError
from services.notifier.domain.roster_text import parse_roster

TEXT = """\
organisation: demo
timezone: Asia/Shanghai
people:
  - id: a
    name: {zh: 甲, en: A}
    deputy: b
    leave: [{from: 2026-03-02, to: 2026-03-03, reason: 年假}]
    contacts: [{channel: sms, to: "13800000001"}]
  - {id: b, name: {zh: 乙, en: B}, deputy: a, contacts: [{channel: sms, to: "13800000002"}]}
  - {id: c, name: {zh: 丙, en: C}, contacts: []}
  - id: d
    name: {zh: 丁, en: D}
    deputy: a
    leave: [{from: "2026-03-02 12:00", to: "2026-03-04T12:00:00+08:00"}]
    contacts: [{channel: email, to: d@example.org}]
teams:
  - {id: crew, people: [b, c]}
rotations:
  - {id: days, every: day, start: 2026-03-01, handover: "08:00", people: [b, c]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: a}]}
  - {id: dees, name: {zh: 丁岗, en: Dees}, duty: [{person: d}]}
  - {id: crew, name: {zh: 班组, en: Crew}, duty: [{team: crew}, {person: b}]}
  - {id: turn, name: {zh: 轮值, en: Turn}, duty: [{rotation: days}]}
  - {id: same, name: {zh: 同上, en: Same}, duty: [{role: turn}]}
  - id: office
    name: {zh: 办公室, en: Office}
    duty: [{person: c}]
    hours: {days: [mon, tue, wed, thu, fri], from: "08:30", to: "18:00"}
    off_hours: [{role: turn}]
  - id: nights
    name: {zh: 夜班, en: Nights}
    duty: [{person: b}]
    hours: {days: [fri], from: "22:00", to: "06:00"}
    off_hours: [{person: c}]
overrides:
  - {role: turn, people: [c], from: "2026-03-05 08:00", to: "2026-03-05 20:00", reason: 换班}
"""
ROSTER = parse_roster(TEXT, file="roster.yaml")


def _who(role: str, local: str, roster: Roster = ROSTER, excluded: frozenset[str] = frozenset()) -> list[str]:
    return [duty.person.id for duty in _duties(role, local, roster, excluded)]


def _duties(role: str, local: str, roster: Roster = ROSTER, excluded: frozenset[str] = frozenset()) -> tuple[Duty, ...]:
    instant = datetime.fromisoformat(local).replace(tzinfo=roster.zone)
    return on_duty(roster, role, instant, excluded=excluded)


@pytest.mark.parametrize(
    ("role", "local", "people"),
    [
        ("head", "2026-03-01 23:59", ["a"]),
        ("head", "2026-03-02 00:00", ["b"]),  # leave by days begins at midnight
        ("head", "2026-03-03 23:59", ["b"]),  # and includes its last day
        ("head", "2026-03-04 00:00", ["a"]),
        ("dees", "2026-03-02 11:59", ["d"]),
        ("dees", "2026-03-02 12:00", ["b"]),  # d away, deputy a away too, a's deputy is b
        ("dees", "2026-03-04 11:59", ["a"]),
        ("dees", "2026-03-04 12:00", ["d"]),
        ("crew", "2026-03-01 12:00", ["b", "c"]),  # each person once
        ("turn", "2026-03-01 07:59", []),  # the rotation has not begun
        ("turn", "2026-03-01 08:00", ["b"]),
        ("turn", "2026-03-02 08:00", ["c"]),
        ("turn", "2026-03-05 07:59", ["c"]),
        ("turn", "2026-03-06 07:59", ["b"]),
        ("same", "2026-03-02 08:00", ["c"]),
        ("office", "2026-03-02 07:59", ["b"]),  # a Monday before hours, whose turn began on Sunday
        ("office", "2026-03-02 08:30", ["c"]),
        ("office", "2026-03-02 17:59", ["c"]),
        ("office", "2026-03-07 12:00", ["b"]),  # a Saturday
        ("nights", "2026-03-06 22:00", ["b"]),  # Friday night
        ("nights", "2026-03-07 05:59", ["b"]),  # still the night that began on Friday
        ("nights", "2026-03-07 06:00", ["c"]),
        ("nights", "2026-03-06 05:59", ["c"]),
        ("no-such-role", "2026-03-02 08:30", []),
    ],
)
def test_on_duty(role: str, local: str, people: list[str]) -> None:
    assert _who(role, local) == people


def test_an_override_replaces_the_turn_while_it_lasts() -> None:
    assert _who("turn", "2026-03-05 08:00") == ["c"]
    assert _who("turn", "2026-03-05 19:59") == ["c"]
    assert _who("turn", "2026-03-05 20:00") == ["b"]
    assert _duties("turn", "2026-03-05 10:00")[0].because.zh == "临时替班至2026-03-05 20:00（换班）"


def test_a_recused_person_is_replaced_and_two_who_stand_in_for_each_other_end_in_nobody() -> None:
    assert _who("head", "2026-03-01 12:00", excluded=frozenset({"a"})) == ["b"]
    assert _who("head", "2026-03-02 12:00", excluded=frozenset({"b"})) == []
    assert _who("head", "2026-03-01 12:00", excluded=frozenset({"a", "b"})) == []


def test_the_reason_names_every_step() -> None:
    [duty] = _duties("dees", "2026-03-02 12:00")
    assert duty.because.zh == "担任丁岗；丁休假至2026-03-04 12:00，由其代理；甲休假至2026-03-04 00:00，由其代理"
    assert "deputy of D, on leave until 2026-03-04 12:00" in duty.because.en


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("{person: a}", "{person: nobody}", "roster.yaml:21: roles.0.duty.0.person: there is no person 'nobody'"),
        ("{zh: 乙, en: B}", "{zh: 乙, en: ' '}", "people.1.name.en: messages call people and roles by it"),
        ("deputy: b\n", "deputy: x\n", "roster.yaml:6: people.0.deputy: there is no person 'x'"),
        ("{team: crew}", "{team: none}", "roster.yaml:23: roles.2.duty.0.team: there is no team 'none'"),
        ("{team: crew}", "{team: crew, person: a}", "roles.2.duty.0: give exactly one of"),
        ('"13800000001"', "13800000001", "roster.yaml:8: people.0.contacts.0.to: Input should be a valid string"),
        ('"13800000001"', '"138-0000"', "people.0.contacts.0.to: a phone number has digits only"),
        ("d@example.org", "d@@", "roster.yaml:15: people.3.contacts.0.to: 'd@@' is not an e-mail address"),
        ("Asia/Shanghai", "Asia/Nowhere", "roster.yaml:2: timezone:"),
        ('"08:30"', '"25:30"', "roles.5.hours.from:"),
        ("[fri]", "[friday]", "roles.6.hours.days.0: 'friday' is none of mon"),
        ("to: 2026-03-03", "to: 2026-03-01", "roster.yaml:7: people.0.leave.0.to: lies before from"),
        ("from: 2026-03-02, ", "from: soon, ", "people.0.leave.0.from: 'soon' is neither a day nor a time"),
        ("[{rotation: days}]", "[{role: same}]", "role 'turn' ends in itself"),
        ("{id: c,", "{id: b,", "people.2.id: 'b' is there twice"),
        ("timezone:", "time_zone:", "roster.yaml:1: timezone: Field required"),
        ("teams:\n", "teams: [\n", "not YAML"),
        ("teams:", "nothing:", "roster.yaml:16: nothing: Extra inputs are not permitted"),
        ("role: turn, people", "role: none, people", "overrides.0.role: there is no role 'none'"),
        ("to: 2026-03-03", "to: 2026-13-03", "roster.yaml:7: people.0.leave.0.to: '2026-13-03' is neither"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field(before: str, after: str, problem: str) -> None:
    assert before in TEXT
    with pytest.raises(RosterError) as raised:
        parse_roster(TEXT.replace(before, after, 1), file="roster.yaml")
    # Whose entry it is stands behind the field.
    told = [re.sub(r" \(\w[^:]*\): ", ": ", one) for one in raised.value.problems]
    assert any(problem in one for one in told), raised.value.problems


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"13800000001"', '"138-0000"', "people.0.contacts.0.to (person a 甲 / A, contact sms): a phone number has"),
        ("{zh: 乙, en: B}", "{zh: 乙, en: ' '}", "people.1.name.en (person b 乙): messages call people"),
        ("{person: a}", "{person: nobody}", "roles.0.duty.0.person (role head 主管 / Head): there is no person"),
        ('handover: "08:00"', 'handover: "8:00"', "(rotation days): String should match pattern"),
        ("{team: crew}", "{team: none}", "(role "),
        ("role: turn, people", "role: none, people", "overrides.0.role (override of none): there is no role 'none'"),
        ("timezone:", "time_zone:", "roster.yaml:1: timezone: Field required"),
    ],
)
def test_a_mistake_is_named_with_whose_it_is(before: str, after: str, problem: str) -> None:
    assert before in TEXT
    with pytest.raises(RosterError) as raised:
        parse_roster(TEXT.replace(before, after, 1), file="roster.yaml")
    assert any(problem in one for one in raised.value.problems), raised.value.problems
    assert any(one.split(" (")[0].split(": ")[1] in raised.value.by_field for one in raised.value.problems)


def test_roles_that_take_people_from_each_other_end_after_twenty_steps() -> None:
    def deep(count: int) -> str:
        roles = [f"  - {{id: r{at}, name: {{zh: 岗, en: R}}, duty: [{{role: r{at - 1}}}]}}\n" for at in range(1, count)]
        ground = "  - {id: r0, name: {zh: 岗, en: R}, duty: [{person: a}, {person: b}]}\n"
        return TEXT.split("roles:\n", maxsplit=1)[0] + "roles:\n" + "".join([ground, *reversed(roles)])

    roster = parse_roster(deep(20), file="roster.yaml")
    assert [one.person.id for one in on_duty(roster, "r19", datetime(2026, 2, 1, tzinfo=UTC))] == ["a", "b"]
    with pytest.raises(RosterError, match="more than 20 deep"):
        parse_roster(deep(21), file="roster.yaml")
    with pytest.raises(RosterError, match="more than 20 deep"):
        parse_roster(deep(600), file="roster.yaml")


def test_deputies_of_deputies_have_no_end_that_matters() -> None:
    """Each on leave, each the next one's deputy: far more of them than Python nests calls."""
    away = "leave: [{from: 2026-01-01, to: 2026-12-31}], contacts: []}\n"
    people = "".join(f"  - {{id: p{at}, name: {{zh: 人, en: P}}, deputy: p{at + 1}, {away}" for at in range(3000))
    text = (
        "organisation: demo\ntimezone: UTC\npeople:\n"
        + people
        + "  - {id: p3000, name: {zh: 人, en: P}, contacts: []}\n"
        + "roles: [{id: r, name: {zh: 岗, en: R}, duty: [{person: p0}]}]\n"
    )
    [duty] = on_duty(parse_roster(text, file="roster.yaml"), "r", datetime(2026, 3, 1, tzinfo=UTC))
    assert (duty.person.id, len(duty.chain)) == ("p3000", 3001)


@pytest.mark.parametrize(
    "text", ["", "[]", "a: &a [*a]", "\x00", "{}", "- 1", "a: b: c", "\ud800", "🔥", "x" * 5_000_000]
)
def test_whatever_is_not_a_roster_is_refused_in_words(text: str) -> None:
    with pytest.raises(RosterError) as raised:
        parse_roster(text, file="roster.yaml")
    assert raised.value.problems[0].startswith("roster.yaml:")
