"""What a complainant is told, in which words, and what is done after each answer of a provider. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from typing import Final
from uuid import UUID

from services.notifier.domain.delivery import Answer, Outcome
from services.notifier.domain.texts import LABELS, Rendered, clean_headline
from services.notifier.domain.words import clean, for_phones, harmless
from shared.contracts.values import ChannelKind, Language
from shared.plans.sms_segments import segments
from shared.runtime.logging import redact

MOST_TRIES: Final = 6
FIRST_WAIT: Final = timedelta(seconds=30)
_LIMITS: Final = (400, 200, 100, 60, 30)
_NUMBER: Final = 40


class Told(StrEnum):
    """How it ended so far."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class ComplainantNotice:
    """A notice as it stands in the ledger: never with an address."""

    id: UUID
    org: str
    case_id: UUID
    plan: str
    notice: str
    number: str
    language: Language
    text: str
    reason: str | None
    noted_at: datetime
    outcome: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the complainant wants to be told; held only while the message is made."""

    channel: ChannelKind
    to: str
    language: Language


@dataclass(frozen=True, slots=True)
class Following:
    """What becomes of the notice: settled, or tried again at `due_at`."""

    settlement: Told | None
    due_at: datetime | None
    why: str


def words_of(notice: ComplainantNotice, *, max_segments: int) -> Rendered:
    """Number, the plan's words, and the reason or the outcome where there is one; nothing of the case besides."""
    words = LABELS[notice.language]
    number = clean(notice.number, _NUMBER)
    zh = notice.language == "zh"
    head = f"您反映的事项（编号{number}）" if zh else f"Your matter {number}"
    mark = f"【{words['product']}】"

    def said(limit: int) -> str:
        text = f"{head}{words['colon']}{clean(notice.text, limit)}"
        if notice.reason:
            why = "原因：" if zh else " Reason: "
            text += f"{why}{harmless(redact(notice.reason), limit)}"
        if notice.outcome:
            text += f"{'处理结果：' if zh else ' Outcome: '}{harmless(redact(notice.outcome), limit)}"
        return text

    whole = said(_LIMITS[0])
    texts = (for_phones(f"{mark}{said(one)}", notice.language) for one in _LIMITS)
    sms = next((one for one in texts if segments(one) <= max_segments), for_phones(f"{mark}{head}", notice.language))
    headline = clean_headline(head, mark)
    html = (
        f'<!doctype html><html lang="{notice.language}"><head><meta charset="utf-8"></head><body>'
        f"<h2>{escape(headline)}</h2><p>{escape(whole)}</p></body></html>\n"
    )
    return Rendered(headline, f"{headline}\n\n{whole}\n", html, sms, whole)


def after_answer(attempts: int, outcome: Outcome) -> Following:
    """After the `attempts`-th call. Waits double; what can never work, or was tried often enough, has failed."""
    if outcome.answer is Answer.ACCEPTED:
        return Following(Told.SENT, None, "accepted")
    if outcome.answer is Answer.PERMANENT or attempts >= MOST_TRIES:
        return Following(Told.FAILED, None, outcome.why)
    wait = max(FIRST_WAIT * (1 << min(attempts - 1, 10)), outcome.retry_after)
    return Following(None, outcome.ended_at + wait, outcome.why)
