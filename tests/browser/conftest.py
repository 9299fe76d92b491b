"""Fixtures of the tests that open the console in Chromium."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from shared.db.engine import Database
from tests.support.broker import Broker
from tests.support.console import (
    RunningConsole,
    console_database,
    console_url,
    create_user,
    running_console,
)

__all__ = ["console_database", "console_url"]


@pytest.fixture
def chromium() -> str:
    """Path of Chromium; the test is skipped where there is none."""
    found = os.environ.get("FENGHUO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    return found


@pytest.fixture
def console_env() -> dict[str, str]:
    """Settings of the console beside the usual ones; a file of tests may have its own."""
    return {}


@pytest.fixture
async def console(  # noqa: PLR0917  # fixtures are asked for by name
    chromium: str,
    console_url: str,
    console_database: Database,
    broker: Broker,
    topic_prefix: str,
    tmp_path: Path,
    console_env: dict[str, str],
) -> AsyncIterator[RunningConsole]:
    await create_user(console_database)
    started = running_console(console_url, broker, topic_prefix, tmp_path / "console.log", console_env)
    with started as running:
        yield running


@pytest.fixture
async def page(chromium: str) -> AsyncIterator[Page]:
    """A page of a fresh browser; the test fails when the browser complained about anything."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = await browser.new_page(viewport={"width": 1440, "height": 900})
        opened.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        await browser.close()
    assert complaints == []
