"""Zammad: a ticket is a case, each article of the customer adds to it."""

from typing import Final

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.values import (
    MAX_NAME,
    Mapped,
    MappedReport,
    Payload,
    UnmappableError,
    facts_from,
    mapping_at,
    moment_at,
    required_text,
    text_at,
    without_nothing,
)
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "zammad"


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError."""
    ticket = mapping_at(payload.fields, "ticket")
    if not ticket:
        raise UnmappableError("ticket", "is missing")
    article = mapping_at(payload.fields, "article")
    customer = mapping_at(ticket, "customer") if isinstance(ticket.get("customer"), dict) else {}
    person = {
        "name": " ".join(filter(None, (text_at(customer, "firstname", 50), text_at(customer, "lastname", 50)))) or None,
        "phone": text_at(customer, "mobile", MAX_NAME) or text_at(customer, "phone", MAX_NAME),
        "email": text_at(customer, "email", MAX_NAME),
        "customer_number": text_at(customer, "id", MAX_NAME) or text_at(ticket, "customer_id", MAX_NAME),
        "organisation": text_at(customer, "organization"),
    }
    named = {
        "state": text_at(ticket, "state"),
        "priority": text_at(ticket, "priority.name") or text_at(ticket, "priority"),
        "article_count": ticket.get("article_count"),
    }
    return (
        MappedReport(
            Route.COMPLAINT,
            without_nothing(
                {
                    "source": SOURCE,
                    "reference": text_at(ticket, "number", MAX_NAME) or required_text(ticket, "id"),
                    "channel": text_at(ticket, "create_article_type", MAX_NAME),
                    "topic": text_at(ticket, "group.name", MAX_NAME) or text_at(ticket, "group", MAX_NAME),
                    "occurred_at": moment_at(article, "created_at") or moment_at(ticket, "created_at"),
                    "title": text_at(ticket, "title"),
                    "narrative": text_at(article, "body", MAX_NARRATIVE) or text_at(ticket, "note", MAX_NARRATIVE),
                    "facts": facts_from("", named),
                    "complainant": without_nothing(person),
                }
            ),
        ),
    )
