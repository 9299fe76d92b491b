"""Each mapping on payloads as the other systems send them; whatever else arrives is refused by the field's name."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.domain.bodies import BODY_BY_KIND, ComplaintBody, IncidentBody, Route
from services.intake.domain.hooks import MAPPINGS
from services.intake.domain.hooks.values import (
    Mapped,
    MappedCommand,
    MappedReply,
    MappedReport,
    Payload,
    UnmappableError,
    moment_at,
)
from services.intake.domain.replies import Replies, Reply, Wish
from tests.support.samples import sample_json


def _map(kind: str, fields: dict[str, Any], text: str = "") -> tuple[Mapped, ...]:
    return MAPPINGS[kind](Payload(fields, text))


def _incident(item: Mapped) -> IncidentBody:
    assert isinstance(item, MappedReport)
    assert item.route is Route.INCIDENT
    return IncidentBody.model_validate(item.body)


def _complaint(item: Mapped) -> ComplaintBody:
    assert isinstance(item, MappedReport)
    assert item.route is Route.COMPLAINT
    return ComplaintBody.model_validate(item.body)


def test_alertmanager_as_captured() -> None:
    [body] = map(_incident, _map("alertmanager", sample_json("samples", "alertmanager_0.25_captured__webhook_1.json")))
    assert (body.reference, body.topic, body.category) == ("061d5b09a32fb853", "InstanceDown", "critical")
    assert body.title == "北京 node1 宕机"
    assert body.narrative == "多用户投诉无法上网"
    assert body.facts["region"] == "华北"
    assert body.occurred_at is not None
    assert body.occurred_at.isoformat().startswith("2026-11-21T21:21:09.643461")


def test_two_alerts_of_one_group_are_two_incidents() -> None:
    fields = sample_json("samples", "grafana_oncall__alertmanager.example.json")
    for kind in ("alertmanager", "grafana"):
        bodies = [_incident(item) for item in _map(kind, fields)]
        assert [body.reference for body in bodies] == ["f404ecabc8dd5cd7", "f8f08d4e32c61a9d"]
        assert bodies[0].title == "Instance localhost:8081 down"
        assert {body.source for body in bodies} == {kind}


def test_pagerduty_as_alertmanager_sends_it() -> None:
    fields = sample_json("samples", "alertmanager_0.25_captured__v2_enqueue_1.json")
    [body] = map(_incident, _map("pagerduty", fields))
    assert body.title == "[FIRING:1] InstanceDown bj (node1 华北 critical)"
    assert body.narrative is not None
    assert "多用户投诉无法上网" in body.narrative
    assert body.facts["num_firing"] == "1"


def test_pagerduty_as_documented() -> None:
    [trigger] = map(_incident, _map("pagerduty", sample_json("samples", "pagerduty__events_v2_trigger_doc.json")))
    assert (trigger.topic, trigger.category, trigger.status.value) == ("deploy", "info", "firing")
    assert trigger.facts["load_avg"] == 0.75
    [resolve] = map(_incident, _map("pagerduty", sample_json("samples", "pagerduty__events_v2_resolve_doc.json")))
    assert (resolve.reference, resolve.status.value) == ("dedupkeyhere", "resolved")
    [acknowledge] = _map("pagerduty", sample_json("samples", "pagerduty__events_v2_ack_doc.json"))
    assert isinstance(acknowledge, MappedCommand)
    assert acknowledge.reference == "dedupkeyhere"


def test_cloudwatch_through_sns() -> None:
    [body] = map(_incident, _map("sns", sample_json("samples", "alerta__cloudwatch_notification.json")))
    assert (body.reference, body.status.value) == ("1234567890/bucketbytesAlarm", "firing")
    assert body.facts["threshold"] == 0.0
    assert body.occurred_at is not None
    assert body.occurred_at.isoformat() == "2019-02-15T23:53:45.093000+00:00"


def test_sns_confirmation_is_left_to_a_person() -> None:
    with pytest.raises(UnmappableError, match="SubscribeURL"):
        _map("sns", {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://example.com"})


def test_chatwoot_message_is_a_complaint_of_the_conversation() -> None:
    fields = sample_json("samples", "chatwoot__message_created.json")
    [body] = map(_complaint, _map("chatwoot", fields))
    assert (body.id, body.reference, body.narrative, body.channel) == ("1/118", "1/10", "hi", "Channel::WebWidget")
    assert body.complainant is not None
    assert body.complainant.customer_number == "14"
    with pytest.raises(UnmappableError, match="message_type"):
        _map("chatwoot", fields | {"message_type": "outgoing"})


def test_zammad_ticket_is_a_complaint() -> None:
    [body] = map(_complaint, _map("zammad", sample_json("samples", "zammad__payload_0.json")))
    assert (body.reference, body.topic, body.channel) == ("10081", "Service Desk", "phone")
    assert body.complainant is not None
    assert body.complainant.phone == "0061 2 1234 7777"


def test_text_messages_are_complaints_or_acknowledgements() -> None:
    twilio = sample_json("samples", "twilio__inbound_sms.json")
    [body] = map(_complaint, _map("twilio", twilio))
    assert (body.narrative, body.reference, body.channel) == ("St", "SMb711289e438f577f230f5837e9c74a08", "sms")
    [reply] = _map("twilio", twilio | {"Body": "ack 2026-11-000123"})
    wanted = Replies((Reply(Wish.ACKNOWLEDGE, "2026-11-000123"),))
    assert reply == MappedReply("+31612345678", wanted, "SMb711289e438f577f230f5837e9c74a08")
    [kannel] = map(_complaint, _map("kannel", {"from": "13800001234", "id": "989d", "to": "10690"}, "断网了"))
    assert (kannel.narrative, kannel.source) == ("断网了", "kannel")


def test_zabbix_problem_and_recovery() -> None:
    fields = {"event_id": "42", "event_value": "1", "event_name": "磁盘将满", "host": "db-1", "severity": "High"}
    [problem] = map(_incident, _map("zabbix", fields))
    [recovery] = map(_incident, _map("zabbix", fields | {"event_value": 0}))
    assert (problem.reference, problem.status.value, problem.facts["host"]) == ("42", "firing", "db-1")
    assert recovery.status.value == "resolved"


def test_generic_takes_our_own_body() -> None:
    items = [{"kind": "complaint", "source": "x", "reference": "1"}, {"source": "x", "reference": "2"}]
    first, second = _map("generic", {"items": items})
    assert _complaint(first).reference == "1"
    assert _incident(second).reference == "2"


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("alertmanager", {}, "alerts"),
        ("alertmanager", {"alerts": [1]}, "alerts.0"),
        ("alertmanager", {"alerts": [{"status": "firing"}]}, "fingerprint"),
        ("alertmanager", {"alerts": [{"status": "odd", "fingerprint": "x"}]}, "alerts.0.status"),
        ("grafana", {"state": "strange"}, "state"),
        ("pagerduty", {"event_action": "trigger"}, "summary"),
        ("pagerduty", {"event_action": "dance"}, "event_action"),
        ("sns", {"Type": "Notification", "Message": "not json"}, "Message"),
        ("sns", {"Type": "Notification", "Message": "{}"}, "Message.NewStateValue"),
        ("chatwoot", {"event": "conversation_updated"}, "event"),
        ("zammad", {}, "ticket"),
        ("twilio", {"From": "alpha", "Body": "x", "MessageSid": "1"}, "from"),
        ("kannel", {"from": "138", "id": "1"}, "text"),
        ("zabbix", {"event_value": "7"}, "event_value"),
        ("generic", {"items": []}, "items"),
        ("generic", {"kind": "warning"}, "kind"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(kind: str, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(UnmappableError) as caught:
        _map(kind, fields)
    assert caught.value.field == field


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    [
        "alerts",
        "status",
        "labels",
        "annotations",
        "fingerprint",
        "startsAt",
        "event_action",
        "payload",
        "summary",
        "dedup_key",
        "custom_details",
        "Type",
        "Message",
        "event",
        "message_type",
        "conversation",
        "id",
        "content",
        "ticket",
        "number",
        "customer",
        "From",
        "Body",
        "MessageSid",
        "from",
        "text",
        "items",
        "kind",
        "event_id",
        "event_value",
        "event_name",
        "event_time",
        "state",
        "ruleId",
        "tags",
        "title",
        "timestamp",
        "class",
    ]
)


@given(
    kind=st.sampled_from(sorted(MAPPINGS)), fields=st.dictionaries(_NAMES | st.text(max_size=8), _VALUES, max_size=8)
)
def test_no_payload_whatsoever_breaks_a_mapping(kind: str, fields: dict[str, Any]) -> None:
    # Anything but the two refusals that doors know would fail here.
    with suppress(UnmappableError, ValidationError):
        for item in _map(kind, fields):
            if isinstance(item, MappedReport):
                BODY_BY_KIND[item.route].model_validate(item.body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T09:30:00+08:00", "2026-11-21T01:30:00+00:00"),
        ("2019-02-15T23:53:45.093+0000", "2019-02-15T23:53:45.093000+00:00"),
        ("1700000000", "2023-11-14T22:13:20+00:00"),
        ("1700000000000", "2023-11-14T22:13:20+00:00"),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-11-21T09:30:00", None),
        ("yesterday", None),
        ("99999999999999999999", None),
    ],
)
def test_instants_in_the_forms_of_alerting_systems(text: str, expected: str | None) -> None:
    assert moment_at({"at": text}, "at") == expected
