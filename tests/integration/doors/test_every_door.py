"""Every door of every OpenAPI document: whatever comes in, the answer is a success or problem details with a name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.console.main import create_app as create_console
from services.console.settings import ConsoleSettings
from services.escalator.main import create_app as create_escalator
from services.escalator.settings import EscalatorSettings
from services.intake.main import create_app as create_intake
from services.notifier.main import create_app as create_notifier
from services.notifier.settings import NotifierSettings
from services.openapi import DESCRIBED
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.runtime.problems import MEDIA_TYPE
from tests.support.odd_requests import OddRequest, OddRequests
from tests.support.postgres import Database as OwnDatabase
from tests.support.postgres import PostgresServer
from tests.support.register import PEPPER, intake_settings

ROSTER: Final = Path(__file__).parents[1] / "notifier" / "roster.yaml"
_AT_ONCE: Final = 8
# What a name may be missing from: nothing of the request is wrong when it is about something that is not there.
_NAMELESS: Final = {401, 403, 404, 405, 409, 410, 413, 415, 429, 502, 503}


def _application(service: str, url: str, packs: Path) -> FastAPI:
    """As in production, with nothing behind it but its database."""
    common: dict[str, Any] = {"database_url": SecretStr(url), "key_pepper": SecretStr(PEPPER), "plans_dir": packs}
    match service:
        case "intake":
            return create_intake(intake_settings(url))
        case "notifier":
            return create_notifier(NotifierSettings(**common, link_secret=SecretStr("secret"), roster=ROSTER))
        case "escalator":
            return create_escalator(EscalatorSettings(**common))
        case _:
            secret, key = SecretStr("x" * 40), SecretStr("fh_00000000_" + "x" * 43)
            return create_console(
                ConsoleSettings(**common, session_secret=secret, intake_key=key, intake_url="http://127.0.0.1:1")
            )


@pytest.fixture(params=DESCRIBED)
async def door(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path: Path
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """An application without its process, and a client that may do everything. An unforeseen error raises."""
    service: str = request.param

    async def migrated(made: OwnDatabase) -> None:
        await asyncio.to_thread(migrate, service, made.url(service))

    made = await postgres.create(f"doors_{service}", migrated)
    database = Database.connect(made.url(service), application="fenghuo-test", pool_size=2)
    key = await KeyStore(database, PEPPER.encode()).issue(org="demo", scopes=list(Scope), label="test")
    await database.close()
    app = _application(service, made.url(service), tmp_path)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://door", headers=headers) as client:
        yield app, client
    await postgres.drop(made)


async def test_no_request_is_an_error_of_ours(door: tuple[FastAPI, httpx.AsyncClient]) -> None:
    app, client = door
    places = asyncio.Semaphore(_AT_ONCE)
    wrong: list[str] = []
    sent = 0

    async def send(odd: OddRequest) -> None:
        async with places:
            answer = await client.request(odd.method, odd.path, content=odd.body, headers=odd.headers)  # type: ignore[arg-type]  # raw header bytes
        told = _wrong(answer)
        if told is not None:
            wrong.append(f"{odd}: {answer.status_code} {told}")

    async with asyncio.TaskGroup() as group:
        for odd in OddRequests(app.openapi()):
            group.create_task(send(odd))
            sent += 1
    assert wrong == []
    assert sent > 5 * len(app.openapi()["paths"])


def _wrong(answer: httpx.Response) -> str | None:
    """What is wrong with an answer to a wrong request. An upstream that is not there may be told as such."""
    if answer.status_code in {502, 503} and answer.headers["content-type"] == MEDIA_TYPE:
        return None
    if answer.status_code >= 500:
        return answer.text
    if answer.status_code < 400:
        return None
    if answer.headers["content-type"] != MEDIA_TYPE:
        return f"is no problem details: {answer.text[:200]}"
    problem = answer.json()
    if answer.status_code not in _NAMELESS and not problem.get("errors"):
        return f"names no field: {problem}"
    return None
