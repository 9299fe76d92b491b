"""Amazon SNS with a CloudWatch alarm inside: the alarm's name and account are the case."""

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
    narrative_of,
    required_text,
    text_at,
    without_nothing,
)
from shared.contracts.json_guard import UnreadableError, read_object
from shared.contracts.values import MAX_NARRATIVE

SOURCE: Final = "cloudwatch"
_MAX_MESSAGE: Final = 262_144


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """Raises UnmappableError; a request to confirm the subscription is left to a person."""
    kind = text_at(payload.fields, "Type")
    if kind in {"SubscriptionConfirmation", "UnsubscribeConfirmation"}:
        raise UnmappableError("Type", "open SubscribeURL once to confirm the subscription")
    if kind != "Notification":
        raise UnmappableError("Type", "must be Notification")
    message = required_text(payload.fields, "Message", _MAX_MESSAGE)
    try:
        alarm = read_object(message.encode("utf-8", "replace"))
    except UnreadableError as error:
        raise UnmappableError("Message", f"must be a CloudWatch alarm: {error.reason}") from error
    state = text_at(alarm, "NewStateValue")
    if state not in {"ALARM", "OK", "INSUFFICIENT_DATA"}:
        raise UnmappableError("Message.NewStateValue", "must be ALARM, OK or INSUFFICIENT_DATA")
    trigger = mapping_at(alarm, "Trigger")
    named = {
        "state": state,
        "region": text_at(alarm, "Region"),
        "metric": text_at(trigger, "MetricName"),
        "namespace": text_at(trigger, "Namespace"),
        "threshold": trigger.get("Threshold"),
    }
    account = text_at(alarm, "AWSAccountId", 20) or "account"
    return (
        MappedReport(
            Route.INCIDENT,
            without_nothing(
                {
                    "source": SOURCE,
                    "reference": f"{account}/{required_text(alarm, 'AlarmName')}"[:MAX_NAME],
                    "channel": "sns",
                    "topic": text_at(trigger, "MetricName", MAX_NAME),
                    "category": text_at(trigger, "Namespace", MAX_NAME),
                    "occurred_at": moment_at(alarm, "StateChangeTime") or moment_at(payload.fields, "Timestamp"),
                    "title": text_at(payload.fields, "Subject") or text_at(alarm, "AlarmName"),
                    "narrative": narrative_of(
                        text_at(alarm, "AlarmDescription", MAX_NARRATIVE),
                        text_at(alarm, "NewStateReason", MAX_NARRATIVE),
                    ),
                    "facts": facts_from("", named),
                    "status": "resolved" if state == "OK" else "firing",
                }
            ),
        ),
    )
