"""Zabbix: a webhook media type whose parameters carry the usual macros under these names."""

from typing import Final

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.values import (
    MAX_NAME,
    Mapped,
    MappedReport,
    Payload,
    UnmappableError,
    facts_from,
    moment_at,
    required_text,
    text_at,
    without_nothing,
)
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "zabbix"
_FIRING: Final = frozenset({"1", "problem"})
_OVER: Final = frozenset({"0", "ok", "resolved", "recovery"})


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """`event_value` is {EVENT.VALUE} (1 problem, 0 recovery). Raises UnmappableError."""
    fields = payload.fields
    value = (text_at(fields, "event_value") or "").lower()
    if value not in _FIRING | _OVER:
        raise UnmappableError("event_value", "must be 1 (problem) or 0 (recovery)")
    named = {name: text_at(fields, name) for name in ("severity", "trigger_id", "item_value", "host_group")}
    return (
        MappedReport(
            Route.INCIDENT,
            without_nothing(
                {
                    "source": SOURCE,
                    "reference": required_text(fields, "event_id"),
                    "channel": "webhook",
                    "topic": text_at(fields, "trigger_name", MAX_NAME) or text_at(fields, "event_name", MAX_NAME),
                    "category": text_at(fields, "severity", MAX_NAME),
                    "occurred_at": moment_at(fields, "event_time"),
                    "title": text_at(fields, "subject") or required_text(fields, "event_name"),
                    "narrative": text_at(fields, "message", MAX_NARRATIVE),
                    "facts": facts_from("", named) | facts_from("", {"host": text_at(fields, "host")}),
                    "status": "firing" if value in _FIRING else "resolved",
                }
            ),
        ),
    )
