"""The page of message previews: what a person picks is asked of the notifier, its answer is never markup."""

import json
from typing import Any

import httpx
import pytest

from shared.db.engine import Database
from tests.integration.console.test_pages import ATTACK, IntakeDouble, plain_client, sign_in, stand_in
from tests.support.console import ORG, create_console, create_user


@pytest.fixture
def notifier(monkeypatch: pytest.MonkeyPatch) -> IntakeDouble:
    """Answers whatever the console asks the notifier."""
    return stand_in(monkeypatch, "questions")


def _answer(**other: object) -> dict[str, Any]:
    both = {"zh": ATTACK, "en": ATTACK}
    person = {"person": "a", "label": both, "because": both, "to": "138****0001", "provider": "sms", "problem": None}
    known = {"group": both, "role": "liaison", "label": both, "known": True, "people": [person]}
    nobody = known | {"people": []}
    return {
        "organisation": ORG,
        "headline": "标题",
        "text": f"四川 {ATTACK}",
        "sms": {"segments": 4, "alphabet": "UCS-2", "characters": 210},
        "roster_sha256": "0" * 64,
        "readers": [known, nobody],
    } | other


async def test_the_message_of_the_chosen_plan_level_channel_and_language_is_asked_for_and_shown(
    console_url: str, console_database: Database, notifier: IntakeDouble
) -> None:
    await create_user(console_database)
    notifier.answer = httpx.Response(200, json=_answer())
    app = create_console(console_url, notifier_url="http://notifier.example")
    async with plain_client(httpx.ASGITransport(app=app, client=("192.0.2.1", 4000))) as client:
        await sign_in(client)
        picked = {"plan": "telecom-service-quality", "level": "orange", "channel": "sms", "language": "en"}
        page = await client.get("/messages/preview", params=picked)
        assert page.status_code == 200
        assert "138****0001" in page.text
        assert "此刻无人值班" in page.text
        assert "4 条短信" in page.text
        assert "<script>alert" not in page.text
        assert '<option value="orange" selected>' in page.text
        asked = json.loads(notifier.posted[-1][1])
        assert (asked["language"], asked["channel"], asked["purpose"]) == ("en", "sms", "page")
        assert asked["subject"]["level"] == "orange"
        assert [one["form"] for one in asked["templates"]] == ["sms"]
        assert asked["groups"][0]["roles"]


async def test_what_does_not_fit_is_replaced_and_an_absent_notifier_is_said(
    console_url: str, console_database: Database, notifier: IntakeDouble
) -> None:
    await create_user(console_database)
    notifier.answer = httpx.Response(503)
    app = create_console(console_url, notifier_url="http://notifier.example")
    async with plain_client(httpx.ASGITransport(app=app, client=("192.0.2.1", 4000))) as client:
        await sign_in(client)
        picked = {"plan": "no-such-plan", "level": "x" * 5000, "channel": ATTACK, "purpose": "%00"}
        page = await client.get("/messages/preview", params=picked)
        assert page.status_code == 200
        assert "通知服务没有回应" in page.text
        notifier.answer = httpx.Response(200, json=_answer(organisation="other"))
        assert "四川" not in (await client.get("/messages/preview")).text
