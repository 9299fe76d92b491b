"""Kannel: an incoming SMS as query parameters (from, to, text, id), the text also as the body."""

from typing import Final

from services.intake.domain.hooks.sms import message
from services.intake.domain.hooks.values import Mapped, Payload, UnmappableError, required_text, text_at
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "kannel"


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError."""
    fields = payload.fields
    text = text_at(fields, "text", MAX_NARRATIVE) or payload.text.strip()[:MAX_NARRATIVE]
    if not text:
        raise UnmappableError("text", "is missing")
    return (message(SOURCE, sender=required_text(fields, "from"), text=text, message_id=required_text(fields, "id")),)
