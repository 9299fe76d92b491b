"""Chatwoot: a contact's message is a complaint; the conversation is the case."""

from typing import Final

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.values import (
    MAX_NAME,
    Mapped,
    MappedReport,
    Payload,
    UnmappableError,
    mapping_at,
    moment_at,
    required_text,
    text_at,
    without_nothing,
)
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "chatwoot"


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError for anything but a public message of a contact."""
    fields = payload.fields
    if text_at(fields, "event") != "message_created":
        raise UnmappableError("event", "only message_created is a complaint")
    if text_at(fields, "message_type") not in {"incoming", "0"} or fields.get("private") is True:
        raise UnmappableError("message_type", "only public messages of contacts are complaints")
    conversation = mapping_at(fields, "conversation")
    account = text_at(fields, "account.id") or "account"
    sender = mapping_at(mapping_at(conversation, "meta"), "sender") or mapping_at(fields, "sender")
    person = {
        "name": text_at(sender, "name", MAX_NAME),
        "phone": text_at(sender, "phone_number", MAX_NAME),
        "email": text_at(sender, "email", MAX_NAME),
        "customer_number": text_at(sender, "identifier", MAX_NAME) or text_at(sender, "id", MAX_NAME),
    }
    return (
        MappedReport(
            Route.COMPLAINT,
            without_nothing(
                {
                    "id": f"{account}/{required_text(fields, 'id')}"[:MAX_NAME],
                    "source": SOURCE,
                    "reference": f"{account}/{required_text(conversation, 'id')}"[:MAX_NAME],
                    "channel": text_at(conversation, "channel", MAX_NAME),
                    "topic": text_at(fields, "inbox.name", MAX_NAME),
                    "occurred_at": moment_at(fields, "created_at"),
                    "narrative": required_text(fields, "content", MAX_NARRATIVE),
                    "complainant": without_nothing(person),
                }
            ),
        ),
    )
