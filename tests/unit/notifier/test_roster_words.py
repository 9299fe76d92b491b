"""Messages about rosters, hand-overs and tests are whole in either language."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.notifier.domain.live_tests import about_test
from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_notices import TEMPLATES, OpenCase, about_findings, about_handover
from services.notifier.domain.roster_text import parse_roster
from services.notifier.domain.roster_timeline import handovers
from services.notifier.domain.templates import Templates
from services.notifier.domain.texts import Message, Rendered, redacted, render, worded
from services.notifier.domain.verification import TEMPLATES as CHECK_TEMPLATES
from services.notifier.domain.verification import about_check, with_code
from shared.contracts.notifications import MessageTemplate, Purpose, Subject
from shared.contracts.values import Bilingual, ChannelKind, Language

NOW = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
ROSTER = parse_roster(
    """\
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 乙, en: B}, contacts: [{channel: sms, to: "13800000002"}]}
rotations: [{id: days, every: day, start: 2026-03-01, handover: "08:00", people: [a, b]}]
roles:
  - {id: turn, name: {zh: 轮值, en: Turn}, duty: [{rotation: days}]}
  - {id: office, name: {zh: 值班室, en: Office}, duty: [{person: a}], hours: {on: working}}
""",
    file="r.yaml",
)
HANDOVER = next(iter(handovers(ROSTER, "turn", NOW + timedelta(hours=1), NOW + timedelta(days=2))))
CASES = [
    OpenCase(f"2026-03-{number:06d}", Bilingual(zh="红色预警", en="Red"), acknowledged=number % 2 == 0)
    for number in range(7)
]
SUBJECTS: dict[str, tuple[Subject, tuple[MessageTemplate, ...]]] = {
    "findings": (about_findings(check_roster(ROSTER, NOW, NOW + timedelta(days=14)), 14, NOW), TEMPLATES),
    "hand-over": (about_handover(ROSTER, HANDOVER, CASES, passed=False), TEMPLATES),
    "hand-over now": (about_handover(ROSTER, HANDOVER, [], passed=True), TEMPLATES),
    "test": (about_test("T-2026-03-000001", NOW), ()),
}


def _rendered(subject: Subject, templates: tuple[MessageTemplate, ...], language: Language) -> Rendered:
    message = Message(
        purpose=Purpose.INFORM,
        subject=redacted(worded(subject, language)),
        language=language,
        zone=ZoneInfo("Asia/Shanghai"),
        now=NOW,
        link="https://example.org/a/x",
        requested_at=NOW,
        templates=templates,
    )
    return Templates({}).render(message, render(message), max_segments=6)


def _forms(made: Rendered) -> tuple[str, ...]:
    return made.headline, made.plain, made.html, made.sms, made.spoken


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_a_reader_of_english_gets_no_chinese(name: str) -> None:
    for text in _forms(_rendered(*SUBJECTS[name], "en")):
        assert not re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", text.replace("【", "").replace("】", "")), (
            text
        )


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_a_reader_of_chinese_gets_chinese(name: str) -> None:
    for text in _forms(_rendered(*SUBJECTS[name], "zh")):
        assert re.search(r"[\u4e00-\u9fff]{4}", text), text
        assert not re.search(r"\b(?:open|findings|duty|test|hand)\b", text.split("<body>")[-1]), text


def test_a_hand_over_names_both_sides_and_the_cases_with_their_levels() -> None:
    subject = SUBJECTS["hand-over"][0]
    assert subject.en is not None
    assert subject.en.because is not None
    assert "7 open: 2026-03-000000 (Red, acknowledged), 2026-03-000001 (Red, not acknowledged)" in subject.en.because
    assert subject.en.because.endswith("and 2 more")
    assert "未办结7件：2026-03-000000（红色预警，已确认）" in (subject.because or "")


def test_a_check_of_a_contact_point_is_whole_in_english_by_every_channel() -> None:
    for channel in ChannelKind:
        subject = with_code(worded(about_check("V-2026-03-000001", NOW), "en"), "012345", channel, "en")
        for text in _forms(_rendered(subject, CHECK_TEMPLATES, "en")):
            assert not re.search(r"[\u4e00-\u9fff]", text), text
