"""Reports of providers that do not come to a message's own address, and signatures of those that sign."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

import pytest
import uvicorn
from fastapi import FastAPI, Request

from services.intake.domain.provider_reports import is_from_twilio
from shared.access.api_keys import Scope
from shared.access.links import AcknowledgementLink, ReceiptAddress, sign_acknowledgement, sign_receipt_address
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.values import ChannelKind
from shared.embedded.processes import free_port
from tests.support.postgres import Database
from tests.support.register import LINK_SECRET, Register, open_register
from tests.unit.intake.test_bounces import bounce

TWILIO_TOKEN = "12345"
PUBLIC = "https://intake.example.org"


@pytest.fixture
async def signed_register(intake_database: Database) -> AsyncIterator[Register]:
    async with AsyncExitStack() as stack:
        url = intake_database.url("intake")
        changes: dict[str, Any] = {"receipt_url": PUBLIC, "twilio_tokens": {"world": TWILIO_TOKEN}}
        yield await stack.enter_async_context(open_register(url, **changes))


def _address(provider: str = "ali") -> tuple[UUID, str]:
    attempt = uuid4()
    return attempt, sign_receipt_address(ReceiptAddress(uuid4(), attempt, "demo", provider), LINK_SECRET.encode())


async def _receipts(register: Register) -> list[ReceiptReceivedV1]:
    return [event.data for event in await register.published() if isinstance(event.data, ReceiptReceivedV1)]


async def test_a_batch_of_alibaba_finds_each_attempt_and_counts_what_is_not_ours(register: Register) -> None:
    first, first_token = _address()
    second, second_token = _address()
    body = [
        {
            "phone_number": "13800000001",
            "success": True,
            "err_code": "DELIVERED",
            "biz_id": "1^0",
            "out_id": first_token,
        },
        {"success": False, "err_code": "MK:0001", "err_msg": "空号", "biz_id": "2^0", "out_id": second_token},
        {"success": True, "err_code": "DELIVERED", "biz_id": "3^0", "out_id": "of-somebody-else"},
    ]
    answer = await register.client.post("/v1/receipts:alibaba", json=body)

    assert answer.json() == {"code": 0, "msg": "OK", "taken": 2, "unknown": 1}
    found = {one.attempt_id: one for one in await _receipts(register)}
    assert {one: found[one].status for one in found} == {
        first: ReceiptStatus.DELIVERED,
        second: ReceiptStatus.UNDELIVERED,
    }
    assert (found[second].code, found[second].detail) == ("MK:0001", "空号")


@pytest.fixture
async def notifier() -> AsyncIterator[tuple[str, dict[str, str], list[dict[str, Any]]]]:
    """Answers where receipts go, as the notifier does: its address, what it knows, what it was asked."""
    known: dict[str, str] = {}
    asked: list[dict[str, Any]] = []
    app = FastAPI()

    @app.post("/v1/receipt-addresses")
    async def addresses(request: Request) -> dict[str, Any]:
        asked.append(await request.json() | {"key": request.headers["authorization"]})
        return {"addresses": {one: known[one] for one in asked[-1]["message_ids"] if one in known}}

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn says so by a flag and nothing else
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}", known, asked
    server.should_exit = True
    await running


def _tencent(sid: str, status: str = "SUCCESS", code: str = "DELIVRD") -> dict[str, str]:
    """As published."""
    return {
        "user_receive_time": "2026-11-22 08:03:04",
        "nationcode": "86",
        "mobile": "13800000001",
        "report_status": status,
        "errmsg": code,
        "description": "用户短信送达成功",
        "sid": sid,
    }


async def test_a_batch_of_tencent_finds_each_attempt_by_the_providers_id(
    intake_database: Database, notifier: tuple[str, dict[str, str], list[dict[str, Any]]]
) -> None:
    url, known, asked = notifier
    first, first_token = _address("tencent-a")
    second, second_token = _address("tencent-a")
    known.update({"2019:1": first_token, "2019:2": second_token})
    body = [_tencent("2019:1"), _tencent("2019:2", "FAIL", "MK:0001"), _tencent("of-somebody-else")]
    changes: dict[str, Any] = {"notifier_url": url, "notifier_key": "fh_of_intake"}
    async with open_register(intake_database.url("intake"), **changes) as register:
        key = (await register.key_with(Scope.RECEIPT))["authorization"].removeprefix("Bearer ")
        path = "/v1/receipts:tencent"
        stranger = await register.client.post(path, json=body, headers={"authorization": ""})
        answer = await register.client.post(path, params={"provider": "tencent-a", "key": key}, json=body)

        assert stranger.status_code == 401
        assert (answer.status_code, answer.json()) == (200, {"result": 0, "errmsg": "OK"})
        assert (answer.headers["x-fenghuo-taken"], answer.headers["x-fenghuo-unknown"]) == ("2", "1")
        found = {one.attempt_id: one for one in await _receipts(register)}
        assert {one: found[one].status for one in found} == {
            first: ReceiptStatus.DELIVERED,
            second: ReceiptStatus.UNDELIVERED,
        }
        assert (found[second].code, found[second].provider) == ("MK:0001", "tencent-a")
    assert [one["message_ids"] for one in asked] == [["2019:1", "2019:2", "of-somebody-else"], ["of-somebody-else"]]
    assert {(one["provider"], one["key"]) for one in asked} == {("tencent-a", "Bearer fh_of_intake")}


async def test_reports_of_tencent_come_again_while_the_notifier_is_away(intake_database: Database) -> None:
    changes: dict[str, Any] = {"notifier_url": f"http://127.0.0.1:{free_port()}", "notifier_key": "fh_of_intake"}
    for given, code in ((changes, "notifier-away"), ({}, "notifier-missing")):
        async with open_register(intake_database.url("intake"), **given) as register:
            headers = await register.key_with(Scope.RECEIPT)
            answer = await register.client.post("/v1/receipts:tencent", json=[_tencent("1")], headers=headers)
            assert answer.status_code == 503
            assert answer.json()["type"].endswith(code)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "body"),
        (b"[1]", "0.report_status"),
        (b'[{"report_status": ["SUCCESS"], "sid": "1"}]', "0.report_status"),
        (b'[{"report_status": "SUCCESS", "sid": 1}]', "0.sid"),
        (b'[{"report_status": "SUCCESS", "sid": ""}]', "0.sid"),
    ],
)
async def test_a_batch_of_tencent_that_is_none_is_refused_by_its_field(
    register: Register, body: bytes, field: str
) -> None:
    headers = await register.key_with(Scope.RECEIPT)
    answer = await register.client.post("/v1/receipts:tencent", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "body"),
        (b"[1]", "0.success"),
        (b'[{"success": "true", "out_id": "x"}]', "0.success"),
        (b'[{"success": true}]', "0.out_id"),
        (b"[" * 2000, "body"),
    ],
)
async def test_a_batch_that_is_none_is_refused_by_its_field(register: Register, body: bytes, field: str) -> None:
    answer = await register.client.post("/v1/receipts:alibaba", content=body)
    assert answer.status_code in {400, 422}
    assert answer.json()["errors"][0]["field"] == field
    assert await _receipts(register) == []


def test_twilios_published_example() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    assert is_from_twilio("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url=url, fields=form, token="12345")
    assert not is_from_twilio("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url=url, fields=form[1:], token="12345")
    assert not is_from_twilio(None, url=url, fields=form, token="12345")
    assert not is_from_twilio("签名", url=url, fields=form, token="12345")


def _signature(url: str, form: str) -> str:
    text = url + "".join(name + value for name, value in sorted(parse_qsl(form)))
    return base64.b64encode(hmac.digest(TWILIO_TOKEN.encode(), text.encode(), hashlib.sha1)).decode()


async def test_a_receipt_of_twilio_must_be_signed(signed_register: Register) -> None:
    attempt, token = _address("world")
    form = urlencode({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30008"})
    path, headers = f"/v1/receipts/{token}", {"content-type": "application/x-www-form-urlencoded"}
    for signature in (None, "", _signature(f"{PUBLIC}{path}", form + "x"), _signature(f"http://x{path}", form)):
        given = headers | ({"x-twilio-signature": signature} if signature is not None else {})
        assert (await signed_register.client.post(path, content=form, headers=given)).status_code == 403
    assert await _receipts(signed_register) == []

    given = headers | {"x-twilio-signature": _signature(f"{PUBLIC}{path}", form)}
    assert (await signed_register.client.post(path, content=form, headers=given)).status_code == 200
    [receipt] = await _receipts(signed_register)
    assert (receipt.attempt_id, receipt.status, receipt.code) == (attempt, ReceiptStatus.UNDELIVERED, "30008")
    _, other = _address("ali")
    assert (await signed_register.client.post(f"/v1/receipts/{other}", json={"status": "sent"})).status_code == 200


async def test_a_returned_mail_turns_into_an_undelivered_receipt(register: Register) -> None:
    attempt, token = _address("smtp")
    headers = await register.key_with(Scope.RECEIPT) | {"content-type": "message/rfc822"}
    answer = await register.client.post("/v1/bounces", content=bounce(token=token), headers=headers)
    forged = await register.client.post("/v1/bounces", content=bounce(token="x.y"), headers=headers)
    leave = await register.client.post("/v1/bounces", content=b"Subject: on leave\r\n\r\n", headers=headers)

    assert answer.json() == {"taken": 1, "status": "undelivered"}
    assert (forged.status_code, forged.json()["taken"]) == (200, 0)
    assert (leave.status_code, leave.json()["taken"]) == (200, 0)
    [receipt] = await _receipts(register)
    assert (receipt.attempt_id, receipt.channel, receipt.provider) == (attempt, ChannelKind.EMAIL, "smtp")
    stranger = {"authorization": "Bearer nobody"}
    assert (await register.client.post("/v1/bounces", content=bounce(token=token), headers=stranger)).status_code == 401


async def test_a_pressed_key_acknowledges_once_and_only_the_right_one(register: Register) -> None:
    case, intent = uuid4(), uuid4()
    link = AcknowledgementLink(case, intent, "demo", "p", "manager-a", datetime.now(UTC) + timedelta(hours=1))
    path = f"/v1/keys/{sign_acknowledgement(link, LINK_SECRET.encode())}"

    wrong = await register.client.post(path, json={"key": "2"})
    first = await register.client.post(path, data={"Digits": "1"})
    again = await register.client.post(path, json={"key": 1})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "key")
    assert (first.json()["first"], again.json()["first"]) == (True, False)
    assert (await register.client.post(path[:-2], json={"key": "1"})).status_code == 404
    [command] = [event.data for event in await register.published() if isinstance(event.data, CommandIssuedV1)]
    assert command.actor.ref == "manager-a"
