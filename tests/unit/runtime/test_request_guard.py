"""What no door can use is refused before any door sees it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from shared.runtime.problems import install_problem_handlers
from shared.runtime.request_guard import install_request_guard

LARGEST = 100


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app)
    install_request_guard(app, largest_body=LARGEST)

    @app.post("/json")
    async def take(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.put("/text")
    async def read(request: Request) -> dict[str, Any]:
        return {"text": (await request.body()).decode("latin-1")}

    @app.get("/words/{word}")
    async def say(word: str, other: str = "") -> dict[str, str]:
        return {"word": word, "other": other}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as made:
        yield made


async def test_what_is_in_order_reaches_its_door(client: httpx.AsyncClient) -> None:
    assert (await client.post("/json", json={"烽": [1, "火"]})).json() == {"烽": [1, "火"]}
    assert (await client.put("/text", content=b"\x00\xff")).json() == {"text": "\x00\xff"}
    assert (await client.get("/words/%E7%83%BD", params={"other": "%"})).json() == {"word": "烽", "other": "%"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"a": 1, "a": 2}', "a"),
        (b'{"a": {"b": "\\u0000"}}', "a.b"),
        (b'{"a": "\\ud800"}', "a"),
        (b'{"a": NaN}', "body"),
        (b'{"a": 1e999}', "body"),
        (b'{"a": ', "body"),
        (b"\xff", "body"),
        (b"[" * 99, "body"),
    ],
)
async def test_json_that_cannot_be_kept_is_refused_by_name(client: httpx.AsyncClient, body: bytes, field: str) -> None:
    for content_type in ("application/json", "application/problem+JSON; charset=utf-8"):
        answer = await client.post("/json", content=body, headers={"content-type": content_type})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_body_that_is_too_large_is_refused_however_it_is_sent(client: httpx.AsyncClient) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGEST):
            yield b"xx"

    whole = json.dumps({"a": "x" * LARGEST}).encode()
    for content in (whole, in_pieces()):
        answer = await client.put("/text", content=content)
        assert answer.status_code == 413
        assert answer.json()["errors"] == [{"field": "body", "detail": f"at most {LARGEST} bytes"}]
    lying = await client.put("/text", content=b"x", headers={"content-length": "9" * 400})
    assert lying.status_code == 413


async def test_an_address_with_a_nul_leads_nowhere(client: httpx.AsyncClient) -> None:
    assert (await client.get("/words/a%00b")).status_code == 404
    answer = await client.get("/words/a?other=a%00b")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.other")


async def test_a_form_with_a_nul_is_refused_by_name(client: httpx.AsyncClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.put("/text", content=b"a=1&b=%00", headers=form)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "b")
    assert (await client.put("/text", content=b"a=1&b=%25", headers=form)).status_code == 200
