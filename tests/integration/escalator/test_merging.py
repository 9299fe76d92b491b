"""A merge on a real database: both cases in one transaction, found by number, and rebuilt from what is stored."""

from uuid import UUID, uuid4

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.clocks import fold
from services.escalator.store.cases import lock_cases
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseMergedV1, CaseState, ChangeKind
from shared.kafka.outcome import DONE
from tests.support.escalations import START, at
from tests.support.escalator import RULES, Escalator, classification, clock_log, event, order


async def opened(escalator: Escalator, number: str, minutes: float = 0, level: str = "yellow") -> UUID:
    case_id = uuid4()
    when = at(minutes=minutes)
    escalator.clock.set(when)
    first = classification(case_id, level, number=number, occurred_at=when, received_at=when, when=when)
    assert await escalator.take(first) == [DONE]
    return case_id


async def stored(escalator: Escalator, case_id: UUID) -> Case:
    async with escalator.database.transaction() as tx:
        (one,) = await lock_cases(tx, [case_id])
        for clock in one.case.clocks:
            assert fold(await clock_log(tx, one, clock.id), RULES) == clock
    return one.case


@pytest.mark.parametrize("by_id", [False, True])
async def test_the_older_clock_goes_on_in_the_case_that_is_named(escalator: Escalator, *, by_id: bool) -> None:
    older = await opened(escalator, "2026-11-000001", level="orange")
    newer = await opened(escalator, "2026-11-000002", 60)
    into = str(newer) if by_id else "2026-11-000002"
    escalator.clock.set(at(hours=2))
    assert await escalator.take(order(older, CommandKind.MERGE, at(hours=2), arguments={"into": into})) == [DONE]
    gone, goes_on = await stored(escalator, older), await stored(escalator, newer)
    assert (gone.state, gone.merged_into) == (CaseState.MERGED, newer)
    assert goes_on.level == "orange"
    rows = await escalator.rows("SELECT case_id, subject, due_at FROM timers")
    assert {row["case_id"] for row in rows} == {newer}
    ends = {clock.id: clock.due_at for clock in (await escalator.escalations())[-1].clocks}
    assert ends["finish"] == at(hours=48)
    assert ends["submit"] == at(hours=24)


async def test_which_case_goes_on_is_told_to_whoever_judges_them(escalator: Escalator) -> None:
    gone, goes_on = await opened(escalator, "2026-11-000001"), await opened(escalator, "2026-11-000002")
    await escalator.take(order(gone, CommandKind.MERGE, at(minutes=5), arguments={"into": "2026-11-000002"}))
    await escalator.take(order(gone, CommandKind.COMMENT, at(minutes=6)))
    await escalator.take(order(gone, CommandKind.REOPEN, at(minutes=7), reason="两件事"))
    await escalator.take(order(goes_on, CommandKind.COMMENT, at(minutes=8)))
    events = [event for event in await escalator.published() if isinstance(event.data, CaseMergedV1)]
    assert [(event.case_id, event.data.into) for event in events] == [(gone, goes_on), (gone, None)]
    assert events[0].data.revision < events[1].data.revision


@pytest.mark.parametrize("into", ["2026-11-000077", "2026-11-000001", "5f0c1f7e-0000-4000-8000-000000000001"])
async def test_a_merge_into_nothing_is_refused_and_every_deadline_stays(escalator: Escalator, into: str) -> None:
    case_id = await opened(escalator, "2026-11-000001")
    before = await escalator.rows("SELECT * FROM timers ORDER BY subject")
    await escalator.take(order(case_id, CommandKind.MERGE, START, arguments={"into": into}))
    assert (await escalator.kinds())[-1] is ChangeKind.COMMAND_REFUSED
    assert await escalator.rows("SELECT * FROM timers ORDER BY subject") == before


async def test_another_organisations_case_is_no_place_to_merge_into(escalator: Escalator) -> None:
    mine = await opened(escalator, "2026-11-000001")
    theirs = uuid4()
    data = classification(theirs, number="2026-11-000002").data
    await escalator.take(event(theirs, data, org="org-b"))
    for into in ("2026-11-000002", str(theirs)):
        await escalator.take(order(mine, CommandKind.MERGE, START, arguments={"into": into}))
        assert (await escalator.kinds())[-1] is ChangeKind.COMMAND_REFUSED
    assert (await stored(escalator, mine)).open


async def test_news_of_a_merged_case_reaches_the_end_of_the_chain_of_merges(escalator: Escalator) -> None:
    ids = [await opened(escalator, f"2026-11-00000{place}", place) for place in (1, 2, 3)]
    for place, case_id in enumerate(ids[:2]):
        arguments = {"into": f"2026-11-00000{place + 2}"}
        await escalator.take(order(case_id, CommandKind.MERGE, at(minutes=5), arguments=arguments))
    news = classification(ids[0], "red", number="2026-11-000001", revision=2, when=at(minutes=9))
    assert await escalator.take(news) == [DONE]
    last = await stored(escalator, ids[2])
    assert last.level == "red"
    assert last.paging
    assert (await stored(escalator, ids[0])).state is CaseState.MERGED


async def test_both_cases_of_a_merge_and_a_command_on_the_second_fit_in_one_batch(escalator: Escalator) -> None:
    first, second = [await opened(escalator, f"2026-11-00000{place}", place) for place in (1, 2)]
    batch = [
        order(first, CommandKind.MERGE, at(minutes=5), arguments={"into": "2026-11-000002"}),
        order(second, CommandKind.ACKNOWLEDGE, at(minutes=5)),
    ]
    escalator.clock.set(at(minutes=5))
    assert await escalator.take(*batch) == [DONE, DONE]
    assert (await stored(escalator, second)).state is CaseState.ACKNOWLEDGED


async def test_an_acknowledgement_of_a_merged_case_counts_for_the_end_of_the_chain(escalator: Escalator) -> None:
    ids = [await opened(escalator, f"2026-11-00000{place}", place) for place in (1, 2, 3)]
    for place, case_id in enumerate(ids[:2]):
        arguments = {"into": f"2026-11-00000{place + 2}"}
        await escalator.take(order(case_id, CommandKind.MERGE, at(minutes=5), arguments=arguments))
    escalator.clock.set(at(minutes=6))
    assert await escalator.take(order(ids[0], CommandKind.ACKNOWLEDGE, at(minutes=6))) == [DONE]
    last = await stored(escalator, ids[2])
    assert (last.state, last.paging) == (CaseState.ACKNOWLEDGED, False)
    assert [(await stored(escalator, one)).state for one in ids[:2]] == [CaseState.MERGED] * 2
    said, counted = (await escalator.escalations())[-2:]
    assert (said.number, counted.number) == ("2026-11-000001", "2026-11-000003")
    assert "2026-11-000003" in said.changes[-1].because
    assert any("2026-11-000001" in one.because for one in counted.changes)


async def test_an_acknowledgement_of_a_merged_case_is_refused_in_writing_where_what_goes_on_is_over(
    escalator: Escalator,
) -> None:
    gone, goes_on = await opened(escalator, "2026-11-000001"), await opened(escalator, "2026-11-000002")
    await escalator.take(order(gone, CommandKind.MERGE, at(minutes=5), arguments={"into": "2026-11-000002"}))
    await escalator.take(order(goes_on, CommandKind.RESOLVE, at(minutes=6)))
    assert await escalator.take(order(gone, CommandKind.ACKNOWLEDGE, at(minutes=7))) == [DONE]
    said, refused = (await escalator.escalations())[-2:]
    assert [one.kind for one in said.changes] == [ChangeKind.COMMENTED]
    assert [one.kind for one in refused.changes] == [ChangeKind.COMMAND_REFUSED]
    assert (await stored(escalator, goes_on)).state is CaseState.RESOLVED
