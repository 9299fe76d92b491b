"""PagerDuty Events API v2: trigger and resolve are reports, acknowledge is a command. The routing key is not used."""

from typing import Final

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.values import (
    MAX_NAME,
    Mapped,
    MappedCommand,
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
from shared.contracts.commands import CommandKind
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "pagerduty-events"


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError."""
    fields = payload.fields
    action = text_at(fields, "event_action")
    if action == "acknowledge":
        return (MappedCommand(SOURCE, required_text(fields, "dedup_key"), CommandKind.ACKNOWLEDGE),)
    if action not in {"trigger", "resolve"}:
        raise UnmappableError("event_action", "must be trigger, acknowledge or resolve")
    inner = mapping_at(fields, "payload")
    if action == "trigger":
        required_text(inner, "summary")
    details = mapping_at(inner, "custom_details") if isinstance(inner.get("custom_details"), dict) else {}
    facts = facts_from("", details) | facts_from(
        "", {name: text_at(inner, name) for name in ("severity", "component", "group", "class")}
    )
    # Without a dedup key every trigger is a case of its own, named by what it says.
    reference = text_at(fields, "dedup_key", MAX_NAME) or required_text(inner, "summary")
    return (
        MappedReport(
            Route.INCIDENT,
            without_nothing(
                {
                    "source": SOURCE,
                    "reference": reference,
                    "channel": "webhook",
                    "topic": text_at(inner, "class", MAX_NAME) or text_at(inner, "component", MAX_NAME),
                    "category": text_at(inner, "severity", MAX_NAME),
                    "occurred_at": moment_at(inner, "timestamp"),
                    "title": text_at(inner, "summary"),
                    "narrative": text_at(details, "firing", MAX_NARRATIVE) or text_at(inner, "source"),
                    "facts": facts,
                    "status": "firing" if action == "trigger" else "resolved",
                }
            ),
        ),
    )
