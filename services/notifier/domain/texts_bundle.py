"""Several cases in one message to one person: which, how many, the most urgent one first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Final

from services.notifier.domain.texts import (
    LABELS,
    PURPOSES,
    Message,
    Rendered,
    clean_headline,
    late_by,
    level_of,
    mark_of,
    render,
)
from services.notifier.domain.words import clean, for_phones, harmless
from shared.contracts.notifications import Purpose, Subject
from shared.plans.sms_segments import segments

_TITLE: Final = 60
_BRIEF: Final = 16
_NUMBER: Final = 40


@dataclass(frozen=True, slots=True)
class Other:
    """A case told along with another."""

    subject: Subject
    purpose: Purpose
    requested_at: datetime
    link: str | None = None


def render_bundle(message: Message, others: Sequence[Other], *, max_segments: int) -> Rendered:
    """One message about `message` and the others. The SMS names as many as fit, always how many there are.

    In mail every case has its own link; the SMS has the link of the first one and says how to acknowledge all.
    """
    zh = message.language == "zh"
    count = len(others) + 1
    words = LABELS[message.language]
    first = Other(message.subject, message.purpose, message.requested_at or message.now, message.link)
    cases = [first, *sorted(others, key=lambda one: (-one.subject.level_rank, one.requested_at))]
    mark = mark_of(message)
    told = f"合并告知 {count} 件事项" if zh else f"{count} cases in one message"
    headline = clean_headline(told, f"{mark}【{words['product']}】")
    lines = [_line(message, one, _TITLE) for one in cases]
    plain = [headline, ""]
    for place, (one, line) in enumerate(zip(cases, lines, strict=True), 1):
        plain.append(f"{place}. {line}")
        if one.link is not None:
            plain += [f"   {words['link']}{words['colon']}", f"   {one.link}"]
    items = "".join(
        f"<li>{escape(line)}"
        + (f' <a href="{escape(one.link)}">{escape(words["link"])}</a>' if one.link is not None else "")
        + "</li>"
        for one, line in zip(cases, lines, strict=True)
    )
    html = (
        f'<!doctype html><html lang="{message.language}"><head><meta charset="utf-8"></head><body>'
        f"<h2>{escape(headline)}</h2><ol>{items}</ol></body></html>\n"
    )
    spoken = render(message, max_segments=max_segments).spoken
    return Rendered(
        headline,
        "\n".join(plain) + "\n",
        html,
        _sms(message, cases, headline, max_segments),
        f"{told}{words['stop']}{spoken}",
    )


def _line(message: Message, one: Other, limit: int) -> str:
    language = message.language
    parts = [level_of(one.subject, language), clean(one.subject.number, _NUMBER), PURPOSES[language][one.purpose]]
    about = one.subject.title or one.subject.topic
    if about:
        parts.append(harmless(about, limit))
    late = late_by(replace(message, requested_at=one.requested_at))
    if late is not None:
        parts.append(f"迟到 {late}" if language == "zh" else f"{late} late")
    return " ".join(parts)


def _sms(message: Message, cases: Sequence[Other], headline: str, max_segments: int) -> str:
    zh = message.language == "zh"
    words = LABELS[message.language]
    tail = []
    if any(one.link is not None for one in cases):
        tail.append("回复“全部签收”确认全部" if zh else "Reply ACK ALL to acknowledge all")
    if message.link is not None:
        tail.append(f"{words['link']}{words['colon']}{message.link}")
    for limit in (_BRIEF, 1):
        for shown in range(len(cases), 0, -1):
            rest = len(cases) - shown
            more = [f"另有 {rest} 件" if zh else f"and {rest} more"] if rest else []
            told = [headline, *(_line(message, one, limit) for one in cases[:shown]), *more, *tail]
            text = for_phones(words["stop"].join(told), message.language)
            if segments(text) <= max_segments:
                return text
    return for_phones(words["stop"].join([headline, *tail]), message.language)
