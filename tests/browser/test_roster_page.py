"""Pages that the notifier answers, in Chromium: who is on duty, where the gaps are, a message and who would get it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Page, expect

from services.notifier.api.previews import previews_router
from services.notifier.api.roster import roster_router
from services.notifier.app.rules import Links, Rules
from services.notifier.domain.delivery import Policy
from services.notifier.domain.roster_text import parse_roster
from shared.access.api_keys import ApiKey, Scope
from shared.contracts.values import ChannelKind
from shared.embedded.processes import free_port
from shared.runtime.clock import SystemClock
from tests.browser.test_console import pictures, sign_in
from tests.support.console import ORG, RunningConsole, console_database

__all__ = ["console_database", "pictures"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TEXT = f"""\
organisation: {ORG}
timezone: Asia/Shanghai
people:
  - {{id: a, name: {{zh: 值班经理甲, en: Manager A}}, contacts: [{{channel: sms, to: "13800000001"}}]}}
  - {{id: b, name: {{zh: 值班经理乙, en: Manager B}}, contacts: [{{channel: sms, to: "13800000002"}}]}}
rotations:
  - {{id: days, every: day, start: 2026-01-01, handover: "08:00", people: [a, b]}}
roles:
  - {{id: turn, name: {{zh: 轮值经理, en: Manager on turn}}, duty: [{{rotation: days}}]}}
  - {{id: business-liaison, name: {{zh: 业务接口人, en: Business liaison}}, duty: [{{person: b}}]}}
  - id: office
    name: {{zh: 综合办公室, en: General office}}
    duty: [{{person: a}}]
    hours: {{from: "08:30", to: "18:00"}}
"""


@pytest.fixture
async def notifier_url() -> AsyncIterator[str]:
    """The notifier's real roster door over one roster with a gap every night."""
    roster = parse_roster(TEXT, file="r.yaml")
    clock = SystemClock()
    rules = Rules(
        rosters=cast("Any", SimpleNamespace(of=lambda org: roster if org == ORG else None)),
        providers={ChannelKind.SMS: ["sink"]},
        policy=Policy({}),
        links=Links(b"s" * 32, "https://fenghuo.example.org", "https://fenghuo.example.org"),
        answer_within=timedelta(seconds=8),
        max_sms_segments=6,
    )

    async def may_read() -> ApiKey:
        return ApiKey("00000000", b"", ORG, frozenset({Scope.READ}), "console", clock.now())

    app = FastAPI()
    app.include_router(roster_router(rules, clock, cast("Any", may_read)))
    app.include_router(previews_router(rules, clock, cast("Any", may_read)))

    @app.get("/v1/roster/contacts")
    async def contacts() -> dict[str, Any]:
        """As the notifier lists them; its own answer needs a database."""
        words = {"zh": "值班经理甲", "en": "Manager A"}
        last = {"state": "open", "asked_at": clock.now().isoformat(), "verification_id": str(UUID(int=7))}
        one = {"person": "a", "label": words, "contact": "sms-1", "channel": "sms", "address": "138****0001"}
        return {"contacts": [one | {"last": last}, one | {"contact": "email-1", "channel": "email", "last": None}]}

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    running = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


@pytest.fixture
def console_env(notifier_url: str) -> dict[str, str]:
    return {"FENGHUO_NOTIFIER_URL": notifier_url}


async def test_gaps_are_red_and_come_first(console: RunningConsole, page: Page, pictures: Path) -> None:
    await sign_in(page, console)
    await page.get_by_role("link", name="值班").click()
    rows = page.locator(".duty tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("综合办公室")
    await expect(rows.first.locator(".day .duty-gap").first).to_have_text("无人")
    await expect(rows.nth(1)).to_contain_text("值班经理甲")
    await expect(rows.nth(1)).to_contain_text("值班经理乙")
    await expect(rows.nth(1).locator(".duty-gap")).to_have_count(0)
    await expect(page.locator(".findings")).to_contain_text("无人值班")
    await expect(page.locator(".duty thead th")).to_have_count(10)
    assert "轮值days" in (await rows.nth(1).locator(".now .on-duty").get_attribute("title") or "")
    waiting = page.get_by_role("region", name="未验证的联系方式").locator("tbody tr")
    await expect(waiting).to_have_count(2)
    await expect(waiting.first).to_contain_text("等待确认")
    await expect(waiting.first.get_by_label("验证码")).to_have_attribute("maxlength", "6")
    await expect(waiting.nth(1).get_by_role("button")).to_have_text("发送验证码")
    await page.screenshot(path=pictures / "roster.png", full_page=True)


async def test_a_message_is_seen_as_it_would_be_sent_and_with_whom_it_reaches_now(
    console: RunningConsole, page: Page, pictures: Path
) -> None:
    await sign_in(page, console)
    await page.get_by_role("link", name="消息", exact=True).click()
    await page.get_by_role("link", name="消息预览").click()
    await page.get_by_label("预案").select_option("telecom-service-quality")
    await page.get_by_role("button", name="预览").click()
    await page.get_by_label("等级").select_option("red")
    await page.get_by_role("button", name="预览").click()
    text = page.locator(".message-text")
    await expect(text).to_contain_text("【烽火】红色预警 2026-11-000123：示例事项标题，示例市 示例地点。请立即牵头处理")
    await expect(page.locator(".meta").first).to_contain_text("UCS-2")
    await expect(page.locator(".readers tbody tr").first).to_contain_text("值班经理乙")
    await expect(page.locator(".readers .has-gap").first).to_contain_text("值班表中没有这个角色")
    await page.screenshot(path=pictures / "preview.png", full_page=True)
    await page.get_by_label("语言").select_option("en")
    await page.get_by_label("渠道").select_option("email")
    await page.get_by_role("button", name="预览").click()
    await expect(page.locator(".headline")).to_contain_text("【Fenghuo】Red warning 2026-11-000123")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.screenshot(path=pictures / "preview-narrow.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
