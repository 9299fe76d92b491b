"""Grafana: unified alerting (the form of Alertmanager) and the older one-rule form."""

from typing import Any, Final

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.alertmanager import alert_report
from services.intake.domain.hooks.values import (
    MAX_NAME,
    Mapped,
    MappedReport,
    Payload,
    UnmappableError,
    facts_from,
    mapping_at,
    required_list,
    required_text,
    text_at,
    without_nothing,
)
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "grafana"
_FIRING: Final = frozenset({"alerting", "no_data"})
_OVER: Final = frozenset({"ok", "paused"})


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError."""
    if "alerts" in payload.fields:
        alerts = required_list(payload.fields, "alerts")
        return tuple(alert_report(SOURCE, payload.fields, alert, index) for index, alert in enumerate(alerts))
    return (_rule(dict(payload.fields)),)


def _rule(fields: dict[str, Any]) -> MappedReport:
    state = text_at(fields, "state")
    if state not in _FIRING | _OVER:
        raise UnmappableError("state", "must be alerting, no_data, ok or paused; or give alerts")
    return MappedReport(
        Route.INCIDENT,
        without_nothing(
            {
                "source": SOURCE,
                "reference": required_text(fields, "ruleId"),
                "channel": "webhook",
                "topic": text_at(fields, "ruleName", MAX_NAME),
                "title": text_at(fields, "title"),
                "narrative": text_at(fields, "message", MAX_NARRATIVE),
                "facts": facts_from("", mapping_at(fields, "tags")) | {"state": state},
                "status": "firing" if state in _FIRING else "resolved",
            }
        ),
    )
