"""The notifier's schema, its reading routes and its roster on disk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.notifier.main import create_app
from services.notifier.settings import NotifierSettings
from services.notifier.store.roster_files import RosterFiles
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.migrate import unmigrated_changes
from tests.integration.notifier.desk import ROSTER, Desk, request

PEPPER = "pepper-for-tests"


async def test_the_migrated_schema_equals_the_declared_tables(notifier_url: str) -> None:
    assert await asyncio.to_thread(unmigrated_changes, "notifier", notifier_url) is None


@pytest.fixture
def app(notifier_url: str) -> FastAPI:
    return create_app(
        NotifierSettings(
            database_url=SecretStr(notifier_url),
            key_pepper=SecretStr(PEPPER),
            link_secret=SecretStr("secret"),
            roster=ROSTER,
        )
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Without a lifespan: only the routes are asked."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier") as made:
        yield made


async def _key(desk: Desk, *scopes: Scope, org: str = "demo") -> dict[str, str]:
    text = await KeyStore(desk.database, PEPPER.encode()).issue(org=org, scopes=scopes, label="test")
    return {"authorization": f"Bearer {text}"}


async def test_a_case_shows_who_was_told_by_what_and_what_came_of_it(desk: Desk, client: httpx.AsyncClient) -> None:
    event = request("liaison", "empty")
    await desk.accept(event)
    await desk.settled("nobody", "sent", "delivered")

    answer = await client.get(f"/v1/cases/{event.case_id}/deliveries", headers=await _key(desk, Scope.READ))

    assert answer.status_code == 200
    [told] = answer.json()["requests"]
    assert told["nobody_told"] is False
    by_role = {intent["role"]: intent for intent in told["intents"]}
    assert by_role["empty"]["settlement"] == "nobody"
    liaison = by_role["liaison"]
    assert (liaison["settlement"], liaison["channel"]) == ("delivered", "sms")
    assert liaison["because"]["zh"] == "担任接口人"
    [attempt] = liaison["attempts"]
    assert attempt["address"] == "138****0001"
    assert attempt["outcome"]["answer"] == "accepted"
    assert [receipt["status"] for receipt in attempt["receipts"]] == ["delivered"]


async def test_a_request_that_reached_nobody_says_so(desk: Desk, client: httpx.AsyncClient) -> None:
    event = request("empty")
    await desk.accept(event)
    await desk.settled("nobody")

    answer = await client.get(f"/v1/cases/{event.case_id}/deliveries", headers=await _key(desk, Scope.READ))
    assert [told["nobody_told"] for told in answer.json()["requests"]] == [True]


async def test_another_organisation_sees_nothing(desk: Desk, client: httpx.AsyncClient) -> None:
    event = request("empty")
    await desk.accept(event)
    headers = await _key(desk, Scope.READ, org="another")

    answer = await client.get(f"/v1/cases/{event.case_id}/deliveries", headers=headers)
    duty = await client.get("/v1/roster/on-duty", params={"role": "liaison"}, headers=headers)

    assert answer.json()["requests"] == []
    assert duty.status_code == 404


async def test_who_is_on_duty_and_why(desk: Desk, client: httpx.AsyncClient) -> None:
    headers = await _key(desk, Scope.READ)
    answer = await client.get("/v1/roster/on-duty", params={"role": "everybody"}, headers=headers)
    whole = await client.get(
        "/v1/roster/on-duty", params={"role": "liaison"}, headers=await _key(desk, Scope.READ, Scope.OPERATE)
    )

    people = answer.json()["on_duty"]
    assert [person["person"] for person in people] == ["manager-a", "manager-b"]
    assert people[0]["contacts"]["sms-1"] == "138****0001"
    assert whole.json()["on_duty"][0]["contacts"]["sms-1"] == "13800000001"


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"role": "nothing-such"}, 404, "role"),
        ({"role": "Not A Role"}, 422, "query.role"),
        ({}, 422, "query.role"),
        ({"role": "liaison", "at": "2026-11-22T09:00:00"}, 422, "query.at"),
    ],
)
async def test_bad_questions_are_problems_that_name_the_field(
    desk: Desk, client: httpx.AsyncClient, query: dict[str, str], status: int, field: str
) -> None:
    answer = await client.get("/v1/roster/on-duty", params=query, headers=await _key(desk, Scope.READ))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


async def test_without_a_key_or_without_the_scope_nothing_is_read(desk: Desk, client: httpx.AsyncClient) -> None:
    path = "/v1/roster/roles"
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers={"authorization": "Bearer fh_nonsense"})).status_code == 401
    assert (await client.get(path, headers=await _key(desk, Scope.REPORT))).status_code == 403
    assert (await client.get(path, headers=await _key(desk, Scope.READ))).json()["roles"][0] == "liaison"


async def test_a_changed_roster_comes_into_force_and_a_broken_one_does_not(tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    good = ROSTER.read_text()
    file.write_text(good)
    rosters = RosterFiles(file)
    rosters.load()
    before = rosters.of("demo")
    assert not rosters.reload()
    assert rosters.of("demo") is before

    file.write_text(good.replace("{person: manager-a}", "{person: nobody-known}", 1))
    assert not rosters.reload()
    assert rosters.of("demo") is before
    problem = await rosters.probe()
    assert problem is not None
    assert "roster.yaml:36: roles.0.duty.0.person (role liaison 接口人 / Liaison): there is no" in problem

    file.write_text(good.replace("13800000001", "13800000077"))
    assert rosters.reload()
    changed = rosters.of("demo")
    assert changed is not None
    assert changed.people["manager-a"].contacts[0].to == "13800000077"
    assert await rosters.probe() is None

    file.unlink()
    assert not rosters.reload()
    assert "cannot be read" in (await rosters.probe() or "")
    assert rosters.of("demo") is changed
