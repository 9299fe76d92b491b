"""Consumed events on a real database: opened, moved, refused, retried, and stored so that all can be rebuilt."""

import asyncio
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from services.escalator.app import apply_events
from services.escalator.domain.classification import open_case
from services.escalator.domain.clocks import fold
from services.escalator.domain.decision import armed
from services.escalator.store.cases import ConcurrentOpeningError, lock_cases
from shared.contracts.classifications import DuplicateOf
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseEscalatedV1, CaseState, ChangeKind
from shared.contracts.notifications import LIVE_TEST_PLAN, Purpose, Settlement
from shared.contracts.values import PlanRef
from shared.db.migrate import unmigrated_changes
from shared.kafka.outcome import DONE, DUPLICATE, Dead, Retry, Skip
from shared.plans.library import PlanLibrary
from tests.support.escalations import LEVELS, START, at, settled
from tests.support.escalator import RULES, Escalator, classification, clock_log, create_escalator, event, order
from tests.support.messaging import eventually


def test_the_migrated_schema_is_the_declared_one(escalator_url: str) -> None:
    assert unmigrated_changes("escalator", escalator_url) is None


async def test_a_classified_case_is_opened_paged_and_armed_in_one_step(escalator: Escalator) -> None:
    case_id = uuid4()
    first = classification(case_id, "orange")
    assert await escalator.take(first) == [DONE]
    (escalated,) = await escalator.escalations()
    assert (escalated.level, escalated.tier, escalated.next_tier, escalated.revision) == (
        "orange",
        "liaison",
        "department",
        1,
    )
    assert [clock.due_at for clock in escalated.clocks] == [at(hours=1), at(hours=24), at(hours=48)]
    assert [request.purpose for request in await escalator.requests()] == [Purpose.PAGE, Purpose.INFORM]
    published = await escalator.published()
    assert {one.causation for one in published} == {str(first.id)}
    assert escalator.armed == [at(minutes=15)]
    changes = await escalator.rows("SELECT kind FROM changes ORDER BY position")
    assert changes[0]["kind"] == "opened"


async def test_the_same_event_again_changes_nothing(escalator: Escalator) -> None:
    first = classification(uuid4())
    assert await escalator.take(first, first) == [DONE, DUPLICATE]
    before = await escalator.published()
    assert await escalator.take(first) == [DUPLICATE]
    assert await escalator.published() == before


async def test_one_case_in_one_batch_is_opened_raised_and_acknowledged_in_order(escalator: Escalator) -> None:
    case_id = uuid4()
    escalator.clock.set(at(minutes=3))
    outcomes = await escalator.take(
        classification(case_id),
        classification(case_id, "red", revision=2),
        order(case_id, CommandKind.ACKNOWLEDGE, at(minutes=3)),
    )
    assert outcomes == [DONE, DONE, DONE]
    last = (await escalator.escalations())[-1]
    assert (last.level, last.state, last.revision) == ("red", CaseState.ACKNOWLEDGED, 3)
    subjects = {row["subject"] for row in await escalator.rows("SELECT subject FROM timers")}
    assert subjects == {"clock:submit", "clock:finish"}


async def test_a_long_batch_is_written_in_parts_that_know_of_one_another(escalator: Escalator) -> None:
    first, *others = (uuid4() for _ in range(230))
    escalator.clock.set(at(minutes=3))
    outcomes = await escalator.take(
        classification(first),
        *(classification(one) for one in others[:120]),
        order(first, CommandKind.RAISE_LEVEL, at(minutes=3), arguments={"level": "red"}, reason="worse"),
        classification(others[0], "orange", revision=2),
        *(classification(one) for one in others[120:]),
        order(first, CommandKind.ACKNOWLEDGE, at(minutes=3)),
    )
    assert outcomes == [DONE] * len(outcomes)
    told = [one.data for one in await escalator.published() if one.case_id == first]
    revisions = [(one.revision, one.level) for one in told if isinstance(one, CaseEscalatedV1)]
    assert revisions == [(1, "yellow"), (2, "red"), (3, "red")]
    (row,) = await escalator.rows("SELECT level, revision, timers_armed FROM cases WHERE case_id = :id", id=first)
    armed_here = await escalator.rows("SELECT subject FROM timers WHERE case_id = :id ORDER BY 1", id=first)
    assert (row["level"], row["revision"]) == ("red", 3)
    assert [one["subject"] for one in armed_here] == ["clock:finish", "clock:submit"]
    assert row["timers_armed"] == len(armed_here)
    (counted,) = await escalator.rows("SELECT count(*) AS cases, min(timers_armed) AS least FROM cases")
    assert counted == {"cases": 230, "least": 2}
    entries = await escalator.rows("SELECT kind FROM clock_entries WHERE case_id = :id ORDER BY seq", id=first)
    assert entries[0]["kind"] == "start"


async def test_a_long_batch_that_fails_in_its_last_part_leaves_nothing(escalator: Escalator, monkeypatch: Any) -> None:
    events = [classification(uuid4()) for _ in range(130)]
    broken = events[-1].case_id

    def fail(*given: Any, **named: Any) -> Any:
        if named["case_id"] == broken:
            raise OSError("gone")
        return open_case(*given, **named)

    monkeypatch.setattr(apply_events, "open_case", fail)
    with pytest.raises(OSError, match="gone"):
        await escalator.take(*events)
    for table in ("cases", "timers", "outbox", "changes", "inbox"):
        assert await escalator.rows(f"SELECT count(*) AS n FROM {table}") == [{"n": 0}], table  # noqa: S608  # names above
    monkeypatch.undo()
    assert await escalator.take(*events) == [DONE] * 130


async def test_what_is_stored_rebuilds_the_row(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id, "orange"))
    for minutes, kind in ((5, CommandKind.START), (9, CommandKind.WAIT), (20, CommandKind.RESUME)):
        escalator.clock.set(at(minutes=minutes))
        assert await escalator.take(order(case_id, kind, at(minutes=minutes))) == [DONE]
    async with escalator.database.transaction() as tx:
        (stored,) = await lock_cases(tx, [case_id])
        for clock in stored.case.clocks:
            assert fold(await clock_log(tx, stored, clock.id), RULES) == clock
        wanted = {(timer.subject, timer.due_at) for timer in armed(stored.case, RULES)}
        table = await tx.fetch("SELECT subject, due_at FROM timers")
    assert {(row["subject"], row["due_at"]) for row in table} == wanted
    assert ("clock:finish", at(hours=48, minutes=11)) in wanted


@pytest.mark.parametrize("places", list(permutations(range(4)))[::5])
async def test_any_order_and_multiplicity_end_in_the_same_state(escalator: Escalator, places: tuple[int, ...]) -> None:
    case_id = uuid4()
    events = [
        classification(case_id, level, revision=revision)
        for revision, level in ((1, "yellow"), (2, "red"), (3, "orange"), (4, None))
    ]
    for place in (*places, *reversed(places)):
        await escalator.take(events[place])
    async with escalator.database.transaction() as tx:
        (stored,) = await lock_cases(tx, [case_id])
    assert (stored.case.level, stored.case.classified_revision, stored.case.facts) == ("red", 4, {"people": 0})


async def test_a_command_for_a_case_not_yet_known_waits_and_is_not_forgotten(escalator: Escalator) -> None:
    case_id = uuid4()
    early = order(case_id, CommandKind.ACKNOWLEDGE, START)
    (outcome,) = await escalator.take(early)
    assert isinstance(outcome, Retry)
    assert str(case_id) in outcome.reason
    assert await escalator.take(classification(case_id)) == [DONE]
    assert await escalator.take(early) == [DONE]
    assert (await escalator.escalations())[-1].state is CaseState.ACKNOWLEDGED


async def test_an_answer_to_a_live_test_is_passed_over_at_once(escalator: Escalator) -> None:
    answer = order(uuid4(), CommandKind.ACKNOWLEDGE, START, plan=LIVE_TEST_PLAN)
    assert isinstance((await escalator.take(answer))[0], Skip)


async def test_a_plan_that_is_not_here_is_waited_for_with_a_reason(escalator: Escalator) -> None:
    unknown = PlanRef(name="unheard-of", version=7, sha256="0" * 64)
    strange = classification(uuid4(), plan=unknown)
    fine = classification(uuid4())
    outcomes = await escalator.take(strange, fine)
    assert isinstance(outcomes[0], Retry)
    assert "'unheard-of' version 7" in outcomes[0].reason
    assert outcomes[1] == DONE
    assert isinstance((await escalator.take(strange))[0], Retry)


async def test_a_case_keeps_the_plan_it_was_opened_with(escalator: Escalator, escalator_url: str) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id))
    later = create_escalator(escalator_url, library=PlanLibrary([]), clock=escalator.clock)
    escalator.clock.set(at(minutes=15))
    assert [swept.fired for swept in await later.sweep()] == [1]
    assert ChangeKind.TIER_REPEATED in await escalator.kinds()
    assert await later.take(classification(case_id, "red", revision=2)) == [DONE]
    await later.database.close()


async def test_another_organisation_cannot_touch_the_case(escalator: Escalator) -> None:
    case_id = uuid4()
    first = classification(case_id)
    await escalator.take(first)
    (command,) = await escalator.take(event(case_id, order(case_id, CommandKind.CLOSE, START).data, org="org-b"))
    assert isinstance(command, Retry)
    (news,) = await escalator.take(event(case_id, classification(case_id, "red", revision=2).data, org="org-b"))
    assert isinstance(news, Dead)
    assert (await escalator.escalations())[-1].level == "yellow"


async def test_a_page_that_reached_nobody_goes_up_at_once(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id))
    async with escalator.database.transaction() as tx:
        (stored,) = await lock_cases(tx, [case_id])
    news = event(case_id, settled(stored.case, "liaison", Settlement.NOBODY))
    assert await escalator.take(news, event(uuid4(), news.data)) == [DONE, Skip("no such case here")]
    assert [request.roles for request in await escalator.requests()][-1] == ("head", "deputy")


async def test_two_processes_that_open_the_same_case_do_not_both_do_it(
    escalator: Escalator, escalator_url: str
) -> None:
    case_id = uuid4()
    other = create_escalator(escalator_url)

    async def waits() -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await other.rows(waiting))

    async with other.database.transaction() as tx:
        # The other one has opened the case and not committed yet, while ours has found nothing to lock.
        await tx.execute(
            "INSERT INTO cases (case_id, plan, org, number, plan_sha256, state, revision, is_open, clocks_running, "
            "opened_at, changed_at, body) VALUES (:id, 'ladder-test', 'org-a', 'n', 's', 'classified', 1, true, 0, "
            ":now, :now, '{}')",
            id=case_id,
            now=START,
        )
        ours = asyncio.create_task(escalator.take(classification(case_id, revision=2)))
        await eventually(waits, what="ours waits for the other")
    with pytest.raises(ConcurrentOpeningError):
        await ours
    assert await escalator.published() == []
    await other.database.close()


async def test_a_first_classification_of_a_case_that_is_there_is_one_more_of_it(escalator: Escalator) -> None:
    case_id = uuid4()
    first, again = classification(case_id), classification(case_id)
    assert await escalator.take(first) == [DONE]
    published = len(await escalator.published())
    (outcome, new) = await escalator.take(again, classification(uuid4()))
    assert isinstance(outcome, Skip)
    assert new == DONE
    assert await escalator.take(first, again) == [DUPLICATE, DUPLICATE]
    assert len(await escalator.published()) == 2 * published


async def test_the_number_of_statements_does_not_grow_with_the_batch(escalator: Escalator) -> None:
    sent: list[str] = []
    await escalator.take(classification(uuid4()))
    async with escalator.database.transaction() as tx:
        await tx.fetch("SELECT 1")
        # The connection used last is used next.
        tx._connection.add_query_logger(lambda query: sent.append(query.query))
    counts = []
    for size in (2, 60):
        sent.clear()
        await escalator.take(*(classification(uuid4(), LEVELS[number % 3]) for number in range(size)))
        counts.append(len(sent))
    assert counts == [2, 2]


async def test_the_same_event_told_twice_becomes_one_case_in_one_transaction(escalator: Escalator) -> None:
    first, second = uuid4(), uuid4()
    await escalator.take(classification(first, number="2026-11-000001"))
    same = DuplicateOf(case_id=first, number="2026-11-000001", rule="same", then="merge")
    twice = classification(second, "red", number="2026-11-000002", duplicate_of=same)
    assert await escalator.take(twice) == [DONE]
    rows = await escalator.rows("SELECT case_id, state, level FROM cases ORDER BY number")
    assert [(row["case_id"], row["state"], row["level"]) for row in rows] == [
        (first, "classified", "red"),
        (second, "merged", "red"),
    ]
    assert await escalator.rows("SELECT 1 FROM timers WHERE case_id = :id", id=second) == []
    pages = [one for one in await escalator.requests() if one.purpose is Purpose.PAGE]
    assert [page.subject.number for page in pages] == ["2026-11-000001", "2026-11-000001"]
