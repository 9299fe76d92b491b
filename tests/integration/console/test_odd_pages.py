"""Every page and form of the console, asked for what nobody should ask: an answer, and never an error of ours."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.db.engine import Database
from tests.support.console import PASSWORD, create_console, create_story, create_user, project

_TOKEN: Final = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
_FORM: Final = "application/x-www-form-urlencoded"
_WORDS: Final = ("%00", "%FF", "%ud800", "x" * 3000, "%F0%9F%94%A5", "-1", "2026-11-000001", "'", "[/x]", "{{7*7}}")
_QUERIES: Final = ("%00", "%ff", "", "9" * 40, "-1", "NaN", "x" * 5000, "//evil.example.org", "%0d%0aset-cookie:a=b")
_NAMES: Final = (
    "q", "state", "level", "plan", "sort", "page", "after", "before", "limit", "next", "back", "lang", "theme", "done",
    "open", "channel", "purpose", "language", "days", "role",
)  # fmt: skip
_FIELDS: Final = (
    "command", "reason", "plan", "person", "contact", "code", "name", "password", "next", "to_level", "clock",
    "minutes", "milestone", "into", "actor", "by", "argument", "revision",
)  # fmt: skip


def _pages(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every page and form; the streams under /live answer for ever and are left out."""
    found: list[tuple[str, str]] = []

    def walk(routes: list[Any]) -> None:
        for route in routes:
            if isinstance(route, APIRoute) and not route.path.startswith(("/v1/", "/live/")):
                found.extend((method, route.path) for method in route.methods or ())
            elif original := getattr(route, "original_router", None):
                walk(original.routes)

    walk(app.routes)
    return found


@pytest.fixture
async def visited(console_url: str, console_database: Database) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The console with one case, and a browser that is signed in."""
    await create_user(console_database)
    await project(console_database, create_story("2026-11-000001", at=datetime.now(UTC)))
    app = create_console(console_url)
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://console.example") as client:
        token = _TOKEN.search((await client.get("/login")).text)
        assert token is not None
        form = {"csrf": token[1], "name": "admin", "password": PASSWORD, "next": "/"}
        assert (await client.post("/login", data=form)).status_code == 303
        yield app, client


def _check(answer: httpx.Response, what: object) -> None:
    assert answer.status_code < 500, (what, answer.status_code, answer.text[:300])
    assert "evil.example.org" not in answer.headers.get("location", ""), what
    assert "set-cookie:a=b" not in str(answer.headers), what


async def test_no_address_of_a_page_is_an_error(visited: tuple[FastAPI, httpx.AsyncClient]) -> None:
    app, client = visited
    pages = [path for method, path in _pages(app) if method == "GET"]
    assert len(pages) > 10
    for path in pages:
        for word in _WORDS if "{" in path else ("",):
            asked = re.sub(r"\{[^}]+\}", word, path)
            _check(await client.get(asked), asked)
        plain = re.sub(r"\{[^}]+\}", "2026-11-000001", path)
        for number, name in enumerate(_NAMES):
            query = f"{plain}?{name}={_QUERIES[number % len(_QUERIES)]}&{name}={_QUERIES[(number + 1) % len(_QUERIES)]}"
            _check(await client.get(query), query)


async def test_an_address_that_leads_nowhere_is_a_page_for_people_and_problem_details_for_programs(
    visited: tuple[FastAPI, httpx.AsyncClient],
) -> None:
    _, client = visited
    page = await client.get("/nothing-here", headers={"accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "没有这个页面" in page.text
    answer = await client.get("/nothing-here", headers={"accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_no_form_is_an_error(visited: tuple[FastAPI, httpx.AsyncClient]) -> None:
    app, client = visited
    found = _TOKEN.search((await client.get("/")).text)
    assert found is not None
    token = found[1]
    forms = [path for method, path in _pages(app) if method == "POST" and path not in {"/login", "/logout"}]
    assert len(forms) >= 3
    bodies = [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"&&==&",
        f"csrf={token}".encode(),
        b"csrf=" + b"x" * 100_000,
        b"&".join(b"a=1" for _ in range(100)),
        *(f"csrf={token}&{name}={odd}".encode() for name in _FIELDS for odd in ("%00", "%ff", "", "x" * 5000)),
        f"csrf={token}&command=acknowledge&reason=%F0%9F%94%A5".encode(),
        f"csrf={token}&command=nonsense".encode(),
    ]
    for path in forms:
        for word in ("2026-11-000001", "00000000-0000-7000-8000-000000000000", "%FF"):
            asked = re.sub(r"\{[^}]+\}", word, path)
            for body in bodies:
                answer = await client.post(asked, content=body, headers={"content-type": _FORM})
                # Intake is not there, and the page says so.
                assert answer.status_code < 500 or answer.status_code in {502, 503}, (asked, body[:80])
            _check(await client.post(asked, content=b"{}", headers={"content-type": "application/json"}), asked)


async def test_no_sign_in_form_is_an_error(visited: tuple[FastAPI, httpx.AsyncClient]) -> None:
    _, client = visited
    client.cookies.clear()
    for name, value in (("fenghuo_visitor", "x" * 3000), ("fenghuo_session", "%00"), ("fenghuo_lang", "xx")):
        client.cookies.set(name, value, domain="console.example")
        for path in ("/", "/login", "/login?next=//evil.example.org"):
            _check(await client.get(path), (name, path))
        for body in (b"", b"\xff", b"name=%00&password=1", b"name=" + b"x" * 70_000, b"csrf=%E7%83%BD&name=a"):
            _check(await client.post("/login", content=body, headers={"content-type": _FORM}), (name, body[:40]))
