"""A case moved to another version of its plan, in PostgreSQL: state, snapshots, timers, history, all or nothing."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.escalator.app.apply_events import ApplyEvents
from services.escalator.domain.time_bases import Rules
from services.escalator.store.plans import Plans
from shared.contracts.classifications import PlanMove
from shared.contracts.commands import CommandKind
from shared.contracts.envelope import Event
from shared.contracts.escalations import ChangeKind
from shared.kafka.outcome import DONE, DUPLICATE, Retry, Skip
from shared.plans.library import PlanLibrary
from tests.support.escalations import PERSON, PLAN_TEXT, START, at, rules
from tests.support.escalator import IDS, RULES, Escalator, classification, create_escalator, order

SUBMIT = PLAN_TEXT[PLAN_TEXT.index("  - id: submit") : PLAN_TEXT.index("  - id: finish")]
V2 = rules(PLAN_TEXT.replace("version: 1", "version: 2").replace(SUBMIT, "").replace("limit: 48h", "limit: 24h"))
EARLY = 5


def moved(
    case_id: UUID, after: Rules = V2, *, revision: int = 2, asked: UUID | None = None, **fields: Any
) -> Event[Any]:
    """The classifier judged the case by the version it is to be under."""
    wanted = PlanMove(
        asked=asked or uuid4(), actor=PERSON, reason="revised", before=RULES.plan.ref, version=2, levels="keep"
    )
    event = classification(case_id, "orange", revision=revision, plan=after.plan.ref, **fields)
    return Event(event.id, event.source, event.time, event.org, case_id, event.data.model_copy(update={"move": wanted}))


@pytest.fixture
async def both(escalator: Escalator) -> Escalator:
    """An escalator that knows both versions: the second was published while it was at work."""
    plans = Plans(PlanLibrary([RULES.plan]))
    plans.use(PlanLibrary([V2.plan]))
    return Escalator(
        escalator.database,
        escalator.clock,
        escalator.url,
        ApplyEvents(escalator.database, plans, IDS, escalator.armed.append),
        escalator.fire,
        escalator.armed,
    )


async def timers(one: Escalator) -> dict[str, Any]:
    return {row["subject"]: row["due_at"] for row in await one.rows("SELECT subject, due_at FROM timers")}


async def test_state_snapshots_timers_and_history_change_together(both: Escalator) -> None:
    case_id = uuid4()
    assert await both.take(classification(case_id, "orange")) == [DONE]
    assert "clock:submit" in await timers(both)
    both.clock.set(at(minutes=EARLY))
    assert await both.take(moved(case_id)) == [DONE]
    [case] = await both.rows("SELECT plan_sha256, CAST(body AS text) AS body FROM cases")
    assert case["plan_sha256"] == V2.plan.ref.sha256
    assert V2.plan.ref.sha256 in case["body"]
    kept = {row["sha256"] for row in await both.rows("SELECT sha256 FROM plan_snapshots")}
    assert kept == {RULES.plan.ref.sha256, V2.plan.ref.sha256}, "the old snapshot stays in the history"
    armed = await timers(both)
    assert "clock:submit" not in armed
    [change] = await both.rows("SELECT because, CAST(details AS text) AS d FROM changes WHERE kind = 'plan-moved'")
    assert RULES.plan.ref.sha256 in change["d"]
    assert "revised" in change["because"]
    last = (await both.escalations())[-1]
    assert (last.plan.version, last.changes[0].kind) == (2, ChangeKind.PLAN_MOVED)
    finish = next(clock for clock in last.clocks if clock.id == "finish")
    assert finish.due_at == at(hours=24)


async def test_the_same_event_and_a_second_move_to_the_same_version_change_nothing(both: Escalator) -> None:
    case_id = uuid4()
    event = moved(case_id)
    await both.take(classification(case_id, "orange"), event)
    before, kinds = await timers(both), await both.kinds()
    assert await both.take(event) == [DUPLICATE]
    await both.take(moved(case_id, revision=3))
    assert (await timers(both), await both.kinds()) == (before, kinds)


async def test_opening_and_moving_in_one_batch_leave_only_the_timers_of_the_new_version(both: Escalator) -> None:
    case_id = uuid4()
    assert await both.take(classification(case_id, "orange"), moved(case_id)) == [DONE, DONE]
    assert "clock:submit" not in await timers(both)


async def test_a_case_that_ended_meanwhile_is_told_so_and_stays(both: Escalator) -> None:
    case_id = uuid4()
    await both.take(
        classification(case_id, "orange"),
        order(case_id, CommandKind.ACKNOWLEDGE, START),
        order(case_id, CommandKind.CLOSE, START, reason="done"),
    )
    assert await both.take(moved(case_id)) == [DONE]
    [case] = await both.rows("SELECT plan_sha256 FROM cases")
    assert case["plan_sha256"] == RULES.plan.ref.sha256
    assert (await both.kinds())[-1] is ChangeKind.COMMAND_REFUSED


async def test_clocks_go_on_firing_after_the_move_and_after_a_restart(both: Escalator, escalator_url: str) -> None:
    case_id = uuid4()
    await both.take(classification(case_id, "orange"), moved(case_id), order(case_id, CommandKind.ACKNOWLEDGE, START))
    third = rules(PLAN_TEXT.replace("version: 1", "version: 3"))
    other = create_escalator(escalator_url, clock=both.clock, library=PlanLibrary([third.plan]))
    try:
        both.clock.set(at(hours=24, minutes=1))
        await other.sweep()
        breached = [
            change
            for one in await other.escalations()
            for change in one.changes
            if change.kind is ChangeKind.CLOCK_BREACHED
        ]
        assert [change.details["clock"] for change in breached] == ["finish"]
        await other.take(order(case_id, CommandKind.RESOLVE, at(hours=24, minutes=2)))
        assert (await other.escalations())[-1].plan == V2.plan.ref
    finally:
        await other.database.close()


async def test_a_plan_the_classifier_saw_first_is_looked_for_at_once(escalator: Escalator) -> None:
    plans = Plans(PlanLibrary([RULES.plan]))
    looked: list[int] = []

    async def look_again() -> None:
        looked.append(1)
        plans.use(PlanLibrary([V2.plan]))

    apply = ApplyEvents(escalator.database, plans, IDS, escalator.armed.append, look_again)
    assert list(await apply([classification(uuid4(), "orange", plan=V2.plan.ref)])) == [DONE]
    assert looked == [1]
    assert list(await apply([classification(uuid4(), "orange", plan=V2.plan.ref)])) == [DONE]
    assert looked == [1], "only for what is not known"


async def test_without_the_new_text_the_case_waits_for_it(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id, "orange"))
    [outcome] = await escalator.take(moved(case_id))
    assert isinstance(outcome, Retry)


async def test_the_command_itself_is_left_to_the_classifier(both: Escalator) -> None:
    case_id = uuid4()
    await both.take(classification(case_id, "orange"))
    arguments = {"version": 2}
    wish = order(case_id, CommandKind.MOVE_PLAN, START, plan="ladder-test", reason="revised", arguments=arguments)
    assert isinstance((await both.take(wish))[0], Skip)
