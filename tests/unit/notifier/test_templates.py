"""Templates of an installation's own: what they may say, and what they can never take away."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.notifier.domain.templates import TemplateError, read_templates
from services.notifier.domain.texts import Message, Rendered, render
from shared.access.links import AcknowledgementLink, sign_acknowledgement
from shared.contracts.notifications import MessageTemplate, Purpose, Subject
from shared.plans.lint_messages import ENDINGS, LINK_LENGTH, OPENINGS
from shared.plans.sms_segments import segments

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
LINK = "https://fenghuo.example.org/a/abc"
SMS = """
templates:
  - {channel: sms, language: zh, text: "通用 {case}"}
  - {plan: telecom, channel: sms, language: zh, text: "本预案 {level} {what}[，地点 {place}][。{expected}]"}
"""


def _message(plan: str = "telecom", **more: object) -> Message:
    fields: dict[str, object] = {"title": "宽带中断", "expected": "立即处理"} | more
    subject = Subject.model_validate(
        {
            "number": "2026-11-000001",
            "plan": plan,
            "plan_title": "预案",
            "level": "red",
            "level_label": "红色预警",
            "level_rank": 3,
            "highest_rank": 3,
            "because": None,
            "occurred_at": NOW,
        }
        | fields
    )
    return Message(Purpose.PAGE, subject, "zh", ZoneInfo("Asia/Shanghai"), NOW, LINK, drill=True)


OF_THE_PLAN = (
    MessageTemplate(form="sms", zh="预案说 {case}", en="The plan says {case}"),
    MessageTemplate(form="voice", zh="{case}{place_of_later}", en="{case}"),
)


def _rendered(text: str, message: Message, *, max_segments: int = 6) -> Rendered:
    usual = render(message, max_segments=max_segments)
    return read_templates({"t.yaml": text}).render(message, usual, max_segments=max_segments)


def test_the_plan_s_own_template_goes_before_the_general_one() -> None:
    assert "本预案 红色预警 宽带中断。立即处理" in _rendered(SMS, _message()).sms
    assert "通用 2026-11-000001" in _rendered(SMS, _message("another")).sms


def test_link_name_and_drill_mark_are_always_there() -> None:
    text = _rendered(SMS, _message()).sms
    assert text.startswith("【演练】【烽火】")
    assert text.endswith(LINK)


def test_values_are_never_read_as_templates_and_never_carry_marks() -> None:
    text = _rendered(SMS, _message(title="{case} [x] 【烽火】 https://evil.example")).sms
    assert "{case}" in text
    assert text.count("【烽火】") == 1
    assert "https://evil" not in text


@pytest.mark.parametrize("length", [10, 200, 500])
def test_an_sms_keeps_to_its_segments(length: int) -> None:
    assert segments(_rendered(SMS, _message(title="长" * length), max_segments=2).sms) <= 2


def test_mail_and_voice_have_templates_too() -> None:
    text = """
templates:
  - {channel: subject, language: zh, text: "{level}：{what}"}
  - {channel: email, language: zh, text: "事项 {what}\\n要求 {expected}"}
  - {channel: voice, language: zh, text: "{what}"}
"""
    made = _rendered(text, _message(title="<b>断网</b>"))
    assert made.headline == "【演练】【烽火】红色预警：<b>断网</b>"
    assert "要求 立即处理" in made.plain
    assert LINK in made.plain
    assert "<p>事项 &lt;b&gt;断网&lt;/b&gt;</p>" in made.html
    assert made.spoken.endswith("<b>断网</b>")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{title.__class__}", "there is no place"),
        ("{case", "a brace stands alone"),
        ("[{case}", "brackets do not fit"),
        ("[[{case}]]", "brackets do not fit"),
        ("{case}]", "brackets do not fit"),
        ("", "at least 1 character"),
    ],
)
def test_a_template_that_is_none_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem) as refused:
        read_templates({"a.yaml": f"templates: [{{channel: sms, language: zh, text: '{text}'}}]"})
    assert refused.value.problems[0].startswith("a.yaml: templates.0.text")


def test_two_templates_for_the_same_messages_are_refused() -> None:
    with pytest.raises(TemplateError, match="same messages"):
        read_templates({"a.yaml": SMS, "b.yaml": SMS})


def test_the_plan_s_own_text_goes_before_the_general_one_and_after_the_installation_s_for_the_plan() -> None:
    general = SMS.replace("- {plan: telecom", "- {plan: other")
    message = replace(_message(), templates=OF_THE_PLAN)
    assert "预案说 2026-11-000001" in _rendered(general, message).sms
    assert "预案说 2026-11-000001" in _rendered("templates: []", message).sms
    assert "本预案 红色预警" in _rendered(SMS, message).sms


def test_the_reader_s_language_chooses_the_plan_s_text() -> None:
    message = replace(_message(), templates=OF_THE_PLAN, language="en")
    assert "The plan says 2026-11-000001" in _rendered("templates: []", message).sms


def test_a_text_with_a_place_of_a_later_version_is_replaced_by_the_usual_one() -> None:
    message = replace(_message(), templates=OF_THE_PLAN)
    assert _rendered("templates: []", message).spoken == render(message).spoken


def test_what_the_lint_reckons_with_is_no_less_than_what_is_added() -> None:
    """A plan's text that passes the lint is sent at least with short values."""
    secret = b"a secret of thirty-two bytes....."
    link = AcknowledgementLink(
        UUID(int=1), UUID(int=2), "telecom-company", "telecom-service-quality", "duty-manager-a", NOW
    )
    assert len(f"https://fenghuo.example.org/a/{sign_acknowledgement(link, secret)}") <= LINK_LENGTH
    for language in ("zh", "en"):
        message = replace(_message(), language=language, link=LINK)
        made = _rendered(f"templates: [{{channel: sms, language: {language}, text: 'X'}}]", message).sms
        assert made == OPENINGS[language] + "X" + ENDINGS[language] + LINK
