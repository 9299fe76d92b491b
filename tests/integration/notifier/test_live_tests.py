"""A live test from the door by the real ledger, gateway and mail server to the answers."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from typer.testing import CliRunner

from services.drill.cli.rosters import app as commands
from services.notifier.api.live_tests import live_tests_router
from services.notifier.app.rules import Book
from services.notifier.app.take_test_answers import take_test_answers
from services.notifier.app.watch_live_tests import watch_live_tests
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.access.links import read_acknowledgement
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Settlement
from shared.contracts.values import Actor, ActorKind
from shared.embedded.processes import free_port
from shared.kafka.outcome import DONE
from shared.runtime.metrics import LIVE_TEST_UNANSWERED
from shared.runtime.problems import install_problem_handlers
from tests.integration.notifier.desk import CLOCK, IDS, SECRET, Desk
from tests.support.sink import Sink


async def _door(desk: Desk, *scopes: Scope) -> httpx.AsyncClient:
    keys = KeyStore(desk.database, b"pepper")
    app = FastAPI()
    app.include_router(live_tests_router(desk.rules.rosters, desk.database, IDS, reader(keys, CLOCK, Scope.ROSTER)))
    install_problem_handlers(app)
    key = await keys.issue(org="demo", scopes=scopes, label="值班长")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers={"authorization": f"Bearer {key}"}
    )


async def _request(desk: Desk, case: UUID) -> Event[NotificationRequestedV1]:
    rows = await desk.rows("SELECT value FROM outbox WHERE topic = 'notifications-requested' ORDER BY seq")
    assert len(rows) == 1
    data = NotificationRequestedV1.model_validate_json(bytes(rows[0]["value"]))
    return Event(IDS.new(), "/fenghuo/notifier", CLOCK.now(), "demo", case, data)


def _answer(case: UUID, plan: str, person: str, at: datetime, org: str = "demo") -> Event[CommandIssuedV1]:
    command = CommandIssuedV1(
        command=CommandKind.ACKNOWLEDGE, actor=Actor(kind=ActorKind.LINK, ref=person), issued_at=at, plan=plan
    )
    return Event(IDS.new(), "/fenghuo/intake", at, org, case, command)


async def test_everybody_asked_is_told_with_a_link_and_answers_are_timed(desk: Desk, sink: Sink) -> None:
    http = await _door(desk, Scope.ROSTER)
    made = await http.post("/v1/roster/live-tests", json={"role": "everybody", "wait_s": 600})
    assert made.status_code == 201, made.text
    test = made.json()
    case = UUID(test["test_id"])
    request = await _request(desk, case)
    assert await desk.accept(request) == [DONE]

    async def both_delivered() -> bool:
        settled = [one for one in await desk.settlements() if one.settlement is Settlement.DELIVERED]
        return {one.person for one in settled} == {"manager-a", "manager-b"}

    await desk.eventually(both_delivered, what=lambda: "two deliveries")
    texts = [one["text"] for one in sink.messages()]
    assert all(one.startswith("【测试】") and test["number"] in one for one in texts)
    links = [read_acknowledgement(one.rsplit("/a/", 1)[1].split()[0], SECRET, CLOCK.now()) for one in texts]
    one = next(link for link in links if link.person == "manager-b")
    assert one.case_id == case

    at = datetime.fromisoformat(test["asked_at"]) + timedelta(milliseconds=42)
    answer = _answer(one.case_id, one.plan, one.person, at)
    later = _answer(one.case_id, one.plan, one.person, at + timedelta(seconds=5))
    foreign = _answer(one.case_id, one.plan, "manager-a", at, org="other")
    stranger = _answer(one.case_id, one.plan, "mail-only", at)
    other_plan = _answer(one.case_id, "telecom-service-quality", "manager-a", at)
    for batch in ([answer, foreign, stranger, other_plan], [later, answer]):
        assert set(await take_test_answers(batch, database=desk.database)) == {DONE}
    shown = (await http.get(f"/v1/roster/live-tests/{case}")).json()
    assert [(one["person"], one["answered_after_s"]) for one in shown["people"]] == [
        ("manager-a", None),
        ("manager-b", 0.042),
    ]
    assert (shown["unanswered"], shown["over"]) == (["manager-a"], False)

    await desk.rows("UPDATE live_tests SET ends_at = asked_at + interval '50 milliseconds' RETURNING 1")
    assert (await http.get(f"/v1/roster/live-tests/{case}")).json()["over"]
    await watch_live_tests(book=_book(desk), database=desk.database, ids=IDS, every_days=0)
    assert LIVE_TEST_UNANSWERED.labels("demo")._value.get() == 1
    await http.aclose()


async def test_bad_wishes_and_keys_are_refused(still_desk: Desk) -> None:
    http = await _door(still_desk, Scope.ROSTER)
    for body in ({}, {"role": "head", "all": True}, {"person": "nobody"}, {"role": "empty"}, {"role": "x"}):
        assert (await http.post("/v1/roster/live-tests", json=body)).status_code == 422, body
    assert (await http.get(f"/v1/roster/live-tests/{IDS.new()}")).status_code == 404
    await http.aclose()
    reading = await _door(still_desk, Scope.READ)
    assert (await reading.post("/v1/roster/live-tests", json={"all": True})).status_code == 403
    await reading.aclose()
    assert await still_desk.rows("SELECT 1 FROM outbox") == []


def _book(desk: Desk) -> Book:
    class _Book:
        of = staticmethod(desk.rules.rosters.of)

        @staticmethod
        def organisations() -> tuple[str, ...]:
            return ("demo",)

    return cast("Book", _Book())


async def test_the_command_lists_who_did_not_answer_and_fails(
    still_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = await _door(still_desk, Scope.ROSTER)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(cast("Any", http)._transport.app, port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # the server has no event to wait for
        await asyncio.sleep(0.01)
    monkeypatch.setenv("FENGHUO_NOTIFIER_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("FENGHUO_API_KEY", http.headers["authorization"].removeprefix("Bearer "))
    result = await asyncio.to_thread(
        CliRunner().invoke, commands, ["live-test", "--person", "mail-only", "--wait", "1s", "--json"]
    )
    server.should_exit = True
    await serving
    await http.aclose()
    assert result.exit_code == 1, result.output
    assert json.loads(result.output)["unanswered"] == ["mail-only"]
