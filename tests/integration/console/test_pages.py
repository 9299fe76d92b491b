"""Pages as a browser gets them: who may in, whose form it is, and that nothing posted becomes markup."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.console.app.record_dead_letters import record_dead_letters
from shared.contracts.escalations import ActivationStatus, ApprovalStatus, ChecklistItem
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.kafka.dead_letters import DeadRecord
from tests.support.console import (
    IDS,
    PASSWORD,
    create_console,
    create_escalated,
    create_event,
    create_report,
    create_user,
    project,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ATTACK = "<script>alert('x')</script><img src=x onerror=alert(1)>"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class IntakeDouble:
    """Takes what the console asks another service and answers as told."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.answer = httpx.Response(202, json={})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.posted.append((request.url.path, request.read().decode()))
        return self.answer


@pytest.fixture
def intake(monkeypatch: pytest.MonkeyPatch) -> IntakeDouble:
    return stand_in(monkeypatch, "intake")


def stand_in(monkeypatch: pytest.MonkeyPatch, channel: str) -> IntakeDouble:
    """Answers whatever the console asks by this channel."""
    double = IntakeDouble()
    name = f"services.console.channels.{channel}.httpx.AsyncClient"
    monkeypatch.setattr(name, clients_of(httpx.MockTransport(double)))
    return double


def clients_of(transport: httpx.MockTransport) -> Any:
    real = httpx.AsyncClient

    def make(**given: Any) -> httpx.AsyncClient:
        return real(**given | {"transport": transport})

    return make


@pytest.fixture
async def browser(
    console_url: str, console_database: Database, intake: IntakeDouble
) -> AsyncIterator[httpx.AsyncClient]:
    real = httpx.ASGITransport(app=create_console(console_url), client=("192.0.2.1", 4000))
    async with plain_client(real) as client:
        yield client


def plain_client(transport: httpx.ASGITransport) -> httpx.AsyncClient:
    # The double replaced the name inside the adapter's module only, which is this very class object's home.
    return httpx._client.AsyncClient(transport=transport, base_url="http://console.example")


async def sign_in(client: httpx.AsyncClient, name: str = "admin", password: str = PASSWORD) -> httpx.Response:
    token = TOKEN.search((await client.get("/login")).text)
    assert token is not None
    return await client.post("/login", data={"csrf": token[1], "name": name, "password": password, "next": "/"})


async def form_token(client: httpx.AsyncClient, path: str = "/") -> str:
    found = TOKEN.search((await client.get(path)).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "path", ["/", "/board", "/cases/x", "/messages", "/dead-letters", "/plans", "/withheld", "/live/board"]
)
async def test_every_page_asks_a_stranger_to_sign_in(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


async def test_a_live_part_of_a_page_is_told_where_to_sign_in(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/board", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"].startswith("/login")


async def test_signing_in_opens_the_board_and_signing_out_closes_it(
    browser: httpx.AsyncClient, console_database: Database
) -> None:
    await create_user(console_database)
    answer = await sign_in(browser)
    assert answer.status_code == 303
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("fenghuo_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await browser.get("/")).status_code == 200
    await browser.post("/logout", data={"csrf": await form_token(browser)})
    assert (await browser.get("/")).status_code == 303


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    browser: httpx.AsyncClient, console_database: Database
) -> None:
    await create_user(console_database)
    wrong = await sign_in(browser, password="not the password")
    unknown = await sign_in(browser, name="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert TOKEN.sub("", wrong.text).split("<main")[1] == TOKEN.sub("", unknown.text).split("<main")[1]


async def test_guessing_passwords_is_slowed_down(browser: httpx.AsyncClient, console_database: Database) -> None:
    await create_user(console_database)
    answers = [(await sign_in(browser, password="a wrong password")).status_code for _ in range(9)]
    assert answers == [401] * 8 + [429]
    assert (await sign_in(browser)).status_code == 429, "the right password would tell that it is right"


async def test_a_session_ends_when_the_password_changes_and_cannot_be_forged(
    browser: httpx.AsyncClient, console_database: Database
) -> None:
    await create_user(console_database)
    await sign_in(browser)
    cookie = browser.cookies["fenghuo_session"]
    browser.cookies.set("fenghuo_session", cookie[:-3] + "abc", domain="console.example")
    browser.cookies.delete("fenghuo_session", domain="console.example")
    assert (await browser.get("/", headers={"cookie": f"fenghuo_session={cookie[:-3]}abc"})).status_code == 303
    assert (await browser.get("/", headers={"cookie": f"fenghuo_session={cookie}"})).status_code == 200
    await create_user(console_database, role="viewer")
    assert (await browser.get("/", headers={"cookie": f"fenghuo_session={cookie}"})).status_code == 303


async def test_what_was_posted_never_becomes_markup(browser: httpx.AsyncClient, console_database: Database) -> None:
    case = IDS.new()
    report = create_report(
        "N-1", NOON, title=ATTACK, narrative=ATTACK, topic="<b>t", source="<i>s", facts={"a": ATTACK}
    )
    shown = create_escalated("N-1", "red", NOON, title=ATTACK, because=ATTACK, decided_by=None)
    await project(console_database, [create_event(report, case), create_event(shown, case)])
    await create_user(console_database)
    await sign_in(browser)
    for path in ("/", "/board", f"/cases/{case}", "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"):
        text = (await browser.get(path)).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "<b>t" not in text
    assert "&lt;script&gt;" in (await browser.get(f"/cases/{case}")).text


async def test_every_answer_forbids_scripts_from_elsewhere(browser: httpx.AsyncClient) -> None:
    for path in ("/login", "/static/console.css", "/healthz", "/nowhere"):
        policy = (await browser.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
    page = (await browser.get("/login")).text
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=", page), "an inline script, handler or style"


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
async def test_a_form_sent_by_another_site_is_refused(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble, headers: dict[str, str]
) -> None:
    case = await a_case(console_database)
    await create_user(console_database)
    await sign_in(browser)
    token = await form_token(browser, f"/cases/{case}")
    answer = await browser.post(
        f"/cases/{case}/commands", data={"csrf": token, "command": "acknowledge"}, headers=headers
    )
    assert answer.status_code == 403
    assert intake.posted == []


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é" * 64])
async def test_a_form_without_the_sessions_token_is_refused(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble, token: str | None
) -> None:
    case = await a_case(console_database)
    await create_user(console_database)
    await sign_in(browser)
    data = {"command": "acknowledge"} | ({"csrf": token} if token is not None else {})
    answer = await browser.post(f"/cases/{case}/commands", data=data)
    assert answer.status_code == 403
    assert intake.posted == []


async def test_an_operator_acknowledges_in_their_own_name(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble
) -> None:
    case = await a_case(console_database)
    await create_user(console_database, "值班经理甲", "operator")
    await sign_in(browser, "值班经理甲")
    token = await form_token(browser, f"/cases/{case}")
    answer = await browser.post(
        f"/cases/{case}/commands", data={"csrf": token, "command": "acknowledge", "reason": "已到场"}
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/cases/{case}?done=acknowledge"
    path, body = intake.posted[0]
    assert path == f"/v1/cases/{case}/commands"
    assert body == '{"command":"acknowledge","actor":{"ref":"值班经理甲"},"reason":"已到场"}'


async def test_a_viewer_may_look_but_not_act(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble
) -> None:
    case = await a_case(console_database)
    await create_user(console_database, "viewer", "viewer")
    await sign_in(browser, "viewer")
    page = await browser.get(f"/cases/{case}")
    assert page.status_code == 200
    assert "/commands" not in page.text
    answer = await browser.post(
        f"/cases/{case}/commands", data={"csrf": await form_token(browser), "command": "acknowledge"}
    )
    assert answer.status_code == 403
    assert intake.posted == []


async def test_what_intake_refuses_is_told_to_the_person(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble
) -> None:
    case = await a_case(console_database)
    await create_user(console_database)
    await sign_in(browser)
    token = await form_token(browser, f"/cases/{case}")
    intake.answer = httpx.Response(422, json={"title": "No", "errors": [{"field": "reason", "detail": "<missing>"}]})
    answer = await browser.post(f"/cases/{case}/commands", data={"csrf": token, "command": "comment"})
    assert answer.status_code == 422
    assert "reason: &lt;missing&gt;" in answer.text


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"command": "move-plan"}, 422),
        ({"command": "wait", "until": "tomorrow"}, 422),
        ({"command": "x" * 5000}, 422),
        ({"command": "comment", "reason": "长" * 2001}, 422),
        ({"command": "comment", "reason": "a\x00b"}, 400),
        ({"command": "comment", "reason": "x" * 70_000}, 413),
    ],
)
async def test_a_bad_form_is_refused_clearly(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble, data: dict[str, str], status: int
) -> None:
    case = await a_case(console_database)
    await create_user(console_database)
    await sign_in(browser)
    token = await form_token(browser, f"/cases/{case}")
    answer = await browser.post(f"/cases/{case}/commands", data={"csrf": token, **data})
    assert answer.status_code == status
    assert intake.posted == []


async def test_only_an_administrator_sends_dead_letters_again(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble
) -> None:
    await record_dead_letters(
        [DeadRecord("complaints-received-dlq", 0, 1, b"k", (("dlq_reason", b"<b>bad"),), b"v")],
        database=console_database,
    )
    await create_user(console_database)
    await create_user(console_database, "operator", "operator")
    await sign_in(browser, "operator")
    page = (await browser.get("/dead-letters")).text
    assert "&lt;b&gt;bad" in page
    assert "/replay" not in page
    async with console_database.transaction() as tx:
        letter = await tx.fetch_one("SELECT id FROM dead_letters")
    assert letter is not None
    refused = await browser.post(f"/dead-letters/{letter['id']}/replay", data={"csrf": await form_token(browser)})
    assert refused.status_code == 403
    browser.cookies.clear()
    await sign_in(browser)
    answer = await browser.post(f"/dead-letters/{letter['id']}/replay", data={"csrf": await form_token(browser)})
    assert answer.status_code == 303
    assert [path for path, _ in intake.posted] == ["/v1/replays"]


@pytest.mark.parametrize(
    "path",
    [
        "/plans",
        "/plans/telecom-service-quality",
        "/messages",
        "/messages/rows",
        "/dead-letters",
        "/?show=all&state=closed",
        "/board?q=%25",
    ],
)
async def test_every_page_shows_in_both_languages(
    browser: httpx.AsyncClient, console_database: Database, path: str
) -> None:
    await create_user(console_database)
    await sign_in(browser)
    chinese = await browser.get(path)
    await browser.get("/preferences", params={"lang": "en", "back": "/"})
    english = await browser.get(path)
    assert chinese.status_code == english.status_code == 200
    assert chinese.text != english.text


async def test_an_unknown_case_is_a_page_not_found(browser: httpx.AsyncClient, console_database: Database) -> None:
    await create_user(console_database)
    await sign_in(browser)
    for wanted in ("nothing", str(IDS.new()), "x" * 300, "%00"):
        assert (await browser.get(f"/cases/{wanted}")).status_code == 404


async def test_a_plan_is_shown_with_its_flow_and_an_unknown_one_is_not_found(
    browser: httpx.AsyncClient, console_database: Database
) -> None:
    await create_user(console_database)
    await sign_in(browser)
    assert 'href="/plans/telecom-service-quality"' in (await browser.get("/plans")).text
    page = (await browser.get("/plans/telecom-service-quality")).text
    assert "customers_affected &gt; 50000" in page
    assert '<svg class="flow"' in page
    assert "style=" not in page
    assert (await browser.get("/plans/nothing")).status_code == 404


async def a_case(database: Database) -> Any:
    case = IDS.new()
    await project(database, [create_event(create_escalated("N-1", "red", NOON), case)])
    return case


async def test_what_people_were_asked_is_answered_beside_the_question(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble
) -> None:
    case = IDS.new()
    asked = create_escalated(
        "2026-11-000077",
        "red",
        NOON,
        activation=ActivationStatus(id="start", label="是否启动？", state="waiting", roles=("chairman",)),
        approvals=(
            ApprovalStatus(id="opinion", label="意见审批", state="waiting", step=1, steps=2, roles=("head", "deputy")),
        ),
        checklist=(
            ChecklistItem(id="seal", label="共同<封存>", before="resolved", by=("head",)),
            ChecklistItem(
                id="sign",
                label="签字",
                before="resolved",
                ticked_at=NOON,
                ticked_by=Actor(kind=ActorKind.PERSON, ref="clerk-a"),
            ),
        ),
    )
    await project(console_database, [create_event(asked, case)])
    await create_user(console_database, "值班经理甲", "operator")
    await sign_in(browser, "值班经理甲")
    page = (await browser.get(f"/cases/{case}")).text
    for shown in ("是否启动？", "意见审批", "共同&lt;封存&gt;", "签字", 'value="activate"', 'value="refuse"'):
        assert shown in page
    assert page.count('value="tick"') == 1
    token = await form_token(browser, f"/cases/{case}")
    for form, arguments in (
        ({"command": "tick", "item": "seal", "role": "head"}, {"item": "seal", "role": "head"}),
        ({"command": "approve", "approval": "opinion", "role": "head"}, {"approval": "opinion", "role": "head"}),
        ({"command": "decline", "role": "chairman", "level": "x"}, {"role": "chairman"}),
    ):
        answer = await browser.post(f"/cases/{case}/commands", data={"csrf": token, **form})
        assert answer.status_code == 303
        assert json.loads(intake.posted[-1][1])["arguments"] == arguments
