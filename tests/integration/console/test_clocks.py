"""The page of a case's clocks: what the escalator explains, in people's words, never as markup."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.db.engine import Database
from tests.integration.console.test_pages import ATTACK, IntakeDouble, plain_client, sign_in, stand_in
from tests.support.console import create_console, create_story, create_user, project

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def escalator(monkeypatch: pytest.MonkeyPatch) -> IntakeDouble:
    """Answers whatever the console asks the escalator."""
    return stand_in(monkeypatch, "questions")


def explanation(**fields: Any) -> dict[str, Any]:
    clock = {
        "id": "reply",
        "label": "答复",
        "state": "running",
        "limit": "15wd",
        "calendar": "china/2026",
        "provisional": True,
        "started_at": "2026-01-26T02:00:00Z",
        "counts_from": "2026-01-26T16:00:00Z",
        "due_at": "2026-02-14T16:00:00Z",
        "stopped_at": None,
        "gross": 90061.0,
        "net": 3600.0,
        "stood_still": 60.0,
        "spent_share": 0.25,
        "spans": [
            {"start": "2026-01-26T02:00:00Z", "end": "2026-01-27T02:00:00Z", "running": True, "why": None},
            {"start": "2026-01-27T02:00:00Z", "end": "2026-01-27T02:01:00Z", "running": False, "why": ATTACK},
        ],
        "changes": [{"entry": {"at": "2026-01-27T02:00:00Z", "kind": "extend", "reason": "案情复杂"}, "cause": "x"}],
        "extensions": [
            {
                "by": "15wd", "asked_by": {"ref": "甲"}, "asked_at": "2026-01-27T02:00:00Z", "reason": ATTACK,
                "approved": True, "decided_by": {"ref": "乙"}, "role": "head", "told_at": None,
            }
        ],
        "mileposts": [
            {"threshold": "50%", "at": "2026-02-04T16:00:00Z", "outcome": "fired", "late_by": 0.02, "why": "x"},
            {"threshold": "breach", "at": "2026-02-14T16:00:00Z", "outcome": "armed", "late_by": None, "why": "x"},
        ],
        "armed_at": "2026-02-14T16:00:00Z",
        "source": "001-19 §3",
        "days": [
            {"first": "2026-02-14", "last": "2026-02-14", "kind": "make-up", "name": "春节", "status": "published",
             "numbers": [15, 15], "worked": 28800.0},
            {"first": "2026-02-07", "last": "2026-02-08", "kind": "weekend", "name": None, "status": "missing",
             "numbers": None, "worked": 0.0},
        ],
    } | fields  # fmt: skip
    return {
        "case_id": "x", "number": "2026-11-000001", "plan": "telecom-service-quality", "plan_version": 1,
        "plan_sha256": "0" * 64, "at": "2026-01-28T02:00:00Z", "state": "classified", "clocks": [clock],
    }  # fmt: skip


async def test_a_case_says_why_its_clock_is_due_then(
    console_url: str, console_database: Database, escalator: IntakeDouble
) -> None:
    await create_user(console_database)
    await project(console_database, create_story("2026-11-000001", "red", at=NOON))
    escalator.answer = httpx.Response(200, json={"cases": [explanation()]})
    app = create_console(console_url, escalator_url="http://escalator.example")
    async with plain_client(httpx.ASGITransport(app=app, client=("192.0.2.1", 4000))) as client:
        await sign_in(client)
        case = await client.get("/cases/2026-11-000001")
        assert "为何此时到期" in case.text
        page = await client.get("/cases/2026-11-000001/clocks")
        assert page.status_code == 200
        for words in ("2026-02-15 00:00", "暂定", "调休上班", "春节", "第 15", "净时长", "1:00:00", "1 day, 1:01:01"):
            assert words in page.text, words
        for words in ("案情复杂", "乙（head）", "已触发", "下一个触发", "25.0%", "001-19 §3", "china/2026"):
            assert words in page.text, words
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


async def test_without_the_escalator_the_page_says_so_and_a_foreign_case_is_none(
    console_url: str, console_database: Database, escalator: IntakeDouble
) -> None:
    await create_user(console_database)
    await project(console_database, create_story("2026-11-000001", "red", at=NOON))
    app = create_console(console_url, escalator_url="http://escalator.example")
    async with plain_client(httpx.ASGITransport(app=app, client=("192.0.2.1", 4000))) as client:
        await sign_in(client)
        for answer, words in (
            (httpx.Response(503), "没有回应"),
            (httpx.Response(200, json=[1]), "没有回应"),
            (httpx.Response(404), "没有这个案件"),
        ):
            escalator.answer = answer
            assert words in (await client.get("/cases/2026-11-000001/clocks")).text
        assert (await client.get("/cases/2026-11-000999/clocks")).status_code == 404
    closed = create_console(console_url)
    async with plain_client(httpx.ASGITransport(app=closed, client=("192.0.2.1", 4000))) as client:
        await sign_in(client)
        assert "没有配置" in (await client.get("/cases/2026-11-000001/clocks")).text
