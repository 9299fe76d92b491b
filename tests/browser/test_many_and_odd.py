"""The console on a bad day: five hundred open cases, words nobody expected, no mouse, no wish for motion."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from shared.contracts.values import MAX_NARRATIVE
from shared.db.engine import Database
from tests.browser.test_console import pictures, sign_in
from tests.support.console import (
    IDS,
    RunningConsole,
    console_database,
    create_escalated,
    create_event,
    create_report,
    create_story,
    project,
)

__all__ = ["console_database", "pictures"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PHONE: Final = {"width": 390, "height": 844}
ODD: Final = {
    "right-to-left": "انقطاع الإنترنت في الحي (12) منذ الساعة 9:00!",
    "one-word": ("Verkehrsinfrastrukturfinanzierung" * 10)[:300],
    "chinese": ("整片区域的宽带与移动业务同时中断且客户无法通过热线报障" * 12)[:300],
    "emoji": "👩‍🚒🏳️‍🌈" * 30,
}
DIRECTION: Final = "one => getComputedStyle(one).direction"


async def width_of(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth"))


async def fits(page: Page, picture: Path) -> None:
    """Nothing is wider than a screen of a desk or of a phone."""
    await page.screenshot(path=picture.with_suffix(".desk.png"))
    assert await width_of(page) <= 1440
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    await page.screenshot(path=picture.with_suffix(".phone.png"))
    assert await width_of(page) <= PHONE["width"]
    await page.set_viewport_size({"width": 1440, "height": 900})


async def test_five_hundred_open_cases_are_all_there_and_live(
    console: RunningConsole, console_database: Database, page: Page, pictures: Path
) -> None:
    now = datetime.now(UTC)
    events: list[Any] = []
    for number in range(500):
        level = ("yellow", "orange", "red")[number % 3]
        events += create_story(f"2026-11-{number:06}", level, at=now - timedelta(seconds=number))
    for start in range(0, len(events), 500):
        await project(console_database, events[start : start + 500])
    await sign_in(page, console)
    await expect(page.locator(".total b").first).to_have_text("500")
    await expect(page.locator(".case")).to_have_count(200)
    await page.get_by_role("link", name="再显示 200 件").click()
    await expect(page.locator(".case")).to_have_count(400)
    await page.get_by_role("link", name="再显示 200 件").click()
    await expect(page.locator(".case")).to_have_count(500)
    await project(console_database, create_story("2026-11-000900", "red", at=datetime.now(UTC)))
    await expect(page.locator(".case")).to_have_count(501, timeout=20_000)
    await fits(page, pictures / "many")


async def test_no_case_at_all_says_so(console: RunningConsole, page: Page, pictures: Path) -> None:
    await sign_in(page, console)
    await expect(page.locator("main")).to_contain_text("此处没有案件")
    await fits(page, pictures / "none")


async def test_words_nobody_expected_fit_board_and_case(
    console: RunningConsole, console_database: Database, page: Page, pictures: Path
) -> None:
    now = datetime.now(UTC)
    cases = {}
    for nth, (name, title) in enumerate(ODD.items()):
        number, cases[name] = f"2026-11-00000{nth}", IDS.new()
        narrative = (title * MAX_NARRATIVE)[:MAX_NARRATIVE]
        facts = {"line": "network", "remark": title, "list": [title[:100]] * 5}
        report = create_report(number, now, title=title, narrative=narrative, topic=title[:100], facts=facts)
        shown = create_escalated(number, "red", now, title=title, topic=title[:100], because=title, decided_by=None)
        await project(console_database, [create_event(one, cases[name]) for one in (report, shown)])
    await sign_in(page, console)
    for name, title in ODD.items():
        heading = page.locator(".case h2 a bdi", has_text=title[:30])
        assert await heading.evaluate(DIRECTION) == ("rtl" if name == "right-to-left" else "ltr")
    await fits(page, pictures / "odd-board")
    for name in ODD:
        await page.goto(f"{console.url}/cases/{cases[name]}")
        towards = "rtl" if name == "right-to-left" else "ltr"
        assert await page.locator("h1").evaluate(DIRECTION) == towards
        narrative_shown = page.locator(".narrative")
        assert await narrative_shown.evaluate(DIRECTION) == towards
        assert await narrative_shown.evaluate("one => one.clientHeight") <= 900, "it scrolls in a place of its own"
        await fits(page, pictures / f"odd-{name}")


async def test_a_case_is_acknowledged_without_a_mouse(
    console: RunningConsole, console_database: Database, page: Page
) -> None:
    await project(console_database, create_story("2026-11-000001", "red", at=datetime.now(UTC)))
    await sign_in(page, console)
    await page.reload()
    await page.keyboard.press("Tab")
    assert await focused(page) == "跳到正文"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    seen = [await press_tab(page) for _ in range(7)]
    assert all(outline for _, outline in seen), seen
    assert any("2026-11-000001" in text for text, _ in seen), seen
    await page.locator(".case h2 a").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="全程记录")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    reached = [(await press_tab(page))[0] for _ in range(40)]
    assert "确认接手" in reached, reached


async def test_who_wants_less_motion_gets_none(console: RunningConsole, console_database: Database, page: Page) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await sign_in(page, console)
    await project(console_database, create_story("2026-11-000001", "red", at=datetime.now(UTC)))
    await expect(page.locator(".case")).to_have_count(1, timeout=20_000)
    moving = (
        "document.getAnimations().length + [...document.querySelectorAll('*')]"
        ".map(one => getComputedStyle(one))"
        ".filter(one => one.animationName !== 'none' || parseFloat(one.transitionDuration) > 0).length"
    )
    assert await page.evaluate(moving) == 0


async def focused(page: Page) -> str:
    return str(await page.evaluate("(document.activeElement.innerText || document.activeElement.name || '').trim()"))


async def press_tab(page: Page) -> tuple[str, bool]:
    """What has the focus after one more press of the key, and whether it is seen to have it."""
    await page.keyboard.press("Tab")
    outlined = await page.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement);"
        " return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; })()"
    )
    return await focused(page), bool(outlined)
