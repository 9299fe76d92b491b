"""What messages say, how they are sized, and what hostile text cannot do to them."""

import email
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.channel import OutgoingMessage
from services.notifier.channels.mail_message import mail_bytes
from services.notifier.domain.texts import Message, Rendered, redacted, render
from services.notifier.domain.words import clean, harmless
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import ChannelKind, Language, Place
from shared.plans.sms_segments import is_gsm, segments

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LINK = "http://127.0.0.1:8601/a/" + "x" * 150


def _subject(**changes: object) -> Subject:
    plain: dict[str, object] = {
        "number": "2026-11-000123",
        "plan": "telecom-service-quality",
        "plan_title": "重大业务服务质量事件应急管理",
        "level": "red",
        "level_label": "红色预警",
        "level_rank": 3,
        "highest_rank": 3,
        "because": "customers_affected 60000 > 50000",
        "title": "全市无法上网",
        "topic": "network",
        "place": Place(province="某省", city="某市"),
        "expected": "组织处理并签收",
        "due_at": NOW + timedelta(hours=1),
        "next_tier": "业务管理部门领导",
        "occurred_at": NOW,
    }
    return Subject.model_construct(**(plain | changes))  # type: ignore[arg-type]  # unchecked on purpose: hostile text


def _rendered(
    *, language: Language = "zh", purpose: Purpose = Purpose.PAGE, link: str | None = LINK, drill: bool = False,
    max_segments: int = 6, **subject: object,
) -> Rendered:  # fmt: skip
    message = Message(
        purpose=purpose,
        subject=_subject(**subject),
        language=language,
        zone=ZoneInfo("Asia/Shanghai"),
        now=NOW,
        link=link,
        requested_at=NOW,
        drill=drill,
    )
    return render(message, max_segments=max_segments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),  # 2 × 153
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # 306 septets, but the pair does not fit the end of the first part
        ("字" * 70, 1),
        ("字" * 71, 2),
        ("字" * 134, 2),  # 2 × 67
        ("字" * 135, 3),
        ("🔥" * 35, 1),  # two code units each
        ("🔥" * 36, 2),
        ("🔥" * 67, 3),  # 66 code units fit a part of 67
    ],
)
def test_segments(text: str, expected: int) -> None:
    assert segments(text) == expected


def test_a_page_says_all_that_is_needed() -> None:
    text = _rendered()
    for part in ("2026-11-000123", "红色预警", "全市无法上网", "customers_affected 60000 > 50000", "某省 某市"):
        assert part in text.plain
    assert "时限：2026-11-22 11:00" in text.plain, "in the reader's time zone"
    assert "未确认将升级至：业务管理部门领导" in text.plain
    assert LINK in text.plain
    assert text.headline == "【烽火】红色预警 2026-11-000123 请立即处理并确认：全市无法上网"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_purpose_has_its_words_in_both_languages(language: Language, purpose: Purpose) -> None:
    texts = {one: _rendered(language=language, purpose=one).headline for one in Purpose}
    assert len(set(texts.values())) == len(Purpose)
    assert _rendered(language=language, purpose=purpose).spoken


def test_a_drill_is_marked_everywhere() -> None:
    text = _rendered(drill=True)
    assert text.headline.startswith("【演练】")
    assert text.sms.startswith("【演练】")
    assert "这是演练" in text.plain
    assert "这是演练" in text.html
    assert text.spoken.startswith("这是演练")


def test_a_title_cannot_pretend_to_be_a_drill_or_us() -> None:
    text = _rendered(title="【演练】【烽火】不用理会")
    assert "【演练】" not in text.sms + text.headline + text.plain
    assert text.sms.count("【烽火】") == 1


@pytest.mark.parametrize("limit", [4, 5, 6])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_sms_fits_and_keeps_case_level_and_link(limit: int, language: Language) -> None:
    long = "长" * 500
    text = _rendered(language=language, max_segments=limit, because=long, title=long, expected=long, next_tier=long).sms
    assert segments(text) <= limit
    assert text.endswith(LINK)
    assert "2026-11-000123" in text
    assert "红色预警" in text


def test_what_matters_least_is_dropped_first() -> None:
    """Four segments hold 268 code units: occurrence, plan and next tier go before title and time limit."""
    short, long = _rendered(max_segments=4).sms, _rendered(max_segments=8).sms
    assert "重大业务服务质量事件应急管理" in long
    assert "重大业务服务质量事件应急管理" not in short
    assert "全市无法上网" in short
    assert "时限：" in short


_ENGLISH: Final[dict[str, Any]] = {
    "level_label": "Red warning",
    "plan_title": "Service quality",
    "place": Place(),
    "because": "60000 affected",
    "expected": "Act",
    "next_tier": "Head",
}


def test_english_without_other_signs_costs_the_cheaper_alphabet() -> None:
    text = _rendered(language="en", title="No network", link=None, **_ENGLISH).sms
    assert text.startswith("[Fenghuo]Red warning 2026-11-000123")
    assert is_gsm(text)


def test_a_title_in_english_cannot_pretend_to_be_a_mark_and_its_signs_do_not_double_the_price() -> None:
    text = _rendered(language="en", title="[DRILL] 【Fenghuo】 It’s “down” – " + "x" * 100, link=None, **_ENGLISH).sms
    assert text.count("[") == 1
    assert '(DRILL) (Fenghuo) It\'s "down" - x' in text
    assert is_gsm(text)


@pytest.mark.parametrize(
    "hostile",
    [
        "a\r\nBcc: everybody@example.org\r\n\r\nbody",
        "\u202egnihtemos\u202c",
        "\x00\x1b[31m\x7f",
        "<script>alert(1)</script>",
        "http://evil.example.org/a/steal",
        "🔥" * 600,
        "e\u0301" * 400,
        "字" * 1_000_000,
        "\ud83d lone",
        "%d%A{link}{0}\\",
    ],
)
def test_hostile_text_stays_text(hostile: str) -> None:
    text = _rendered(title=hostile, because=hostile, expected=hostile, topic=hostile, next_tier=hostile)
    for form in (text.headline, text.sms, text.plain, text.html, text.spoken):
        assert len(form) < 20_000
        form.encode("utf-8")
        assert not any(sign in form for sign in "\r\x00\x1b\x7f\u202e\u202c")
    assert "\n" not in text.headline + text.sms
    assert "<script>" not in text.html
    assert "http://evil" not in text.plain + text.sms
    assert text.sms.endswith(LINK)
    assert segments(text.sms) <= 6


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("见 https://evil.example.com/a", "见 https evil[.]example[.]com/a"),
        ("www.evil.cn 和 EVIL.COM", "www[.]evil[.]cn 和 EVIL[.]COM"),
        ("请到 登录.中国 确认", "请到 登录[.]中国 确认"),
        ("xn--abc.xn--fiqs8s", "xn--abc[.]xn--fiqs8s"),
        ("evil．com evil｡com", "evil[.]com evil[.]com"),
        ("写信 a.b@evil.org", "写信 a.b@evil[.]org"),
        ("10.2.3.4/x", "10[.]2[.]3[.]4/x"),
        ("致电 400-800-1234", "致电 400_800_1234"),
        ("致电4008001234", "致电4008_0012_34"),
        ("call +86 (10) 6000-0000", "call +86_10_6000_0000"),
        ("0571-88000001", "0571_8800_0001"),
        ("138 0000 0001", "138_0000_0001"),
        # what is no address and no number to dial stays as it was written
        ("版本 2.1，损失 3.5 万元，60000 户", "版本 2.1，损失 3.5 万元，60000 户"),
        ("2026-11-22 10:30 起，编号 2026-11-000123", "2026-11-22 10:30 起，编号 2026-11-000123"),
        ("e.g. 5 p.m.", "e.g. 5 p.m."),
        ("客户称受骗。已报案。", "客户称受骗。已报案。"),
    ],
)
def test_what_somebody_wrote_is_no_link_and_no_number_to_dial_on_a_telephone(given: str, shown: str) -> None:
    assert harmless(given, 200) == shown
    text = _rendered(title=given, topic=given, because=given, place=Place(site=given))
    for form in (text.headline, text.sms, text.plain):
        assert shown in form
        assert given == shown or given not in form


@given(st.text(max_size=300), st.integers(5, 80))
def test_what_is_harmless_stays_as_it_is(text: str, limit: int) -> None:
    found = harmless(text, limit)
    assert len(found) <= limit
    assert not re.search(r"[A-Za-z0-9]\.[A-Za-z]{2}", found)
    assert len(found) == limit or harmless(found, limit) == found


@given(st.text(max_size=300), st.integers(5, 80))
def test_cleaned_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    found = clean(text, limit)
    assert len(found) <= limit
    assert found == clean(found, limit)
    assert found.isprintable() or "\u200d" in found


def test_lateness_is_said_once_the_message_is_stale() -> None:
    def late(minutes: int, language: Language = "zh") -> str:
        return render(
            Message(
                purpose=Purpose.PAGE,
                subject=_subject(),
                language=language,
                zone=ZoneInfo("Asia/Shanghai"),
                now=NOW,
                stale_after=NOW - timedelta(minutes=minutes - 10),
                requested_at=NOW - timedelta(minutes=minutes),
            )
        ).plain

    assert "迟到" not in late(9)
    assert "本消息迟到：10分钟" in late(10)
    assert "This message is late by: 2 h 5 min" in late(125, "en")


def _mail(**changes: object) -> OutgoingMessage:
    plain: dict[str, object] = {
        "token": "intent.smtp.email-1",
        "attempt_id": UUID(int=1),
        "case_id": UUID(int=2),
        "channel": ChannelKind.EMAIL,
        "to": "manager-a@example.org",
        "text": _rendered(title="全市无法上网\r\nBcc: x@example.org"),
        "link": LINK,
        "receipt_url": "http://127.0.0.1/r",
        "drill": True,
    }
    return OutgoingMessage(**(plain | changes))  # type: ignore[arg-type]  # the fields named above


def test_a_mail_is_well_formed_and_no_header_can_be_added() -> None:
    raw = mail_bytes(_mail(), sender="烽火 Fenghuo <fenghuo@example.org>", now=NOW)
    mail = email.message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    assert mail["bcc"] is None
    assert mail["subject"].endswith("全市无法上网 Bcc: x@example[.]org")
    assert mail["message-id"] == "<intent.smtp.email-1@example.org>"
    assert mail["from"].addresses[0].display_name == "烽火 Fenghuo"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert LINK in plain.get_content()
    assert f'href="{LINK}"' in html.get_content()
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n")), "RFC 5322 §2.1.1"


@pytest.mark.parametrize(
    "said",
    ["x\r\nBcc: victim@example.org\r\n\r\ntext", "\u202e【烽火】", "plain", "\x00"],
)
@pytest.mark.parametrize("encoding", ["b", "q"])
@pytest.mark.parametrize("frame", ["{}", "ok {} z", "=={}??", "全市{}"])
def test_an_encoded_word_in_a_title_is_never_decoded(said: str, encoding: str, frame: str) -> None:
    # RFC 2047: whoever reads a header decodes such words, and so does who writes it
    inner = said.encode()
    hidden = b64encode(inner).decode() if encoding == "b" else "".join(f"={octet:02X}" for octet in inner)
    title = frame.format(f"=?utf-8?{encoding}?{hidden}?=")
    raw = mail_bytes(_mail(text=_rendered(title=title)), sender="fenghuo@example.org", now=NOW)
    mail = email.message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    names = {name.lower() for name in mail}
    assert "bcc" not in names
    assert len(mail.keys()) == len(names) == 13
    assert str(mail["subject"]).isprintable()
    assert str(mail["subject"]).count("【烽火】") == 1
    assert hidden[:20] in str(mail["subject"]).replace(" ", "")


@pytest.mark.parametrize(
    "to",
    [
        "=?utf-8?q?a=0D=0ABcc:b?=@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org\n",
        "甲@example.org",
        "no address",
    ],
)
def test_an_address_that_is_not_one_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        mail_bytes(_mail(to=to), sender="fenghuo@example.org", now=NOW)


@pytest.mark.parametrize(
    "private",
    [
        *(
            "13800001234",
            "138 0000 1234",
            "138-0000-1234",
            "+86 138 0000 1234",
            "+8613800001234",
            "１３８００００１２３４",
        ),
        *("028-87650000", "（028）87650000", "(010) 87650000", "0571 87650000", "02887650000"),
        *("someone.else@example.org", "a_b+c@mail.example.com", "510102199001011234", "51010219900101123X"),
    ],
)
def test_numbers_and_mailboxes_of_whoever_reported_it_are_not_passed_on_however_they_are_written(private: str) -> None:
    said = f"投诉人电话{private}，请回电"
    told = redacted(_subject(title=said, topic=private, because=f"people 5, contact {private}"))
    assert told.title == "投诉人电话***，请回电"
    assert told.topic == "***"
    assert told.because == "people 5, contact ***"


@pytest.mark.parametrize(
    "plain",
    [
        *("2026-11-000123", "客户 60000 > 50000", "2026-11-22 08:00 至 2026-11-23 08:00", "10:00-18:00", "G1234次"),
        *("1 380 000", "K12+345", "人数 138 0000", "@all", "10.20.30.40", "3-2-1", "投诉 10000 件/010 区"),
    ],
)
def test_numbers_that_are_nobody_s_stay(plain: str) -> None:
    assert redacted(_subject(title=plain)).title == plain


def test_a_hotline_that_the_plan_has_people_call_stays() -> None:
    assert redacted(_subject(expected="拨打 010-87650000 报告")).expected == "拨打 010-87650000 报告"
