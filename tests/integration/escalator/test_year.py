"""A year in seconds: the same cases through the pure rules and through the real engine end in the same state."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case, reclassify
from services.escalator.domain.clocks import fold
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision, Timer, armed
from services.escalator.domain.firing import fire
from services.escalator.domain.time_bases import Rules
from services.escalator.store.cases import lock_cases
from services.escalator.store.timers import EVER, first_in_lanes
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandKind
from shared.contracts.envelope import Event
from shared.contracts.values import Actor, ActorKind
from shared.plans.library import PlanLibrary
from tests.support.calendars import shipped
from tests.support.clock import ManualClock
from tests.support.escalations import LEVELS, PLAN_TEXT, rules
from tests.support.escalator import Escalator, classification, clock_log, create_escalator, order

CASES = 60
YEAR = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
CHIEF = Actor(kind=ActorKind.PERSON, ref="chief-a")

# Odd lengths: two things of one case that fall on the same instant may be decided in either order.
TEXT = (
    PLAN_TEXT.replace("limit: 1h\n", "limit: 307m\n")
    .replace('warn: ["50%", "-10m"]', 'warn: ["31%", "-13m"]')
    .replace(
        "    limit: 48h\n    breach: record",
        '    limit: 5wd\n    warn: ["43%", "-2h"]\n    breach: raise-level\n    raises: orange\n'
        "    extension: {approve_by: [leader], by: 5wd, to: 12wd, count: 2}",
    )
    .replace("limit: 24h", "limit: 7wh")
    .replace("acknowledge_within: 15m, repeat: 1}", "acknowledge_within: 211m, repeat: 1}")
    .replace("acknowledge_within: 10m}", "acknowledge_within: 173m, hours: working}")
    .replace("acknowledge_within: 5m,", "acknowledge_within: 599m,")
    .replace("timezone:", "calendar: china\ntimezone:")
)


def story(chance: random.Random, number: int) -> Iterator[Event[Any]]:
    """One case: opened on a random day, then handled, slowly or well, with every kind of turn."""
    case_id = UUID(int=chance.getrandbits(128), version=4)
    when = YEAR + timedelta(seconds=chance.randrange(340 * 86_400))
    level = chance.choice(LEVELS)
    yield classification(
        case_id, level, when=when, occurred_at=when - timedelta(seconds=chance.randrange(50_000)), received_at=when,
        number=f"2026-{number:06}", plan=PLAN.ref,
    )  # fmt: skip
    commands: list[tuple[CommandKind, dict[str, Any]]] = [
        (CommandKind.ACKNOWLEDGE, {}),
        (CommandKind.START, {}),
        (CommandKind.WAIT, {"reason": "等待鉴定"}),
        (CommandKind.EXTENSION_REQUEST, {"reason": "案情复杂"}),
        (CommandKind.EXTENSION_APPROVE, {"actor": CHIEF, "arguments": {"role": "leader"}}),
        (CommandKind.RESUME, {}),
        (CommandKind.MILESTONE, {"arguments": {"milestone": "plan-submitted"}}),
        (CommandKind.CANNOT_HANDLE, {"reason": "超出权限"}),
        (CommandKind.RESTART, {"reason": "新证据", "arguments": {"clock": "finish"}}),
        (CommandKind.COMMENT, {"reason": "备注"}),
    ]
    revision = 1
    for kind, fields in commands:
        if chance.random() < 0.45:
            continue
        when += timedelta(seconds=chance.randrange(1, 100_000))
        yield order(case_id, kind, when, **fields)
        if chance.random() < 0.2:
            revision += 1
            when += timedelta(seconds=chance.randrange(1, 50_000))
            yield classification(
                case_id, chance.choice(LEVELS), revision=revision, when=when, plan=PLAN.ref,
                facts={"people": chance.randrange(1, 200)}, number=f"2026-{number:06}",
            )  # fmt: skip
    when += timedelta(seconds=chance.randrange(1, 900_000))
    yield order(case_id, CommandKind.RESOLVE, when)
    if chance.random() < 0.3:
        yield order(case_id, CommandKind.REOPEN, when + timedelta(hours=chance.randrange(1, 90)))
        when += timedelta(hours=100)
    yield order(case_id, CommandKind.CLOSE, when + timedelta(minutes=7))


PLAN = rules(TEXT).plan
RULES = Rules(PLAN, shipped())


class PureWorld:
    """Cases, and the timers they want, moved by nothing but the rules."""

    def __init__(self) -> None:
        self.cases: dict[UUID, Case] = {}
        self.timers: dict[UUID, tuple[Timer, ...]] = {}
        self.fires: list[tuple[Any, ...]] = []
        self.now = YEAR

    def pass_time(self, until: datetime) -> None:
        while True:
            due = [
                (timer.due_at, timer.lane, case_id, timer)
                for case_id, timers in self.timers.items()
                for timer in timers
                if timer.due_at <= until
            ]
            if not due:
                return
            at, _, case_id, timer = min(due, key=lambda one: one[:3])
            self.now = max(at, self.now)
            self._take(case_id, fire(RULES, self.cases[case_id], timer, self.now))

    def apply(self, event: Event[Any]) -> None:
        self.now = event.time
        case = self.cases.get(event.case_id)
        if case is None:
            decision = open_case(
                RULES, org=event.org, case_id=event.case_id, plan=PLAN.ref, classified=event.data, now=event.time
            )
        elif isinstance(event.data, CaseClassifiedV1):
            decision = reclassify(RULES, case, event.data, event.time)
        else:
            decision = apply_command(RULES, case, event.data, event.time)
        self._take(event.case_id, decision)

    def _take(self, case_id: UUID, decision: Decision) -> None:
        self.cases[case_id] = decision.case
        self.timers[case_id] = armed(decision.case, RULES)
        self.fires.extend(
            (case_id, one.subject, one.generation, one.threshold, one.due_at, one.superseded) for one in decision.fires
        )


async def let_time_pass(escalator: Escalator, until: datetime) -> None:
    """Step the engine's clock from one armed instant to the next, as the sleeping sweeper would."""
    while True:
        async with escalator.database.transaction() as tx:
            first = min((await first_in_lanes(tx, EVER)).values(), default=None)
        if first is None or first > until:
            return
        escalator.clock.set(max(first, escalator.clock.now()))
        await escalator.fire()


def comparable(case: Case) -> Case:
    """Without the numbers of requests: a light firing counts none."""
    clocks = tuple(replace(clock, passed=tuple(sorted(clock.passed))) for clock in case.clocks)
    return case.evolve(requests=0, pages=(), clocks=clocks)


async def test_a_year_of_cases_ends_alike_in_the_rules_and_in_the_engine(escalator_url: str) -> None:
    chance = random.Random(20260101)  # noqa: S311  # the same year every time
    events = sorted(_all(chance), key=lambda event: event.time)
    world = PureWorld()
    clock = ManualClock(YEAR)
    engine = create_escalator(escalator_url, clock=clock, library=PlanLibrary([PLAN]), calendars=shipped())
    for event in events:
        world.pass_time(event.time)
        world.apply(event)
        await let_time_pass(engine, event.time)
        clock.set(event.time)
        await engine.take(event)
    end = YEAR + timedelta(days=400)
    world.pass_time(end)
    await let_time_pass(engine, end)

    rows = await engine.rows("SELECT case_id, subject, generation, threshold, due_at, superseded FROM fires")
    assert sorted(tuple(row.values()) for row in rows) == sorted(world.fires)
    assert len({row["threshold"] for row in rows}) > 5
    async with engine.database.transaction() as tx:
        stored = await lock_cases(tx, list(world.cases))
        assert len(stored) == CASES
        for one in stored:
            assert comparable(one.case) == comparable(world.cases[one.case.case_id])
            for ticking in one.case.clocks:
                assert fold(await clock_log(tx, one, ticking.id), RULES) == ticking
    told = await engine.escalations()
    assert len(told) == sum(case.revision for case in world.cases.values())
    (left,) = await engine.rows("SELECT count(*) AS timers FROM timers")
    assert left["timers"] == sum(len(timers) for timers in world.timers.values())
    await engine.database.close()


def _all(chance: random.Random) -> Iterator[Event[Any]]:
    for number in range(CASES):
        for event in story(chance, number):
            data = event.data
            when = data.classified_at if isinstance(data, CaseClassifiedV1) else event.time
            yield replace(event, time=when)
