"""Prometheus Alertmanager, webhook version 4: one incident per alert, told apart by its fingerprint."""

from collections.abc import Mapping
from typing import Any, Final

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
    narrative_of,
    required_list,
    required_text,
    text_at,
    without_nothing,
)
from shared.contracts.values import MAX_NARRATIVE, MAX_TEXT

SOURCE: Final = "alertmanager"
_STATUSES: Final = frozenset({"firing", "resolved"})


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError."""
    return tuple(
        alert_report(SOURCE, payload.fields, alert, index)
        for index, alert in enumerate(required_list(payload.fields, "alerts"))
    )


def alert_report(source: str, group: Mapping[str, Any], alert: Mapping[str, Any], index: int) -> MappedReport:
    """One alert of a group. Grafana's unified alerting sends the same form."""
    labels = mapping_at(alert, "labels")
    notes = mapping_at(alert, "annotations")
    status = text_at(alert, "status") or text_at(group, "status")
    if status not in _STATUSES:
        raise UnmappableError(f"alerts.{index}.status", "must be firing or resolved")
    name = text_at(labels, "alertname", MAX_NAME)
    return MappedReport(
        Route.INCIDENT,
        without_nothing(
            {
                "source": source,
                "reference": required_text(alert, "fingerprint"),
                "channel": "webhook",
                "topic": name,
                "category": text_at(labels, "severity", MAX_NAME),
                "occurred_at": moment_at(alert, "startsAt"),
                "title": text_at(notes, "summary") or text_at(notes, "title") or text_at(labels, "alertname", MAX_TEXT),
                "narrative": narrative_of(
                    text_at(notes, "description", MAX_NARRATIVE), text_at(notes, "message", MAX_NARRATIVE)
                ),
                "facts": facts_from("", labels),
                "status": status,
            }
        ),
    )
