"""The JSON API as other systems get it, without its process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shared.access.api_keys import Scope
from shared.contracts.classifications import Answers, Holds, sign_of
from shared.db.engine import Database
from tests.support.console import (
    IDS,
    create_classified,
    create_console,
    create_escalated,
    create_event,
    create_key,
    create_story,
    project,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
READS = [
    "/v1/cases",
    "/v1/board",
    "/v1/cases/N-1",
    "/v1/cases/N-1/explain",
    "/v1/reports",
    "/v1/board/stream",
    "/v1/events/stream",
]


@pytest.fixture
async def api(console_url: str, console_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_console(console_url))
    async with httpx.AsyncClient(transport=transport, base_url="http://console.example") as client:
        yield client


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("path", [*READS, "/v1/dead-letters"])
async def test_without_a_genuine_key_nothing_is_answered(api: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, bearing("fh_00000000_" + "x" * 43), bearing("é"), {"Authorization": "Basic eDp5"}):
        answer = await api.get(path, headers=[(name.encode(), value.encode()) for name, value in headers.items()])
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        *(("GET", path, Scope.READ) for path in READS),
        ("POST", "/v1/cases/N-1/commands", Scope.COMMAND),
        ("GET", "/v1/dead-letters", Scope.OPERATE),
        ("POST", "/v1/dead-letters/0194d6b2-0000-7000-8000-000000000000/replay", Scope.OPERATE),
    ],
)
async def test_a_key_opens_only_what_its_scopes_name(
    api: httpx.AsyncClient, console_database: Database, method: str, path: str, scope: Scope
) -> None:
    others = [other for other in Scope if other is not scope]
    key = await create_key(console_database, *others)
    answer = await api.request(method, path, headers=bearing(key), json={"command": "acknowledge"})
    assert answer.status_code == 403
    assert scope.value in answer.json()["title"]


async def test_a_case_is_found_by_number_and_by_id_and_explains_itself(
    api: httpx.AsyncClient, console_database: Database
) -> None:
    events = create_story("2026-11-000007", "red", at=NOON)
    await project(console_database, events)
    headers = bearing(await create_key(console_database, Scope.READ))
    listed = (await api.get("/v1/cases", params={"q": "000007"}, headers=headers)).json()["cases"]
    assert [(case["number"], case["level_label"], case["severity"]) for case in listed] == [
        ("2026-11-000007", "红色预警", 4)
    ]
    for wanted in ("2026-11-000007", str(events[0].case_id)):
        case = (await api.get(f"/v1/cases/{wanted}", headers=headers)).json()
        assert case["case_id"] == str(events[0].case_id)
        assert len(case["timeline"]) == 6
        why = (await api.get(f"/v1/cases/{wanted}/explain", headers=headers)).json()
        chain = why["plans"][0]
        assert why["event"]["reference"] == "CC-2026-11-000007"
        assert chain["criterion"]["values"] == {"line": "network", "customers_affected": 62000}
        assert chain["plan"]["sha256"] == events[2].data.plan.sha256
        assert {one["result"] for one in chain["criteria"]} == {"held", "not-known"}
        assert [clock["id"] for clock in chain["clocks"]] == ["publish-warning", "cause-and-plan"]
        assert [(one["person_label"], one["settlement"]) for one in chain["told"]] == [("业务接口人甲", "delivered")]
        assert chain["acknowledgement"] is None


async def test_another_organisations_case_does_not_exist(api: httpx.AsyncClient, console_database: Database) -> None:
    case = IDS.new()
    await project(console_database, [create_event(create_escalated("N-1", "red", NOON), case, org="other")])
    headers = bearing(await create_key(console_database))
    assert (await api.get("/v1/cases", headers=headers)).json()["cases"] == []
    for path in (f"/v1/cases/{case}", "/v1/cases/N-1/explain"):
        assert (await api.get(path, headers=headers)).status_code == 404
    answer = await api.post(f"/v1/cases/{case}/commands", headers=headers, json={"command": "acknowledge"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "query.limit"),
        ({"limit": "x"}, "query.limit"),
        ({"state": "nonsense"}, "query.state"),
        ({"level": "RED!"}, "query.level"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"q": "a\x00"}, "query.q"),
        ({"kind": "none"}, "query.kind"),
    ],
)
async def test_a_bad_question_names_the_field(
    api: httpx.AsyncClient, console_database: Database, query: dict[str, str], field: str
) -> None:
    answer = await api.get("/v1/cases", params=query, headers=bearing(await create_key(console_database)))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"command": "fly"}',
        b'{"command": "comment", "more": 1}',
        b"\xff\xfe",
        b'{"command": "comment", "reason": "\\ud800"}',
        b'{"command": "comment", "arguments": {"a": NaN}}',
    ],
)
async def test_a_bad_command_is_refused_whatever_its_bytes(
    api: httpx.AsyncClient, console_database: Database, body: bytes
) -> None:
    headers = bearing(await create_key(console_database)) | {"content-type": "application/json"}
    answer = await api.post("/v1/cases/N-1/commands", headers=headers, content=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_command_says_when_intake_is_away(api: httpx.AsyncClient, console_database: Database) -> None:
    case = IDS.new()
    await project(console_database, [create_event(create_escalated("N-1", "red", NOON), case)])
    headers = bearing(await create_key(console_database))
    answer = await api.post("/v1/cases/N-1/commands", headers=headers, json={"command": "acknowledge"})
    assert answer.status_code == 503
    assert "intake does not answer" in answer.json()["title"]


async def test_the_database_being_away_is_a_503_not_a_500() -> None:
    app = create_console("postgresql://nobody@127.0.0.1:1/nowhere")
    transport: Any = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://console.example") as client:
        answer = await client.get("/v1/cases", headers=bearing("fh_00000000_" + "x" * 43))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_event_with_answers_only_is_explained_as_fully_as_one_with_the_plans_words(
    api: httpx.AsyncClient, console_database: Database
) -> None:
    whole, short = create_classified("N-1", "red", NOON), create_classified("N-2", "orange", NOON)
    values = {name: value for one in short.criteria for name, value in one.values.items() if value is not None}
    signs = "".join(sign_of(one.result) for one in short.criteria)
    told = short.model_copy(
        update={
            "criteria": tuple(one for one in short.criteria if one.result is Holds.HELD),
            "answers": Answers(results=signs, values=values),
        }
    )
    case, headers = IDS.new(), bearing(await create_key(console_database, Scope.READ))
    await project(console_database, [create_event(told, case)])

    async def shown() -> list[dict[str, Any]]:
        answer = (await api.get(f"/v1/cases/{case}", headers=headers)).json()
        [one] = answer["classifications"]["telecom-service-quality"]
        assert "answers" not in one
        found: list[dict[str, Any]] = one["criteria"]
        return found

    assert [one["result"] for one in await shown()] == ["held", "held"]
    await project(console_database, [create_event(whole, IDS.new(), org="other")])
    got = [(one["id"], one["result"], one["values"], one["when"], one["label"]) for one in await shown()]
    wanted = [
        (one["id"], one["result"], one["values"], one["when"], one["label"])
        for one in short.model_dump(mode="json")["criteria"]
    ]
    assert got == wanted
