"""The page of what was kept back."""

import httpx
import pytest

from shared.db.engine import Database
from tests.integration.console.test_pages import ATTACK, IntakeDouble, plain_client, sign_in, stand_in
from tests.support.console import IDS, ORG, create_console, create_user


@pytest.fixture
def notifier(monkeypatch: pytest.MonkeyPatch) -> IntakeDouble:
    """Answers whatever the console asks the notifier."""
    return stand_in(monkeypatch, "questions")


async def test_what_was_kept_back_is_shown_with_its_reason_and_never_as_markup(
    console_url: str, console_database: Database, notifier: IntakeDouble
) -> None:
    await create_user(console_database)
    kept = {
        "accepted_at": "2026-11-22T04:00:00Z",
        "case_id": str(IDS.new()),
        "number": "2026-11-000007",
        "purpose": "page",
        "person_label": ATTACK,
        "role": "liaison",
        "state": "waiting",
        "because": {"zh": "维护窗口：割接（值班长）", "en": "maintenance window"},
    }
    silence = {"from": "2026-11-22", "to": "2026-11-23", "reason": ATTACK, "made_by": "值班长", "over": False}
    notifier.answer = httpx.Response(200, json={"organisation": ORG, "withheld": [kept], "silences": [silence]})
    app = create_console(console_url, notifier_url="http://notifier.example")
    async with plain_client(httpx.ASGITransport(app=app, client=("192.0.2.1", 4000))) as client:
        await sign_in(client)
        page = await client.get("/withheld")
        assert page.status_code == 200
        assert "维护窗口：割接（值班长）" in page.text
        assert "2026-11-000007" in page.text
        assert "<script>alert" not in page.text
        notifier.answer = httpx.Response(200, json={"organisation": "other", "withheld": [kept], "silences": [silence]})
        assert "2026-11-000007" not in (await client.get("/withheld")).text
        notifier.answer = httpx.Response(503)
        assert "通知服务没有回应" in (await client.get("/withheld")).text
