"""A live test from the door by the real ledger, gateway and mail server to the answers."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from typer.testing import CliRunner

from services.drill.cli.rosters import app as commands
from services.notifier.api.live_tests import live_tests_router
from services.notifier.app.list_live_tests import list_live_tests
from services.notifier.app.rules import Book
from services.notifier.app.take_test_answers import take_test_answers
from services.notifier.app.watch_live_tests import watch_live_tests
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.access.links import read_acknowledgement
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.notifications import LIVE_TEST_PLAN, NotificationRequestedV1, Settlement
from shared.contracts.values import Actor, ActorKind
from shared.embedded.processes import free_port
from shared.kafka.outcome import DONE
from shared.runtime.metrics import LIVE_TEST_UNANSWERED
from shared.runtime.problems import install_problem_handlers
from tests.integration.notifier.desk import CLOCK, IDS, SECRET, Desk
from tests.support.clock import ManualClock
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


async def test_the_schedule_asks_once_a_day_and_the_owner_is_told_once_who_did_not_answer(
    notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]
) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    clock = ManualClock(datetime(2026, 11, 23, 9, 59, tzinfo=zone))
    desk = Desk(notifier_url, sink, receipts_url, clock=clock)
    desks.append(desk)
    found = desk.rules.rosters.of("demo")
    assert found is not None
    roster = replace(found, owner="clerk")

    class _Book:
        of = staticmethod(lambda _: roster)
        organisations = staticmethod(lambda: ("demo",))

    async def watch() -> int:
        book = cast("Book", _Book())
        return await watch_live_tests(book=book, database=desk.database, ids=IDS, every_days=1)

    async def requests() -> list[NotificationRequestedV1]:
        rows = await desk.rows("SELECT value FROM outbox WHERE topic = 'notifications-requested' ORDER BY seq")
        return [NotificationRequestedV1.model_validate_json(bytes(row["value"])) for row in rows]

    assert await watch() == 0
    clock.set(datetime(2026, 11, 23, 10, 0, tzinfo=zone))
    assert [await watch(), await watch()] == [1, 0]
    [test] = (await list_live_tests("demo", 5, database=desk.database))[0][:1]
    assert {one.person for one in test.answers} == set(roster.people) - {"on-leave"}
    assert set((await requests())[0].people) == {one.person for one in test.answers}

    in_time, late = clock.now() + timedelta(minutes=2), clock.now() + timedelta(minutes=16)
    waiting = {one.person for one in test.answers} - {"manager-b", "broken-phone"}
    answers = [_answer(test.id, LIVE_TEST_PLAN, one, in_time) for one in waiting]
    answers.append(_answer(test.id, LIVE_TEST_PLAN, "manager-b", late))
    assert set(await take_test_answers(answers, database=desk.database)) == {DONE}
    clock.set(datetime(2026, 11, 23, 10, 14, 59, tzinfo=zone))
    await watch()
    assert len(await requests()) == 1, "there is time left to answer"

    clock.set(datetime(2026, 11, 23, 10, 16, tzinfo=zone))
    await watch()
    await watch()
    [_, told] = await requests()
    assert (told.roles, told.acknowledge) == (("clerk",), False)
    assert told.subject.title is not None
    assert f"联络测试{test.number}：6人中2人未按时确认" in told.subject.title
    assert told.subject.because == "手机坏者（broken-phone）、值班经理乙（manager-b）"
    assert told.subject.en is not None
    assert told.subject.en.because == "Somebody with a broken phone (broken-phone), Duty manager B (manager-b)"
    assert LIVE_TEST_UNANSWERED.labels("demo")._value.get() == 2
    listed = await list_live_tests("demo", 5, database=desk.database)
    assert [(one.made_by, one.unanswered(), over) for one, over in listed] == [
        ("schedule", ("broken-phone", "manager-b"), True)
    ]


async def test_the_last_tests_are_listed_with_who_is_missing_to_whoever_may_change_rosters(still_desk: Desk) -> None:
    http = await _door(still_desk, Scope.ROSTER)
    assert (await http.get("/v1/roster/live-tests")).json() == {"live_tests": []}
    for person in ("manager-a", "manager-b"):
        assert (await http.post("/v1/roster/live-tests", json={"person": person})).status_code == 201
    listed = (await http.get("/v1/roster/live-tests", params={"limit": 1})).json()["live_tests"]
    assert [(one["unanswered"], one["over"], one["made_by"]) for one in listed] == [(["manager-b"], False, "值班长")]
    assert (await http.get("/v1/roster/live-tests", params={"limit": 0})).status_code == 422
    await http.aclose()
    reading = await _door(still_desk, Scope.READ)
    assert (await reading.get("/v1/roster/live-tests")).status_code == 403
    await reading.aclose()
