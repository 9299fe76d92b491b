"""Messages as the notifier hands them to a channel."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.notifier.channels.channel import OutgoingMessage
from services.notifier.domain.texts import Message, render
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import ChannelKind, Language

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LINK = "http://127.0.0.1/a/t"


def outgoing(
    channel: ChannelKind = ChannelKind.SMS,
    *,
    to: str = "13800000001",
    title: str = "全市无法上网",
    language: Language = "zh",
    link: str | None = LINK,
    **changes: Any,
) -> OutgoingMessage:
    """A page about a red case."""
    subject = Subject(
        number="2026-11-000123",
        plan="p",
        plan_title="预案" if language == "zh" else "Plan",
        level="red",
        level_label="红色预警" if language == "zh" else "red",
        level_rank=1,
        highest_rank=1,
        because=changes.pop("because", None),
        title=title,
        occurred_at=NOW,
    )
    text = render(Message(Purpose.PAGE, subject, language, ZoneInfo("Asia/Shanghai"), NOW, link=link))
    fields: dict[str, Any] = {
        "token": "token",
        "attempt_id": UUID(int=1),
        "case_id": UUID(int=2),
        "channel": channel,
        "to": to,
        "text": text,
        "link": link,
        "receipt_url": "http://127.0.0.1:8601/v1/receipts/a.b",
        "drill": False,
    }
    return OutgoingMessage(**(fields | changes))
