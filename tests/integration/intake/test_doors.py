"""The other doors: keys, events, hooks, quarantine, commands, links, receipts, text messages, replays, erasure."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.intake.app.erase_person import erase_person
from services.intake.domain.bodies import Complainant
from services.intake.store.vault import Vault
from shared.access.api_keys import Scope
from shared.access.links import (
    AcknowledgementLink,
    ReceiptAddress,
    sign_acknowledgement,
    sign_receipt_address,
)
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import encode
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.reports import ComplaintReceivedV1, IncidentReportedV1
from shared.contracts.values import ActorKind, ChannelKind
from shared.db.engine import Database as AppDatabase
from tests.support.postgres import Database
from tests.support.register import IDENTITY_KEY, LINK_SECRET, Register, complaint, open_register

_PROBLEM = "application/problem+json"


async def _case(register: Register, reference: str = "T-1") -> dict[str, str]:
    body: dict[str, str] = (await register.post("/v1/complaints", complaint(reference))).json()
    return body


async def _commands(register: Register) -> list[CommandIssuedV1]:
    return [event.data for event in await register.published() if isinstance(event.data, CommandIssuedV1)]


def _link(case_id: str, *, org: str = "demo", hours: int = 1) -> str:
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    link = AcknowledgementLink(UUID(case_id), uuid4(), org, "telecom-service-quality", "liaison-1", expires)
    return sign_acknowledgement(link, LINK_SECRET.encode())


async def test_keys_are_needed_and_limited_to_their_scopes(register: Register) -> None:
    register.client.headers.pop("authorization")
    for headers in ({}, {"authorization": "Bearer fh_00000000_" + "a" * 43}, {"x-api-key": "nonsense"}):
        answer = await register.post("/v1/complaints", complaint(), **headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == _PROBLEM
        assert "www-authenticate" in answer.headers
    reader = await register.key_with(Scope.READ)
    answer = await register.post("/v1/complaints", complaint(), **reader)
    assert answer.status_code == 403
    assert "report" in answer.json()["detail"]
    assert (await register.post("/v1/complaints", complaint(), **{"x-api-key": register.key})).status_code == 201


async def test_a_key_has_a_rate(intake_database: Database) -> None:
    async with open_register(intake_database.url("intake"), rate_per_second=5) as register:
        answers = [await register.post("/v1/complaints", complaint()) for _ in range(12)]
        assert answers[0].status_code == 201
        limited = [answer for answer in answers if answer.status_code == 429]
        assert limited
        assert limited[0].headers["retry-after"] == "1"
        items = [complaint(f"T-{number}") for number in range(10)]
        assert (await register.post("/v1/complaints:batch", items)).status_code == 429


async def test_body_beyond_the_limit_is_refused_without_reading_it_all(register: Register) -> None:
    async def endless() -> object:
        sent = 0
        while True:
            sent += 65_536
            assert sent < 4 * 1024 * 1024, "the door reads on"
            yield b" " * 65_536

    answer = await register.client.post("/v1/complaints", content=endless())  # type: ignore[arg-type]  # a generator of bytes
    assert answer.status_code == 413
    assert (await register.client.post("/v1/complaints", content=b"x" * 300_000)).status_code == 413


async def test_cloud_events_in_three_modes(register: Register) -> None:
    data = {"title": "机房断电", "topic": "power"}
    event = {
        "specversion": "1.0",
        "id": "a-1",
        "source": "/noc/power",
        "type": "com.example.incident.raised",
        "subject": "I-7",
        "time": "2026-11-21T01:00:00Z",
        "data": data,
    }
    structured = await register.post("/v1/events", event, **{"content-type": "application/cloudevents+json"})
    assert structured.status_code == 201, structured.text
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    binary = await register.post("/v1/events", data, **headers)
    assert binary.status_code == 200
    assert binary.json()["case_id"] == structured.json()["case_id"]
    batch = [event | {"id": "a-2"}, event | {"type": "com.example.weather"}, {"id": "broken"}]
    batched = await register.post("/v1/events", batch, **{"content-type": "application/cloudevents-batch+json"})
    assert batched.status_code == 207
    assert [result["status"] for result in batched.json()["results"]] == [201, 400, 400]
    [first, second] = [event.data for event in await register.published()]
    assert isinstance(first, IncidentReportedV1)
    assert isinstance(second, IncidentReportedV1)
    assert (first.source, first.reference, first.sequence, second.sequence) == ("/noc/power", "I-7", 1, 2)


async def test_alertmanager_hook_registers_each_alert_and_a_flapping_one_again(register: Register) -> None:
    def payload(status: str) -> dict[str, object]:
        alert = {
            "status": status,
            "labels": {"alertname": "InstanceDown", "severity": "critical"},
            "annotations": {"summary": "节点宕机"},
            "startsAt": "2026-11-21T01:00:00Z",
            "fingerprint": "f1",
        }
        return {"version": "4", "status": status, "alerts": [alert]}

    path = f"/v1/hooks/alertmanager?key={register.key}"
    register.client.headers.pop("authorization")
    answers = [
        (await register.post(path, payload(status))).json()["cases"][0]
        for status in ("firing", "firing", "resolved", "firing")
    ]
    assert [(answer["sequence"], answer["duplicate"]) for answer in answers] == [
        (1, False),
        (1, True),
        (2, False),
        (3, False),
    ]
    assert len({answer["case_id"] for answer in answers}) == 1


async def test_pagerduty_acknowledge_is_a_command(register: Register) -> None:
    trigger = {"event_action": "trigger", "dedup_key": "d-1", "payload": {"summary": "down", "severity": "error"}}
    opened = await register.post("/v1/hooks/pagerduty", trigger)
    assert opened.status_code == 200
    answer = await register.post("/v1/hooks/pagerduty", {"event_action": "acknowledge", "dedup_key": "d-1"})
    assert len(answer.json()["commands"]) == 1
    [command] = await _commands(register)
    assert command.command is CommandKind.ACKNOWLEDGE
    assert command.actor.kind is ActorKind.SYSTEM


async def test_what_nobody_understands_is_kept_listed_and_replayable(register: Register) -> None:
    answer = await register.post("/v1/hooks/pagerduty", {"event_action": "acknowledge", "dedup_key": "later"})
    assert answer.status_code == 202
    assert answer.json()["quarantined"] is True
    garbage = await register.client.post("/v1/hooks/zabbix", content=b"\xff\xfe{")
    assert garbage.status_code == 400
    assert garbage.headers["content-type"] == _PROBLEM
    items = (await register.client.get("/v1/quarantine")).json()["items"]
    assert [item["kind"] for item in items] == ["zabbix", "pagerduty"]
    kept = answer.json()["quarantine_id"]
    still = await register.post(f"/v1/quarantine/{kept}/replay", {})
    assert still.status_code == 422
    assert still.json()["errors"][0]["field"] == "dedup_key"
    trigger = {"event_action": "trigger", "dedup_key": "later", "payload": {"summary": "down"}}
    await register.post("/v1/hooks/pagerduty", trigger)
    assert (await register.post(f"/v1/quarantine/{kept}/replay", {})).status_code == 200
    waiting = (await register.client.get("/v1/quarantine?waiting=true")).json()["items"]
    assert [item["kind"] for item in waiting] == ["zabbix"]
    shown = (await register.client.get(f"/v1/quarantine/{items[0]['quarantine_id']}")).json()
    assert base64.b64decode(shown["body_base64"]) == b"\xff\xfe{"
    other = await register.key_with(Scope.OPERATE, org="other")
    assert (await register.client.get("/v1/quarantine", headers=other)).json()["items"] == []
    assert (await register.client.get(f"/v1/quarantine/{kept}", headers=other)).status_code == 404


async def test_command_is_issued_once_in_a_persons_name(register: Register) -> None:
    case = await _case(register)
    path = f"/v1/cases/{case['case_id']}/commands"
    body = {"id": "c-1", "command": "milestone", "arguments": {"milestone": "plan-submitted"}, "actor": {"ref": "op-1"}}
    first = await register.post(path, body)
    assert first.status_code == 202
    second = await register.post(path, body)
    assert second.status_code == 200
    assert second.json()["command_id"] == first.json()["command_id"]
    assert (await register.post(path, body | {"plan": "other"})).status_code == 409
    [command] = await _commands(register)
    assert (command.actor.kind, command.actor.ref) == (ActorKind.PERSON, "op-1")
    shown = (await register.client.get(f"/v1/cases/{case['number']}")).json()
    assert shown["commands"][0]["key"] == register.key.split("_")[1]


@pytest.mark.parametrize(
    ("body", "needle"),
    [
        ({"command": "lower-level", "arguments": {"level": "yellow"}, "reason": "误报"}, "actor"),
        ({"command": "lower-level", "arguments": {"level": "yellow"}, "actor": {"ref": "op-1"}}, "reason"),
        ({"command": "raise-level"}, "arguments.level"),
        ({"command": "merge", "arguments": {"into": ""}}, "arguments.into"),
        ({"command": "explode"}, "command"),
        ({"command": "start", "actor": {"kind": "link", "ref": "x"}}, "actor.kind"),
        ({"command": "start", "surprise": 1}, "surprise"),
    ],
)
async def test_bad_command_names_what_is_missing(register: Register, body: dict[str, object], needle: str) -> None:
    answer = await register.post(f"/v1/cases/{uuid4()}/commands", body)
    assert answer.status_code == 422
    assert needle in answer.text
    assert await _commands(register) == []


async def test_another_organisation_sees_and_commands_nothing(register: Register) -> None:
    case = await _case(register)
    other = await register.key_with(*Scope, org="other")
    command = {"command": "start"}
    for answer in (
        await register.client.get(f"/v1/cases/{case['case_id']}", headers=other),
        await register.client.get(f"/v1/cases/{case['number']}", headers=other),
        await register.client.get(f"/v1/cases/{case['case_id']}/originals", headers=other),
        await register.post(f"/v1/cases/{case['case_id']}/commands", command, **other),
    ):
        assert answer.status_code == 404
    mine = await register.post("/v1/complaints", complaint(), **other)
    assert mine.status_code == 201
    assert mine.json()["case_id"] != case["case_id"]
    assert mine.json()["number"] == case["number"]


async def test_link_asks_first_acknowledges_once_and_then_says_so(register: Register) -> None:
    case = await _case(register)
    path = f"/a/{_link(case['case_id'])}"
    register.client.headers.pop("authorization")
    for _ in range(3):
        page = await register.client.get(path)
        assert page.status_code == 200
        assert "确认收到" in page.text
        assert case["number"] in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "http" not in page.text
    assert await _commands(register) == []
    answers = await asyncio.gather(*(register.client.post(path) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sum("已确认，谢谢" in answer.text for answer in answers) == 1
    assert sum("Already acknowledged" in answer.text for answer in answers) == 3
    again = (await register.client.get(path)).text
    assert "Already acknowledged" in again
    assert "use the link of the newer message" in again
    [command] = await _commands(register)
    assert (command.actor.kind, command.actor.ref, command.plan) == (
        ActorKind.LINK,
        "liaison-1",
        "telecom-service-quality",
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"])
async def test_whatever_a_mail_scanner_does_with_a_link_acknowledges_nothing(register: Register, method: str) -> None:
    case = await _case(register)
    path = f"/a/{_link(case['case_id'])}"
    register.client.headers.pop("authorization")
    for headers in ({}, {"purpose": "prefetch", "sec-purpose": "prefetch", "range": "bytes=0-1"}):
        answer = await register.client.request(method, path, headers=headers)
        assert answer.status_code in {200, 405}
    assert await _commands(register) == []
    assert "已确认，谢谢" in (await register.client.post(path)).text


async def test_expired_and_damaged_links_say_so(register: Register) -> None:
    expired = await register.client.get(f"/a/{_link(str(uuid4()), hours=-1)}")
    assert (expired.status_code, "已过期" in expired.text) == (410, True)
    for path in ("/a/x", f"/a/{_link(str(uuid4()))[:-2]}", "/a/%FF%00", "/a/" + "a" * 5000):
        for answer in (await register.client.get(path), await register.client.post(path)):
            assert (answer.status_code, "不完整" in answer.text) == (404, True)
    assert await _commands(register) == []


async def test_receipts_of_kannel_and_others_reach_the_topic(register: Register) -> None:
    attempt = uuid4()
    register.client.headers.pop("authorization")
    token = sign_receipt_address(ReceiptAddress(uuid4(), attempt, "demo", "kannel"), LINK_SECRET.encode())
    report = "id:77 sub:001 dlvrd:001 stat:DELIVRD err:000 text:secret words"
    answer = await register.client.get(f"/v1/receipts/{token}", params={"type": "1", "text": report, "smsc": "FAKE"})
    assert answer.status_code == 200
    await register.client.post(f"/v1/receipts/{token}", json={"status": "failed", "code": 30003, "channel": "voice"})
    await register.client.post(f"/v1/receipts/{token}", data={"MessageStatus": "undelivered", "MessageSid": "SM1"})
    await register.client.get(f"/v1/receipts/{token}?type=99999999999999999999")
    receipts = [event.data for event in await register.published() if isinstance(event.data, ReceiptReceivedV1)]
    assert [receipt.status for receipt in receipts] == [
        ReceiptStatus.DELIVERED,
        ReceiptStatus.UNDELIVERED,
        ReceiptStatus.UNDELIVERED,
        ReceiptStatus.UNKNOWN,
    ]
    assert {receipt.attempt_id for receipt in receipts} == {attempt}
    assert (receipts[0].provider_message_id, receipts[0].code) == ("77", "000")
    assert "secret" not in (receipts[0].detail or "")
    assert receipts[1].channel is ChannelKind.VOICE
    assert (await register.client.get(f"/v1/receipts/{token[:-1]}?type=1")).status_code == 404
    assert (await register.client.post(f"/v1/receipts/{token}", content=b"{")).status_code == 400


async def test_without_the_notifier_no_sms_answers_for_a_case_and_the_sender_stays_unknown(register: Register) -> None:
    case = await _case(register)
    register.client.headers.pop("authorization")
    query = {"key": register.key, "from": "13800009999", "to": "10690", "id": "m-1"}
    for text in (f"确认 {case['number']}", "nop", "1", "1 2031-01-999999"):
        answer = await register.client.get("/v1/sms/kannel", params=query | {"text": text})
        assert (answer.status_code, answer.text) == (202, "")
        assert "x-fenghuo-quarantine" in answer.headers
    assert "13800009999" not in str(await register.rows("SELECT * FROM quarantine"))
    assert await _commands(register) == []


async def test_dead_letter_goes_out_again_once_byte_for_byte(register: Register) -> None:
    await _case(register)
    [event] = await register.published()
    headers, value = encode(event)
    named = {name: raw.decode("latin-1") for name, raw in headers} | {"dlq_reason": "why it died"}
    body = {
        "topic": "complaints-received",
        "key_base64": base64.b64encode(event.key).decode(),
        "headers": named,
        "value_base64": base64.b64encode(value).decode(),
        "letter_id": "complaints-received-dlq:0:12",
    }
    assert (await register.post("/v1/replays", body)).status_code == 202
    again = await register.post("/v1/replays", body)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    [_, replayed] = await register.rows("SELECT topic, key, headers, value FROM outbox ORDER BY seq")
    assert (replayed["topic"], bytes(replayed["key"]), bytes(replayed["value"])) == (
        "complaints-received",
        event.key,
        value,
    )
    assert "dlq_reason" not in replayed["headers"]
    other = await register.key_with(Scope.OPERATE, org="other")
    assert (await register.post("/v1/replays", body | {"letter_id": "x"}, **other)).status_code == 404
    for wrong in ({"topic": "elsewhere"}, {"value_base64": "%%"}, {"headers": {"a": "烽"}}):
        assert (await register.post("/v1/replays", body | wrong)).status_code in {400, 422}


async def test_originals_are_readable_until_the_person_is_erased(register: Register) -> None:
    case = await _case(register)
    path = f"/v1/cases/{case['case_id']}/originals"
    [before] = (await register.client.get(path)).json()["originals"]
    assert before["body"] == complaint()
    reader = await register.key_with(Scope.READ)
    assert (await register.client.get(path, headers=reader)).status_code == 403
    database = AppDatabase.connect(register.url, application="tests", pool_size=2)
    vault = Vault(IDENTITY_KEY.encode())
    person = Complainant(phone="0086 13800001234")
    assert await erase_person(database, vault, "demo", complainant=person) is True
    assert await erase_person(database, vault, "demo", complainant=person) is False
    await database.close()
    [after] = (await register.client.get(path)).json()["originals"]
    assert after == {"event_id": before["event_id"], "sequence": 1, "erased": True}
    # The same person may complain again and is counted as the same, under a new key.
    again = await register.post("/v1/complaints", complaint("T-2"))
    assert again.status_code == 201
    refs = [
        event.data.complainant_ref
        for event in await register.published()
        if isinstance(event.data, ComplaintReceivedV1)
    ]
    assert refs[0] == refs[1]


async def test_document_names_every_route_and_health_answers(register: Register) -> None:
    document = (await register.client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "post" in document["paths"]["/v1/complaints"]
    assert "ComplaintBody" in document["components"]["schemas"]
    assert json.dumps(document).count("#/$defs/") == 0
    assert (await register.client.get("/healthz")).status_code == 200
    nothing = await register.client.get("/v1/nothing")
    assert (nothing.status_code, nothing.headers["content-type"]) == (404, _PROBLEM)
    wrong = await register.client.delete("/v1/complaints")
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, _PROBLEM)
