"""Organisations are told of their duties: each round once, by one of any number of replicas."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.escalator.app.tell_duties import TellDuties
from services.escalator.store.plans import Plans
from shared.contracts.notifications import Purpose
from shared.plans.library import PlanLibrary
from tests.support.clock import ManualClock
from tests.support.escalations import PLAN_TEXT, START, rules
from tests.support.escalator import IDS, Escalator, classification, create_escalator

DUTIES = """
duties:
  - id: daily
    words: {zh: 每日汇总, en: Daily summary}
    kind: report
    every: day
    at: ["09:30"]
    within: 2h
    roles: [quality-office]
"""
DUE = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)  # 09:30 in the plan's zone, half an hour after the start


def library(text: str) -> PlanLibrary:
    return PlanLibrary([rules(text).plan])


def teller(of: Escalator, text: str = PLAN_TEXT + DUTIES) -> TellDuties:
    return TellDuties(of.database, Plans(library(text)), IDS)


@pytest.fixture
async def replicas(escalator_url: str) -> AsyncIterator[Sequence[Escalator]]:
    """Two on one database and one clock, with a case of org-a."""
    clock = ManualClock(START)
    made = [create_escalator(escalator_url, clock=clock, library=library(PLAN_TEXT + DUTIES)) for _ in range(2)]
    ref = rules(PLAN_TEXT + DUTIES).plan.ref
    await made[0].take(classification(uuid4(), None, plan=ref))
    yield made
    for one in made:
        await one.database.close()


async def told(escalator: Escalator) -> list[dict[str, Any]]:
    return await escalator.rows("SELECT org, duty, due_at, number, told FROM duties_told ORDER BY due_at")


async def test_a_round_is_told_once_by_two_replicas_at_once(replicas: Sequence[Escalator]) -> None:
    tellers = [teller(one) for one in replicas for _ in range(4)]
    assert await tellers[0]() == 0
    replicas[0].clock.advance(timedelta(minutes=30))
    assert sum(await asyncio.gather(*(tell() for tell in tellers))) == 1
    assert await tellers[0]() == 0
    (request,) = await replicas[0].requests()
    assert (request.purpose, request.roles, request.subject.title) == (
        Purpose.INFORM,
        ("quality-office",),
        "每日汇总",
    )
    assert request.subject.number.startswith("D-2026-11-02-")
    assert request.subject.due_at == DUE + timedelta(hours=2)
    (row,) = await told(replicas[0])
    assert (row["org"], row["due_at"], row["number"], row["told"]) == ("org-a", DUE, request.subject.number, True)


async def test_after_a_downtime_only_the_latest_round_is_told(replicas: Sequence[Escalator]) -> None:
    tell = teller(replicas[0])
    await tell()
    replicas[0].clock.advance(timedelta(days=3))
    assert await teller(replicas[1])() == 1
    assert [row["told"] for row in await told(replicas[0])] == [False, False, True]
    assert len(await replicas[0].requests()) == 1
    replicas[0].clock.advance(timedelta(days=1))
    assert await tell() == 1


async def test_what_was_due_before_the_duty_was_known_is_not_told(replicas: Sequence[Escalator]) -> None:
    replicas[0].clock.advance(timedelta(days=30))
    assert await teller(replicas[0])() == 0
    assert await told(replicas[0]) == []


async def test_another_schedule_counts_from_when_it_is_seen(replicas: Sequence[Escalator]) -> None:
    await teller(replicas[0])()
    replicas[0].clock.advance(timedelta(minutes=10))
    later = PLAN_TEXT + DUTIES.replace("09:30", "09:05")
    assert await teller(replicas[0], later)() == 0
    replicas[0].clock.advance(timedelta(minutes=30))
    assert await teller(replicas[0], later)() == 0
    replicas[0].clock.advance(timedelta(days=1))
    assert await teller(replicas[0], later)() == 1


async def test_an_organisation_that_the_plan_names_needs_no_case(escalator: Escalator) -> None:
    named = (PLAN_TEXT + DUTIES).replace("default: true}", "default: true, organisations: [branch-a, 'unit-*']}")
    tell = teller(escalator, named)
    assert await tell() == 0
    escalator.clock.advance(timedelta(hours=1))
    assert await tell() == 1
    assert [row["org"] for row in await told(escalator)] == ["branch-a"]
