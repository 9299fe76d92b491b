"""Contact points on the duty page: which wait for their proof, and codes asked for and handed in through intake."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.contracts.escalations import CaseState, Change, ChangeKind
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from tests.integration.console.test_pages import IntakeDouble, clients_of, form_token, plain_client, sign_in
from tests.support.console import ORG, create_console, create_escalated, create_event, create_user, project

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CHECK = "0192b6a0-0000-7000-8000-000000000001"
WORDS = {"zh": "值班经理甲", "en": "Duty manager A"}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/roster/timetable": {
        "organisation": ORG,
        "timezone": "Asia/Shanghai",
        "begins_at": NOON.isoformat(),
        "roles": [],
    },
    "/v1/roster/findings": {"findings": []},
    "/v1/roster/contacts": {
        "contacts": [
            {
                "person": "a",
                "label": WORDS,
                "contact": "sms-1",
                "channel": "sms",
                "address": "138****0001",
                "last": None,
            },
            {
                "person": "a",
                "label": WORDS,
                "contact": "email-1",
                "channel": "email",
                "address": "a***@example.org",
                "last": {"state": "open", "asked_at": NOON.isoformat(), "verification_id": CHECK},
            },
        ]
    },
}


@pytest.fixture
async def browser(
    console_url: str, console_database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[httpx.AsyncClient, IntakeDouble]]:
    intake = IntakeDouble()

    def answer(request: httpx.Request) -> httpx.Response:
        known = ANSWERS.get(request.url.path)
        return httpx.Response(200, json=known) if known is not None else intake(request)

    monkeypatch.setattr("services.console.channels.intake.httpx.AsyncClient", clients_of(httpx.MockTransport(answer)))
    app = create_console(console_url, notifier_url="http://notifier.example")
    async with plain_client(httpx.ASGITransport(app=app, client=("192.0.2.1", 4000))) as client:
        await create_user(console_database, "值班经理甲", "operator")
        await create_user(console_database, "viewer", "viewer")
        yield client, intake


async def test_the_page_lists_what_is_not_verified_and_has_codes_sent_and_handed_in(
    browser: tuple[httpx.AsyncClient, IntakeDouble],
) -> None:
    client, intake = browser
    await sign_in(client, "值班经理甲")
    page = (await client.get("/roster")).text
    assert "未验证的联系方式" in page
    assert page.count("发送验证码") == 2
    assert page.count('name="code"') == 1
    assert "等待确认" in page
    token = await form_token(client, "/roster")
    sent = await client.post("/roster/verify", data={"csrf": token, "person": "a", "contact": "sms-1"})
    given = await client.post(f"/roster/verify/{CHECK}", data={"csrf": token, "code": " 123456 "})
    assert [one.headers["location"] for one in (sent, given)] == [
        "/roster?done=sent#unverified",
        "/roster?done=given#unverified",
    ]
    (new, start), (old, confirm) = intake.posted
    assert UUID(new.split("/")[3]).version == 7
    actor = {"ref": "值班经理甲"}
    assert json.loads(start) == {
        "plan": "contact-check",
        "actor": actor,
        "command": "start",
        "arguments": {"person": "a", "contact": "sms-1"},
    }
    assert old == f"/v1/cases/{CHECK}/commands"
    assert json.loads(confirm) == {
        "plan": "contact-check",
        "actor": actor,
        "command": "acknowledge",
        "arguments": {"code": "123456"},
    }


async def test_empty_forms_foreign_sites_and_viewers_send_nothing(
    browser: tuple[httpx.AsyncClient, IntakeDouble],
) -> None:
    client, intake = browser
    await sign_in(client, "值班经理甲")
    token = await form_token(client, "/roster")
    assert (await client.post(f"/roster/verify/{CHECK}", data={"csrf": token, "code": " "})).status_code == 400
    evil = {"origin": "https://evil.example"}
    data = {"csrf": token, "person": "a", "contact": "sms-1"}
    assert (await client.post("/roster/verify", data=data, headers=evil)).status_code == 403
    client.cookies.clear()
    await sign_in(client, "viewer")
    page = (await client.get("/roster")).text
    assert "未验证的联系方式" in page
    assert "发送验证码" not in page
    assert (await client.post("/roster/verify", data=data)).status_code == 403
    assert intake.posted == []


async def test_who_took_a_case_over_and_who_gave_it_back_stand_on_its_page(
    browser: tuple[httpx.AsyncClient, IntakeDouble], console_database: Database
) -> None:
    client, _ = browser
    await sign_in(client, "viewer")
    case = UUID(int=77)
    first, second = (Actor(kind=ActorKind.PERSON, ref=one) for one in ("值班经理甲", "值班经理乙"))

    def changed(revision: int, because: str, **fields: Any) -> Any:
        at = NOON + timedelta(minutes=revision)
        change = Change(kind=ChangeKind.STATE_CHANGED, at=at, because=because)
        return create_event(
            create_escalated("2026-11-000077", "red", NOON, revision, changes=(change,), **fields), case
        )

    over = changed(
        2,
        "值班经理乙接管",
        state=CaseState.IN_PROGRESS,
        acknowledged_by=first,
        acknowledged_at=NOON,
        handled_by=second,
    )
    await project(console_database, [over])
    page = (await client.get(f"/cases/{case}")).text
    assert "✓ 值班经理甲" in page
    assert "→ 值班经理乙 处理中" in page
    assert "值班经理乙接管" in page
    await project(console_database, [changed(3, "值班经理乙撤销确认：误点", state=CaseState.CLASSIFIED)])
    page = (await client.get(f"/cases/{case}")).text
    assert "✓ 值班经理甲" not in page
    assert "处理中</span>" not in page
    assert "值班经理乙撤销确认：误点" in page
    assert "值班经理乙接管" in page, "the history keeps it"
