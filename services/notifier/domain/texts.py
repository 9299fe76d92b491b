"""What a message says: bilingual default texts for each purpose, sized for the channel.

Every message names the case, its level and the criterion that fired, the place, what is expected by when and who is
told next; the acknowledgement link is never cut. Values from outside are cleaned first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.domain.words import clean, for_phones, harmless
from shared.contracts.notifications import CONTACT_CHECK_PLAN, LIVE_TEST_PLAN, MessageTemplate, Purpose, Subject
from shared.contracts.values import Language, Place
from shared.plans.sms_segments import segments
from shared.runtime.logging import redact

MAX_SMS_SEGMENTS: Final = 6
_LONG: Final = 500
_SHORT: Final = 40
_BRIEF: Final = 60
_SUBJECT_LENGTH: Final = 150
_MINUTE_S: Final = 60
_HOUR_MIN: Final = 60
# As people write them: mobile numbers in groups or wide digits, fixed lines with their area code, mailboxes.
_WRITTEN_OUT: Final = re.compile(
    r"(?<![\d-])(?:(?:\+|00)?86[- ]?)?[1１][3-9３-９]\d(?:\d{8}|[- ]\d{4}[- ]\d{4})(?!\d)"
    r"|(?<![\d-])[（(]?0\d{2,3}[)）]?[- ]?\d{7,8}(?!\d)"
    r"|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)


@dataclass(frozen=True, slots=True)
class Message:
    """What to say to one person. `link` is absent where nothing is to be acknowledged; `zone` is the reader's."""

    purpose: Purpose
    subject: Subject
    language: Language
    zone: ZoneInfo
    now: datetime
    link: str | None = None
    stale_after: datetime | None = None
    requested_at: datetime | None = None
    drill: bool = False
    templates: tuple[MessageTemplate, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """The message in the forms that channels need. `headline` is one line."""

    headline: str
    plain: str
    html: str
    sms: str
    spoken: str


PURPOSES: Final[Mapping[Language, Mapping[Purpose, str]]] = {
    "zh": {
        Purpose.PAGE: "请立即处理并确认",
        Purpose.INFORM: "情况通报",
        Purpose.WARN: "时限将到",
        Purpose.BREACH: "已超时限",
        Purpose.STAND_DOWN: "已解除",
    },
    "en": {
        Purpose.PAGE: "Act now and acknowledge",
        Purpose.INFORM: "For your information",
        Purpose.WARN: "A time limit is near",
        Purpose.BREACH: "A time limit has passed",
        Purpose.STAND_DOWN: "Stood down",
    },
}
LABELS: Final[Mapping[Language, Mapping[str, str]]] = {
    "zh": {
        "product": "烽火",
        "drill": "演练",
        "test": "测试",
        "check": "验证",
        "case": "编号",
        "level": "等级",
        "no_level": "未定级",
        "plan": "预案",
        "what": "事项",
        "topic": "主题",
        "place": "地点",
        "because": "依据",
        "occurred": "发生",
        "expected": "要求",
        "due": "时限",
        "next": "未确认将升级至",
        "link": "确认",
        "late": "本消息迟到",
        "colon": "：",
        "stop": "。",
        "drill_line": "这是演练，请按演练要求处置。",
    },
    "en": {
        "product": "Fenghuo",
        "drill": "DRILL",
        "test": "TEST",
        "check": "CHECK",
        "case": "Case",
        "level": "Level",
        "no_level": "no level",
        "plan": "Plan",
        "what": "What",
        "topic": "Topic",
        "place": "Place",
        "because": "Because",
        "occurred": "Occurred",
        "expected": "Expected",
        "due": "Due",
        "next": "Without acknowledgement next",
        "link": "Acknowledge",
        "late": "This message is late by",
        "colon": ": ",
        "stop": ". ",
        "drill_line": "This is a drill. Act as the drill asks.",
    },
}


def render(message: Message, *, max_segments: int = MAX_SMS_SEGMENTS) -> Rendered:
    """The message in all forms. The SMS fits `max_segments` unless the link and the case alone are longer."""
    parts = parts_of(message)
    words = LABELS[message.language]
    mark = mark_of(message)
    headline = _headline(message, mark)
    rows = [(words[name], value) for name, value in parts.items()]
    plain = [headline, ""]
    if message.drill:
        plain += [words["drill_line"], ""]
    plain += [f"{label}{words['colon']}{value}" for label, value in rows]
    if message.link is not None:
        plain += ["", f"{words['link']}{words['colon']}", message.link]
    return Rendered(
        headline=headline,
        plain="\n".join(plain) + "\n",
        html=_html(message, headline, rows),
        sms=_sms(message, mark, parts, max_segments),
        spoken=_spoken(message, mark, parts),
    )


def mark_of(message: Message) -> str:
    """What stands first in a message that is not about a real case; nothing else can begin like it."""
    words = LABELS[message.language]
    if message.subject.plan == LIVE_TEST_PLAN:
        return f"【{words['test']}】"
    if message.subject.plan == CONTACT_CHECK_PLAN:
        return f"【{words['check']}】"
    return f"【{words['drill']}】" if message.drill else ""


def parts_of(message: Message) -> dict[str, str]:
    """Label name → value, in reading order; what is not known is left out."""
    subject, words = message.subject, LABELS[message.language]
    found: dict[str, str | None] = {
        "late": late_by(message),
        "case": clean(subject.number, _SHORT),
        "level": level_of(message.subject, message.language),
        "what": subject.title and harmless(subject.title, _LONG),
        "topic": subject.topic and harmless(subject.topic, _LONG),
        "place": _place(subject.place),
        "because": subject.because and harmless(subject.because, _LONG),
        "occurred": _time(subject.occurred_at, message),
        # The template ends the sentence.
        "expected": subject.expected and clean(subject.expected, _LONG).rstrip("。."),
        "due": _time(subject.due_at, message) if subject.due_at else None,
        "next": subject.next_tier and clean(subject.next_tier, _LONG) if message.link is not None else None,
        "plan": clean(subject.plan_title, _LONG),
    }
    return {name: value for name, value in found.items() if value and name in words}


def worded(subject: Subject, language: Language) -> Subject:
    """The subject in the reader's language, as far as it was given in both."""
    given = subject.en if language == "en" else subject.zh
    if given is None:
        return subject
    words = given.model_dump(exclude_none=True)
    if subject.because_other is not None:
        words["because"] = subject.because_other
    return subject.model_copy(update={**words, "en": None, "zh": None, "because_other": None})


def redacted(subject: Subject) -> Subject:
    """Whoever reported it may have put a phone or card number or a mailbox into a title; it is not passed on.

    What is expected are the plan's own words: a hotline that the plan has people call stays.
    """
    cleaned = {
        name: redact(value) if name == "expected" else _WRITTEN_OUT.sub("***", redact(value))
        for name in ("title", "topic", "because", "expected")
        if (value := getattr(subject, name)) is not None
    }
    return subject.model_copy(update=cleaned)


def _headline(message: Message, mark: str) -> str:
    words = LABELS[message.language]
    subject = message.subject
    about = subject.title or subject.topic or subject.plan_title
    return clean_headline(
        f"{level_of(message.subject, message.language)} {clean(subject.number, _SHORT)} "
        f"{PURPOSES[message.language][message.purpose]}{words['colon']}{harmless(about, _LONG)}",
        f"{mark}【{words['product']}】",
    )


def clean_headline(text: str, prefix: str) -> str:
    """One line fit for a mail header: our own prefix, then the text without anything that could end the line."""
    return prefix + clean(text, _SUBJECT_LENGTH)


def _sms(message: Message, mark: str, parts: Mapping[str, str], max_segments: int) -> str:
    """The most that fits, dropping the least important first. Never without case, level and link."""
    words = LABELS[message.language]
    stop, colon = words["stop"], words["colon"]
    purpose = PURPOSES[message.language][message.purpose]
    head = f"{mark}【{words['product']}】{parts.get('level', '')} {parts.get('case', '')} {purpose}"
    tail = f"{words['link']}{colon}{message.link}" if message.link is not None else ""
    # From what is dropped last to what is dropped first.
    by_importance = ("what", "due", "expected", "place", "because", "late", "topic", "next", "plan", "occurred")
    reading_order = [name for name in parts if name in by_importance]
    kept = [name for name in by_importance if name in parts]
    for limit in (_BRIEF, _SHORT):
        chosen = list(kept)
        while True:
            shown = [
                clean(parts[name], limit) if name == "what" else f"{words[name]}{colon}{clean(parts[name], limit)}"
                for name in reading_order
                if name in chosen
            ]
            text = for_phones(stop.join([head, *shown, *([tail] if tail else [])]), message.language)
            if segments(text) <= max_segments:
                return text
            if not chosen:
                break
            chosen.pop()
    return for_phones(stop.join([head, *([tail] if tail else [])]), message.language)


def _spoken(message: Message, mark: str, parts: Mapping[str, str]) -> str:
    """For a voice: no link, no punctuation that is read aloud."""
    words = LABELS[message.language]
    said = [parts[name] for name in ("level", "case", "what", "place", "expected") if name in parts]
    purpose = PURPOSES[message.language][message.purpose]
    opening = [words["drill_line"]] if mark else []
    return words["stop"].join([*opening, words["product"], purpose, *said])[:_LONG]


def _html(message: Message, headline: str, rows: Sequence[tuple[str, str]]) -> str:
    words = LABELS[message.language]
    cells = "".join(
        f'<tr><th align="left" valign="top">{escape(label)}</th><td>{escape(value)}</td></tr>' for label, value in rows
    )
    drill = f"<p><strong>{escape(words['drill_line'])}</strong></p>" if message.drill else ""
    link = ""
    if message.link is not None:
        link = f'<p><a href="{escape(message.link)}">{escape(words["link"])}</a></p>'
    return (
        f'<!doctype html><html lang="{message.language}"><head><meta charset="utf-8"></head><body>'
        f'<h2>{escape(headline)}</h2>{drill}<table cellpadding="4">{cells}</table>{link}</body></html>\n'
    )


def level_of(subject: Subject, language: Language) -> str:
    """The level as people call it."""
    label = subject.level_label or subject.level
    return clean(label, _SHORT) if label else LABELS[language]["no_level"]


def _place(place: Place) -> str | None:
    known = [place.province, place.city, place.district, place.site]
    return " ".join(harmless(part, _SHORT) for part in known if part) or None


def _time(instant: datetime, message: Message) -> str:
    return f"{instant.astimezone(message.zone):%Y-%m-%d %H:%M}"


def late_by(message: Message) -> str | None:
    """How late the message is, once it has become stale; in minutes and hours."""
    if message.stale_after is None or message.requested_at is None or message.now < message.stale_after:
        return None
    seconds = max(1, int((message.now - message.requested_at).total_seconds()))
    if seconds < _MINUTE_S:
        return f"{seconds}秒" if message.language == "zh" else f"{seconds} s"
    minutes = seconds // _MINUTE_S
    hours, rest = divmod(minutes, _HOUR_MIN)
    if message.language == "zh":
        return f"{hours}小时{rest}分钟" if hours else f"{minutes}分钟"
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
