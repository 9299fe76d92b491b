"""The console as a person sees it: sign in, live board, case page; no error and no violation of the page's policy."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from shared.contracts.escalations import CaseState
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from tests.support.console import (
    PASSWORD,
    RunningConsole,
    create_escalated,
    create_event,
    create_story,
    project,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def sign_in(page: Page, console: RunningConsole) -> None:
    await page.goto(console.url)
    await page.get_by_label("用户名").fill("admin")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("#board")).to_be_visible()
    await expect(page.locator("#live-state")).to_have_text("实时", timeout=20_000)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: FENGHUO_SCREENSHOTS, else the test's own directory."""
    directory = Path(os.environ.get("FENGHUO_SCREENSHOTS") or tmp_path / "screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


async def test_the_board_is_live_and_leads_to_the_reasons(
    console: RunningConsole, console_database: Database, page: Page, pictures: Path
) -> None:
    now = datetime.now(UTC)
    await project(console_database, create_story("2026-11-000001", "yellow", at=now - timedelta(minutes=1)))
    await sign_in(page, console)
    await expect(page.locator(".case")).to_have_count(1)

    story = create_story("2026-11-000002", "red", at=now)
    await project(console_database, story)
    await expect(page.locator(".case")).to_have_count(2, timeout=10_000)
    first = page.locator(".case").first
    await expect(first).to_contain_text("2026-11-000002")
    await expect(first).to_contain_text("红色预警")
    await expect(first).to_contain_text("超过 50000 户")
    await expect(first.locator(".told")).to_contain_text(["业务接口人甲"])

    count = first.locator(".c-tier .count")
    before = await count.inner_text()
    await expect(count).not_to_have_text(before, timeout=5_000)
    await page.screenshot(path=pictures / "board.png")

    await first.get_by_role("link").first.click()
    await expect(page.get_by_role("heading", name="全程记录")).to_be_visible()
    held = page.locator(".criteria tr.decided")
    await expect(held).to_contain_text("成立")
    await expect(held).to_contain_text("62000")
    await expect(page.locator(".criteria tr.not-known")).to_contain_text("未知")
    await expect(page.get_by_role("button", name="确认接手")).to_be_visible()

    await expect(page.locator("#live-state")).to_have_text("实时", timeout=20_000)
    await page.get_by_label("理由或备注").fill("正在写的理由")
    acknowledged = create_escalated(
        "2026-11-000002",
        "red",
        now,
        revision=2,
        state=CaseState.ACKNOWLEDGED,
        acknowledged_by=Actor(kind=ActorKind.PERSON, ref="值班经理甲"),
        acknowledged_at=now,
    )
    await project(console_database, [create_event(acknowledged, story[0].case_id)])
    await expect(page.locator(".plan-card")).to_contain_text("值班经理甲 已确认", timeout=10_000)
    await expect(page.get_by_label("理由或备注")).to_have_value("正在写的理由")
    await expect(page.get_by_role("button", name="确认接手")).to_have_count(0)
    await expect(page.get_by_role("button", name="开始处理")).to_be_visible()
    await page.screenshot(path=pictures / "case.png", full_page=True)


async def test_what_takes_more_than_a_reason_has_a_form_of_its_own(
    console: RunningConsole, console_database: Database, page: Page, pictures: Path
) -> None:
    await project(console_database, create_story("2026-11-000001", "orange", at=datetime.now(UTC)))
    await sign_in(page, console)
    await page.goto(f"{console.url}/cases/2026-11-000001")
    await page.locator(".more-actions > summary", has_text="更多操作").click()
    split = page.locator("details", has=page.locator("input[value=split]")).last
    await split.locator("> summary").click()
    await expect(split.get_by_label("移走的事实")).to_be_visible()
    await split.get_by_role("button", name="拆分").click()
    # A reason is needed: the browser itself holds the form back.
    await expect(page).to_have_url(f"{console.url}/cases/2026-11-000001")
    await page.locator("details", has=page.locator("input[value=lower-level]")).last.locator("> summary").click()
    await expect(page.locator("[id$=lower-level-level]")).to_contain_text("黄色")
    await page.screenshot(path=pictures / "forms.png", full_page=True)


async def test_filters_stay_while_the_board_changes_under_them(
    console: RunningConsole, console_database: Database, page: Page
) -> None:
    now = datetime.now(UTC)
    await project(console_database, create_story("2026-11-000001", "yellow", at=now))
    await project(console_database, create_story("2026-11-000002", "red", at=now))
    await sign_in(page, console)
    await page.get_by_label("级别").select_option("red")
    await expect(page.locator(".case")).to_have_count(1)
    await project(console_database, create_story("2026-11-000003", "yellow", at=now))
    await expect(page.locator(".total b").first).to_have_text("3", timeout=10_000)
    await expect(page.locator(".case")).to_have_count(1)


async def test_every_page_opens_in_english_in_the_dark_and_on_a_phone(
    console: RunningConsole, console_database: Database, page: Page, pictures: Path
) -> None:
    await project(console_database, create_story("2026-11-000001", "orange", at=datetime.now(UTC)))
    await sign_in(page, console)
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("link", name="Dead letters")).to_be_visible()
    await page.get_by_role("link", name="Switch theme").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/messages", "/plans", "/dead-letters"):
        await page.goto(f"{console.url}{path}")
        await expect(page.locator("main")).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is wider than a phone"
        await page.screenshot(path=pictures / f"phone{path.replace('/', '-')}.png")
