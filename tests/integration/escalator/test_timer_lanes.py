"""The timer table under load: how it is read, who comes first, and what a poll costs when others hold it back."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.escalator.app import fire_due_timers
from services.escalator.domain.clocks import fold
from services.escalator.domain.decision import LANES, lane_of
from services.escalator.store.cases import lock_cases
from services.escalator.store.timers import CLAIM, EVER, Wave, claim_due, first_in_lanes, quotas_of
from shared.contracts.commands import CommandKind
from shared.contracts.envelope import Event
from shared.contracts.escalations import ChangeKind
from shared.db.statements import positional
from shared.db.tx import Row, Tx
from shared.kafka.outcome import DONE
from shared.runtime.tracing import trace_id
from tests.support.clock import ManualClock
from tests.support.escalations import at
from tests.support.escalator import RULES, Escalator, classification, clock_log, create_escalator, event, order

NEVER_FIRED = "respond"
TRACE = f"00-{7:032x}-{9:016x}-01"


async def open_cases(escalator: Escalator, count: int, level: str = "yellow", org: str = "org-a") -> None:
    found = (classification(uuid4(), level) for _ in range(count))
    assert await escalator.take(*(event(one.case_id, one.data, org=org) for one in found)) == [DONE] * count


async def multiply(escalator: Escalator, count: int) -> None:
    """Many more cases with timers a day ahead, so that a plan of the planner means something."""
    async with escalator.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO cases (case_id, plan, org, number, plan_sha256, state, level, revision, is_open, "
            "clocks_running, opened_at, changed_at, traceparent, body, card_head, card) "
            "SELECT gen_random_uuid(), plan, org, number, plan_sha256, state, level, revision, "
            "is_open, clocks_running, opened_at, changed_at, traceparent, body, card_head, card FROM cases, "
            "generate_series(1, CAST(:count AS int))",
            count=count,
        )
        await tx.execute(
            "INSERT INTO timers SELECT case_id, plan, 'other', 1, 't', CAST(:later AS timestamptz), "
            "CAST(abs(hashtext(CAST(case_id AS text))) % 32 AS smallint), NULL, CAST(:later AS timestamptz) "
            "FROM cases",
            later=at(days=1),
        )
        await tx.execute("ANALYZE timers")
        await tx.execute("ANALYZE cases")


@pytest.mark.parametrize("now", [at(), at(days=2)], ids=["nothing is due", "everything is due"])
async def test_the_claim_reads_the_index_in_order_and_never_sorts(escalator: Escalator, now: datetime) -> None:
    await open_cases(escalator, 1)
    await multiply(escalator, 3000)
    statement, names = positional(CLAIM)
    values = {
        "lanes": "ARRAY[1,17]",
        "quotas": "ARRAY[250,250]",
        "floor": f"'{EVER}'",
        "now": f"'{now}'",
        "limit": "500",
    }
    for generic in ("force_custom_plan", "force_generic_plan"):
        async with escalator.database.transaction() as tx:
            await tx.execute(f"SET LOCAL plan_cache_mode = {generic}")
            types = "int[], int[], timestamptz, timestamptz, bigint"
            await tx.execute(f"PREPARE claim ({types}) AS {statement}")
            rows = await tx.fetch(f"EXPLAIN EXECUTE claim ({', '.join(values[name] for name in names)})")
            await tx.execute("DEALLOCATE claim")
        plan = "\n".join(row[0] for row in rows)
        assert "Index Scan using ix_timers_lane_wake_at on timers" in plan, plan
        assert "Index Scan using pk_cases on cases" in plan, plan
        # What is sorted is the batch, once it is locked: everything below the limit comes in the order of the index.
        assert "Sort" not in plan[plan.index("Limit") :], plan
        assert "Seq Scan" not in plan, plan


async def test_a_light_firing_goes_to_where_its_rows_stand(
    escalator: Escalator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_cases(escalator, 30)
    await multiply(escalator, 300)
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE subject = 'ladder'")
    plans: list[str] = []
    write = Tx.fetch_one

    async def explained(tx: Tx, sql: str, /, **parameters: Any) -> Row | None:
        plans.append("\n".join(row[0] for row in await tx.fetch(f"EXPLAIN {sql}", **parameters)))
        return await write(tx, sql, **parameters)

    monkeypatch.setattr(Tx, "fetch_one", explained)
    escalator.clock.set(at(minutes=30))
    assert (await escalator.fire()).fired == 30
    (plan,) = plans
    for table in ("cases c", "timers t", "timers t_1"):
        assert f"Tid Scan on {table}" in plan, plan
    assert "Index Scan" not in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_a_timer_that_is_not_where_it_was_read_is_decided_in_full(
    escalator: Escalator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_cases(escalator, 4)
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE subject = 'ladder'")

    async def elsewhere(*args: Any) -> list[Wave]:
        found = await claim_due(*args)
        return [wave._replace(places=[wave.places[-1], *wave.places[:-1]]) for wave in found]

    monkeypatch.setattr(fire_due_timers, "claim_due", elsewhere)
    escalator.clock.set(at(minutes=30))
    await escalator.sweep()
    assert (await escalator.kinds()).count(ChangeKind.CLOCK_WARNED) == 4
    assert len(await escalator.rows("SELECT 1 FROM timers WHERE threshold = '50%'")) == 0
    assert {row["fired"] for row in await escalator.rows("SELECT fired FROM cases")} == {None}


async def test_the_highest_level_is_fired_before_an_earlier_wave_of_milder_ones(escalator_url: str) -> None:
    escalator = create_escalator(escalator_url, batch=20)
    await open_cases(escalator, 60, "yellow")
    escalator.clock.set(at(seconds=30))
    await open_cases(escalator, 10, "red")
    escalator.clock.set(at(minutes=16))
    await escalator.fire()
    fired = await escalator.rows("SELECT c.level FROM fires f JOIN cases c USING (case_id, plan)")
    assert [row["level"] for row in fired].count("red") == 10
    await escalator.database.close()


async def test_a_wave_of_one_organisation_does_not_delay_another(escalator_url: str) -> None:
    quiet = next(f"org-{n}" for n in range(99) if lane_of(f"org-{n}", urgent=False) != lane_of("org-a", urgent=False))
    escalator = create_escalator(escalator_url, batch=20)
    await open_cases(escalator, 200)
    escalator.clock.set(at(seconds=30))
    await open_cases(escalator, 5, org=quiet)
    escalator.clock.set(at(minutes=16))
    await escalator.fire()
    fired = await escalator.rows("SELECT c.org FROM fires f JOIN cases c USING (case_id, plan)")
    assert [row["org"] for row in fired].count(quiet) == 5
    await escalator.database.close()


def test_lanes_share_a_batch_and_the_highest_levels_stand_first() -> None:
    assert quotas_of([20, 3, 17, 5], 500) == {3: 250, 5: 250, 17: 250, 20: 250}
    assert list(quotas_of(range(LANES), 500)) == list(range(LANES))
    assert quotas_of([9], 500) == {9: 500}


async def test_a_poll_begins_where_nothing_was_left_and_still_finds_what_is_armed_late(escalator: Escalator) -> None:
    await open_cases(escalator, 3)
    escalator.clock.set(at(hours=4))
    await escalator.sweep()
    # A report that comes hours late: its thresholds lie far below what was swept.
    late = uuid4()
    await escalator.take(classification(late, "orange"))
    swept = await escalator.sweep()
    assert sum(one.fired for one in swept) > 0
    fires = await escalator.rows("SELECT threshold, superseded FROM fires WHERE case_id = :late", late=late)
    assert ("breach", False) in {(row["threshold"], row["superseded"]) for row in fires}


async def test_timers_below_the_floor_of_one_process_are_found_by_it_later(escalator: Escalator) -> None:
    """Another machine's clock was hours behind when it armed this."""
    await open_cases(escalator, 1)
    escalator.clock.set(at(hours=4))
    await escalator.sweep()
    async with escalator.database.transaction() as tx:
        await tx.execute("UPDATE timers SET wake_at = :past", past=at(hours=1))
        assert await first_in_lanes(tx, at(hours=3)) == {}
        assert await first_in_lanes(tx, EVER) != {}
    assert (await escalator.fire()).claimed == 0
    escalator.fire.lower_floor(EVER)
    assert (await escalator.fire()).claimed == 2


async def test_two_waves_for_one_case_in_one_batch_fire_in_turn(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id, "orange"))
    await escalator.take(order(case_id, CommandKind.ACKNOWLEDGE, at(minutes=1)))
    # `submit` warns at half of its 24 hours; `finish` is only recorded, after 48.
    escalator.clock.set(at(hours=12))
    await escalator.sweep()
    escalator.clock.set(at(hours=48))
    await escalator.sweep()
    revisions = [found.revision for found in await escalator.escalations()]
    assert revisions == list(range(1, len(revisions) + 1))
    last = (await escalator.escalations())[-1]
    assert {clock.id: clock.state for clock in last.clocks}["submit"] == "breached"
    assert (await escalator.kinds()).count(ChangeKind.CLOCK_BREACHED) == 2


async def test_light_firings_are_in_the_state_and_in_the_log_when_the_case_is_read_next(escalator: Escalator) -> None:

    case_id = uuid4()
    await escalator.take(classification(case_id, "orange"))
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE subject = 'ladder'")
    escalator.clock.set(at(minutes=30))
    (swept,) = await escalator.sweep()
    assert swept.fired == 1

    async def state_is_the_fold_of_its_log() -> tuple[str, ...]:
        async with escalator.database.transaction() as tx:
            (stored,) = await lock_cases(tx, [case_id])
            log = await clock_log(tx, stored, NEVER_FIRED)
        clock = stored.case.clock(NEVER_FIRED)
        assert clock == fold(log, RULES)
        assert clock is not None
        return clock.passed

    assert await state_is_the_fold_of_its_log() == ("50%",)
    assert (await escalator.rows("SELECT fired FROM cases"))[0]["fired"] is not None
    escalator.clock.set(at(minutes=31))
    await escalator.take(order(case_id, CommandKind.COMMENT, at(minutes=31)))
    assert await state_is_the_fold_of_its_log() == ("50%",)
    assert (await escalator.rows("SELECT fired FROM cases"))[0]["fired"] is None


async def test_four_replicas_share_a_storm_of_light_timers_and_tell_each_once(
    escalator: Escalator, escalator_url: str
) -> None:
    await open_cases(escalator, 300)
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE subject = 'ladder'")
    clock = ManualClock(at(minutes=30) + timedelta(milliseconds=1))
    replicas = [create_escalator(escalator_url, clock=clock, batch=11) for _ in range(4)]

    async def work(replica: Escalator) -> int:
        fired = 0
        while True:
            swept = await replica.fire()
            fired += swept.fired
            if not swept.claimed and (swept.next_due is None or swept.next_due > clock.now()):
                return fired
            await asyncio.sleep(0)

    assert sum(await asyncio.gather(*map(work, replicas))) == 300
    assert (await escalator.kinds()).count(ChangeKind.CLOCK_WARNED) == 300
    assert len({request.request_id for request in await escalator.requests()}) == 600
    for replica in replicas:
        await replica.database.close()


async def test_a_light_timer_that_was_fired_meanwhile_leaves_no_trace(escalator: Escalator) -> None:
    """Another process fired it after this one had read the table: the row read is older than the case."""
    case_id = uuid4()
    await escalator.take(classification(case_id))
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE subject = 'ladder'")
        await tx.execute(
            "INSERT INTO fires SELECT case_id, plan, subject, generation, threshold, due_at, due_at, false, case_id "
            "FROM timers WHERE subject = 'clock:finish' OR threshold = '50%'"
        )
    before = (await escalator.published(), await escalator.rows("SELECT revision, clocks_running, fired FROM cases"))
    escalator.clock.set(at(minutes=30))
    swept = await escalator.fire()
    assert (swept.claimed, swept.fired) == (1, 0)
    published, rows = before
    assert await escalator.published() == published
    assert (await escalator.rows("SELECT revision, clocks_running, fired FROM cases"))[0]["fired"] == rows[0]["fired"]


async def test_the_server_puts_together_what_a_full_decision_would_publish(escalator: Escalator) -> None:
    """Pairs of equal cases: one of each is denied its card, so that its thresholds are decided in full."""
    texts = [None, '漏水"\\ \t {"id":"finish"}', "e\u0301\u2028'||'"]
    kinds = [(level, language, text) for level in ("orange", "red") for language in ("zh", "en") for text in texts]
    light, full = ([uuid4() for _ in kinds] for _ in range(2))
    for ids in (light, full):
        opened = [
            classification(one, level, language=language, title=text, drill=text is None)
            for one, (level, language, text) in zip(ids, kinds, strict=True)
        ]
        await escalator.take(*opened)
        orders = [order(one, CommandKind.ACKNOWLEDGE, at(minutes=1)) for one in ids]
        await escalator.take(*(replace(one, traceparent=TRACE if n % 2 else None) for n, one in enumerate(orders)))
    for hours in (12, 24, 48):
        async with escalator.database.transaction() as tx:
            await tx.execute("UPDATE cases SET card_head = NULL WHERE case_id = ANY(CAST(:full AS uuid[]))", full=full)
        escalator.clock.set(at(hours=hours))
        await escalator.sweep()
    everything = await escalator.published()
    later = [event for event in everything if event.time > at()]
    for number, pair in enumerate(zip(light, full, strict=True)):
        mine, theirs = ([event for event in later if event.case_id == case_id] for case_id in pair)
        assert [_told(event) for event in mine] == [_told(event) for event in theirs]
        assert len(mine) == 5
        traces = [trace_id(event.traceparent) for event in mine]
        assert None not in traces
        assert (set(traces) == {trace_id(TRACE)}) is (number % 2 == 1)
    assert len({event.id for event in everything}) == len(everything)
    assert len({event.traceparent for event in later}) == len(later)
    rows = await escalator.rows("SELECT case_id, revision, clocks_running - clocks_ended AS counting FROM cases")
    state = {row["case_id"]: (row["revision"], row["counting"]) for row in rows}
    assert [state[one] for one in light] == [state[one] for one in full]


async def test_a_card_that_cannot_be_used_leaves_its_case_to_a_full_decision(escalator: Escalator) -> None:
    """Its head is no head, there is no text behind it, or there is none."""
    ids = [uuid4() for _ in range(4)]
    await escalator.take(*(classification(one) for one in ids))
    async with escalator.database.transaction() as tx:
        await tx.execute("DELETE FROM timers WHERE subject = 'ladder'")
        await tx.execute("UPDATE cases SET card_head = 'nothing' WHERE case_id = :id", id=ids[0])
        await tx.execute("UPDATE cases SET card = NULL WHERE case_id = :id", id=ids[1])
        await tx.execute("UPDATE cases SET card_head = NULL WHERE case_id = :id", id=ids[2])
    escalator.clock.set(at(minutes=30))
    await escalator.sweep()
    assert (await escalator.kinds()).count(ChangeKind.CLOCK_WARNED) == 4
    assert {one["subject"] for one in await escalator.rows("SELECT subject FROM fires")} == {"clock:respond"}
    assert len({one.request_id for one in await escalator.requests()}) == len(await escalator.requests())


def _told(event: Event[Any]) -> tuple[Any, ...]:
    data = event.data.model_dump(exclude={"request_id"})
    return (event.type, event.time, event.org, event.causation, data)
