"""A text message of a person, whichever gateway brought it: an answer by its words, else a complaint."""

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.values import (
    MAX_NAME,
    Mapped,
    MappedReply,
    MappedReport,
    UnmappableError,
    without_nothing,
)
from services.intake.domain.identity import normalised_phone
from services.intake.domain.replies import Replies, read_reply
from shared.contracts.values import MAX_NARRATIVE


def message(source: str, *, sender: str, text: str, message_id: str, occurred_at: str | None = None) -> Mapped:
    """Raises UnmappableError for an empty text or a sender that is not a number."""
    if not normalised_phone(sender):
        raise UnmappableError("from", "is not a phone number")
    if not text.strip():
        raise UnmappableError("text", "is empty")
    replies = read_reply(text)
    if isinstance(replies, Replies):
        return MappedReply(sender, replies, message_id)
    return MappedReport(
        Route.COMPLAINT,
        without_nothing(
            {
                "id": message_id[:MAX_NAME],
                "source": source,
                "reference": message_id[:MAX_NAME],
                "channel": "sms",
                "occurred_at": occurred_at,
                "narrative": text.strip()[:MAX_NARRATIVE],
                "complainant": {"phone": sender[:MAX_NAME]},
            }
        ),
    )
