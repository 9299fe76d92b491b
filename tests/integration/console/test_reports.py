"""Registered reports over the API: in order, page by page, of the caller's organisation only."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.access.api_keys import Scope
from shared.db.engine import Database
from tests.support.console import IDS, create_console, create_event, create_key, create_report, project

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
async def api(console_url: str, console_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_console(console_url))
    key = await create_key(console_database, Scope.READ)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://console.example", headers=headers) as client:
        yield client


async def some(database: Database) -> None:
    """Five cases of which two were reported in the same instant, the first one twice, and another organisation's."""
    first = IDS.new()
    events = [create_event(create_report("N-1", NOON), first)]
    events += [create_event(create_report(f"N-{n}", NOON + timedelta(hours=min(n, 4))), IDS.new()) for n in range(2, 6)]
    events.append(create_event(create_report("N-1", NOON + timedelta(hours=9), sequence=2), first))
    events.append(create_event(create_report("X-1", NOON + timedelta(hours=2)), IDS.new(), org="other"))
    await project(database, events[::-1])


async def pages(api: httpx.AsyncClient, **query: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    after: dict[str, Any] = {}
    while True:
        answer = await api.get("/v1/reports", params={**query, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append(page["reports"])
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 1000])
async def test_pages_of_any_size_give_every_report_once_and_in_order(
    api: httpx.AsyncClient, console_database: Database, limit: int
) -> None:
    await some(console_database)
    found = await pages(api, limit=limit)
    assert all(len(page) == limit for page in found[:-1])
    reports = [report for page in found for report in page]
    told = [(report["body"]["number"], report["sequence"]) for report in reports]
    assert sorted(told) == [("N-1", 1), ("N-1", 2), ("N-2", 1), ("N-3", 1), ("N-4", 1), ("N-5", 1)]
    moments = [datetime.fromisoformat(report["received_at"]) for report in reports]
    assert moments == sorted(moments)
    assert reports[0]["case_id"] == reports[-1]["case_id"]
    assert reports[0]["body"]["facts"] == {"line": "network", "customers_affected": 12000}


async def test_a_span_holds_its_beginning_and_not_its_end(api: httpx.AsyncClient, console_database: Database) -> None:
    await some(console_database)
    span = {"from": (NOON + timedelta(hours=2)).isoformat(), "to": (NOON + timedelta(hours=4)).isoformat()}
    found = await pages(api, limit=1, **span)
    assert [page[0]["body"]["number"] for page in found] == ["N-2", "N-3"]


async def test_another_organisation_sees_nothing(api: httpx.AsyncClient, console_database: Database) -> None:
    await some(console_database)
    key = await create_key(console_database, Scope.READ, org="third")
    answer = await api.get("/v1/reports", headers={"Authorization": f"Bearer {key}"})
    assert answer.json() == {"reports": [], "next": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "query.limit"),
        ({"limit": "1001"}, "query.limit"),
        ({"from": "yesterday"}, "query.from"),
        ({"from": "2026-11-22T00:00:00"}, "query.from"),
        ({"to": "x"}, "query.to"),
        ({"from": "2026-11-22T00:00:00Z", "to": "2026-11-22T00:00:00Z"}, "query.to"),
        ({"after": "AAAA"}, "query.after"),
        ({"after": "WzEsMiwzXQ=="}, "query.after"),
    ],
)
async def test_a_bad_question_names_the_field(api: httpx.AsyncClient, query: dict[str, str], field: str) -> None:
    answer = await api.get("/v1/reports", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
