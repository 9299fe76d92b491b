"""Twilio: an incoming SMS."""

from typing import Final

from services.intake.domain.hooks.sms import message
from services.intake.domain.hooks.values import Mapped, Payload, required_text
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "twilio"


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError."""
    fields = payload.fields
    return (
        message(
            SOURCE,
            sender=required_text(fields, "From"),
            text=required_text(fields, "Body", MAX_NARRATIVE),
            message_id=required_text(fields, "MessageSid"),
        ),
    )
