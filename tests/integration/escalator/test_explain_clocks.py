"""A clock explains itself: what ran, what stood still, who changed it, which thresholds fired and which did not."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.escalator.api.clocks import clocks_router
from services.escalator.app.explain_clocks import ExplainClocks, explain_clocks
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.calendars.days import DayKind
from shared.calendars.library import CalendarLibrary
from shared.calendars.model import YearStatus
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ClockState
from shared.contracts.values import Actor, ActorKind
from shared.kafka.outcome import DONE
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, parse_plan
from shared.runtime.problems import install_problem_handlers
from tests.support.clock import ManualClock
from tests.support.escalations import at
from tests.support.escalator import Escalator, classification, create_escalator, order

ROOT = Path(__file__).resolve().parents[3]
CHINA = ROOT / "deploy" / "calendars"
RECEIVED = datetime(2026, 1, 26, 2, tzinfo=UTC)
CASE = UUID("019a0000-0000-7000-8000-000000000077")


async def test_a_clock_says_what_counted_what_stood_still_and_what_fired(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id, "orange"))
    for hours, command in ((1, CommandKind.START), (2, CommandKind.WAIT), (5, CommandKind.RESUME)):
        escalator.clock.set(at(hours=hours))
        await escalator.take(order(case_id, command, at(hours=hours), reason="等待鉴定"))
    escalator.clock.set(at(hours=16))
    await escalator.sweep()
    (explained,) = await explain_clocks(str(case_id), database=escalator.database, calendars=CalendarLibrary())
    clocks = {clock.id: clock for clock in explained.clocks}
    submit = clocks["submit"]
    assert submit.due_at == at(hours=27)
    assert (submit.gross, submit.stood_still) == (timedelta(hours=16), timedelta(hours=3))
    assert [(span.start, span.end, span.running) for span in submit.spans] == [
        (at(), at(hours=2), True),
        (at(hours=2), at(hours=5), False),
        (at(hours=5), at(hours=16), True),
    ]
    assert submit.spans[1].why == "等待鉴定"
    assert abs(submit.spent_share - 13 / 24) < 1e-9
    # Half of 24 hours lay behind after 15 hours on the wall; only the end is left.
    assert [(post.threshold, post.outcome, post.at) for post in submit.mileposts] == [
        ("50%", "fired", at(hours=15)),
        ("breach", "armed", at(hours=27)),
    ]
    assert submit.mileposts[0].late_by == timedelta(hours=1)
    respond = clocks["respond"]
    assert respond.state is ClockState.MET
    assert {post.outcome for post in respond.mileposts} == {"void"}
    assert await explain_clocks("2026-11-999999", database=escalator.database, calendars=CalendarLibrary()) == []
    by_number = await explain_clocks("2026-11-000001", database=escalator.database, calendars=CalendarLibrary())
    assert by_number == [explained]
    assert (
        await explain_clocks(str(case_id), database=escalator.database, calendars=CalendarLibrary(), org="org-b") == []
    )


async def test_thresholds_that_a_higher_one_spoke_for_say_so(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id))
    escalator.clock.set(at(hours=3))
    await escalator.sweep()
    (explained,) = await explain_clocks(str(case_id), database=escalator.database, calendars=CalendarLibrary())
    respond = next(clock for clock in explained.clocks if clock.id == "respond")
    assert [(post.threshold, post.outcome) for post in respond.mileposts] == [
        ("50%", "superseded"),
        ("-10m", "superseded"),
        ("breach", "fired"),
    ]


async def test_the_command_prints_the_same_for_people_and_for_machines(
    escalator: Escalator, escalator_url: str
) -> None:
    await escalator.take(classification(uuid4(), "orange"))
    command = (sys.executable, "-m", "services.command_line", "clocks", "explain", "2026-11-000001")
    for more, wanted in (((), "限期"), (("--json",), '"mileposts"')):
        done = subprocess.run(  # noqa: ASYNC221  # nothing else runs meanwhile
            [*command, "--database-url", escalator_url, *more],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert wanted in done.stdout
    found = json.loads(done.stdout)
    assert {clock["id"] for clock in found[0]["clocks"]} == {"respond", "submit", "finish"}
    missing = subprocess.run(  # noqa: ASYNC221  # as above
        [*command[:-1], "2026-11-000777", "--database-url", escalator_url],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert missing.returncode == 2
    assert "2026-11-000777" in missing.stderr


WORKING = """
plan: ladder-test
version: 1
title: {zh: 测试预案, en: Test plan}
timezone: Asia/Shanghai
calendar: china
applies: {kinds: [complaint], default: true}
levels: [{id: yellow, zh: 黄色, en: Yellow}]
facts: {people: {int: {min: 0}}}
criteria: [{id: y, level: yellow, when: people >= 1, label: {zh: 一人, en: one}}]
clocks:
  - id: reply
    label: {zh: 答复, en: Reply}
    from: received
    until: resolved
    limit: 15wd
    breach: notify
    extension: {approve_by: [head], by: 15wd, to: 60wd, count: 3}
tiers: [{id: first, zh: 一线, en: First, roles: [liaison], channels: [sms], acknowledge_within: 15m}]
"""


@pytest.fixture
async def working(escalator_url: str) -> AsyncIterator[Escalator]:
    """A replica whose plan counts working days, at the receipt of 26 January 2026."""
    plan = CompiledPlan.of(parse_plan(WORKING, "plan.yaml"))
    made = create_escalator(
        escalator_url, clock=ManualClock(RECEIVED), library=PlanLibrary([plan]), calendars=CalendarLibrary.load(CHINA)
    )
    first = classification(CASE, plan=plan.ref, when=RECEIVED, occurred_at=RECEIVED, received_at=RECEIVED)
    assert await made.take(first) == [DONE]
    yield made
    await made.database.close()


async def test_holidays_and_make_up_days_are_told_with_the_edition_they_come_from(working: Escalator) -> None:
    working.clock.set(datetime(2026, 2, 23, 2, tzinfo=UTC))
    (explained,) = await ExplainClocks(working.database, working.plans)(str(CASE))
    (reply,) = explained.clocks
    assert reply.due_at == datetime(2026, 2, 14, 16, tzinfo=UTC)
    assert reply.calendar is not None
    kinds = {(days.kind, days.first.isoformat(), days.numbers) for days in reply.days}
    assert (DayKind.MAKE_UP, "2026-02-14", (15, 15)) in kinds
    assert (DayKind.WEEKEND, "2026-02-07", None) in kinds
    assert {days.status for days in reply.days} == {YearStatus.PUBLISHED}
    assert reply.net < reply.gross == datetime(2026, 2, 23, 2, tzinfo=UTC) - RECEIVED
    # The day of the receipt does not count, and nobody works from 15 to 23 February.
    assert reply.net == sum((days.worked for days in reply.days if days.numbers), timedelta())


async def test_the_api_answers_those_who_may_read_with_who_extended_it(working: Escalator) -> None:
    boss = Actor(kind=ActorKind.PERSON, ref="head-a")
    asked = order(CASE, CommandKind.EXTENSION_REQUEST, RECEIVED, reason="案情复杂")
    granted = order(CASE, CommandKind.EXTENSION_APPROVE, RECEIVED, actor=boss, arguments={"role": "head"})
    assert await working.take(asked, granted) == [DONE, DONE]
    keys = KeyStore(working.database, b"pepper")
    app = FastAPI()
    app.include_router(clocks_router(ExplainClocks(working.database, working.plans), reader(keys, working.clock)))
    install_problem_handlers(app)
    right = await keys.issue(org="org-a", scopes=[Scope.READ], label="t")
    foreign = await keys.issue(org="org-b", scopes=[Scope.READ], label="t")
    weak = await keys.issue(org="org-a", scopes=[Scope.REPORT], label="t")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://escalator") as client:

        async def ask(key: str, case: str) -> httpx.Response:
            return await client.get(f"/v1/cases/{case}/clocks", headers={"authorization": f"Bearer {key}"})

        for case in (str(CASE), "2026-11-000001"):
            answer = await ask(right, case)
            assert answer.status_code == 200
            [reply] = answer.json()["cases"][0]["clocks"]
            [extension] = reply["extensions"]
            assert (extension["decided_by"]["ref"], extension["role"], extension["approved"]) == (
                "head-a",
                "head",
                True,
            )
            assert reply["due_at"] == "2026-03-13T16:00:00Z"
            assert {"holiday", "make-up"} <= {days["kind"] for days in reply["days"]}
            assert reply["mileposts"][-1]["outcome"] == "armed"
        assert (await ask(foreign, str(CASE))).status_code == 404
        assert (await ask(right, "2026-11-000999")).status_code == 404
        assert (await ask(weak, str(CASE))).status_code == 403
        assert (await client.get(f"/v1/cases/{CASE}/clocks")).status_code == 401
