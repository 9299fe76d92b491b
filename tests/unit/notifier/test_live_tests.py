"""Who is asked in a live test, what they read, and when the next one is due."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.notifier.domain.live_tests import Answer, LiveTest, Wanted, about_test, due_key, number_of, people_to_ask
from services.notifier.domain.noise import is_highest
from services.notifier.domain.roster_text import parse_roster
from services.notifier.domain.texts import Message, render
from shared.contracts.notifications import Purpose

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ROSTER = parse_roster(
    """\
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 乙, en: B}, contacts: [{channel: sms, to: "13800000002"}]}
  - {id: away, name: {zh: 丙, en: C}, leave: [{from: 2020-01-01, to: 2099-12-31}],
     contacts: [{channel: sms, to: "13800000003"}]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: b}]}
""",
    file="roster.yaml",
)


def test_a_role_a_person_or_everybody_not_on_leave_is_asked() -> None:
    assert people_to_ask(ROSTER, Wanted(role="head"), NOW) == ("b",)
    assert people_to_ask(ROSTER, Wanted(person="away"), NOW) == ("away",)
    assert people_to_ask(ROSTER, Wanted(), NOW) == ("a", "b")


@pytest.mark.parametrize("wanted", [Wanted(role="nothing"), Wanted(person="nobody")])
def test_what_the_roster_does_not_have_is_named(wanted: Wanted) -> None:
    with pytest.raises(LookupError, match="no"):
        people_to_ask(ROSTER, wanted, NOW)


def test_an_answer_after_the_end_does_not_count() -> None:
    end = NOW + timedelta(minutes=15)
    late = Answer("late", end + timedelta(microseconds=1))
    test = LiveTest(UUID(int=1), "demo", "T", "k", NOW, end, (Answer("a", end), late, Answer("c", None)))
    assert test.unanswered() == ("late", "c")
    assert not test.is_over(end)
    assert test.is_over(end + timedelta(microseconds=1))
    assert LiveTest(UUID(int=1), "demo", "T", "k", NOW, end, (Answer("a", NOW),)).is_over(NOW)


def test_every_form_begins_with_the_mark_of_tests_and_is_never_held_back() -> None:
    subject = about_test(number_of(UUID(int=7), NOW), NOW)
    assert subject.number == "T-2026-11-000007"
    assert is_highest(subject)
    zone = ZoneInfo("Asia/Shanghai")
    link = "http://127.0.0.1/a/x"
    made = render(Message(Purpose.INFORM, subject, "zh", zone, NOW, link=link, drill=True))
    assert made.headline.startswith("【测试】")
    assert made.sms.startswith("【测试】")
    assert link in made.sms


def test_one_is_due_on_every_nth_local_day_from_ten_on() -> None:
    ten = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    keys = [due_key(ROSTER, ten + timedelta(days=day), 7) for day in range(14)]
    assert len([one for one in keys if one is not None]) == 2
    assert due_key(ROSTER, ten, 1) == "live-test/2026-11-22"
    assert due_key(ROSTER, ten - timedelta(microseconds=1), 1) is None
    assert due_key(ROSTER, ten, 0) is None
