"""What is kept of cases, and for how long: by request, by age, and never while a case is open or held."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.escalator.app.expire_cases import ExpireCases
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseErasedV1, ChangeKind, ErasedPart
from shared.kafka.outcome import DONE, Skip
from shared.runtime.ids import lowest_id_at
from tests.support.escalator import IDS, RULES, Escalator, classification, order

PERSONAL = {ErasedPart.PERSONAL_DATA: 30}
BOTH = {ErasedPart.PERSONAL_DATA: 30, ErasedPart.CASE: 60}
MARK = "Zq7Wx9Kj3"
TABLES = ("cases", "changes", "clock_entries", "timers", "fires", "outbox")


def expiry(escalator: Escalator, kept: dict[ErasedPart, int]) -> ExpireCases:
    return ExpireCases(escalator.database, escalator.plans, IDS, escalator.armed.append, kept)


def new_id(escalator: Escalator) -> UUID:
    """As intake would make it at the test's time."""
    return UUID(int=lowest_id_at(escalator.clock.now()).int | IDS.new().int & (1 << 62) - 1)


async def opened(escalator: Escalator) -> UUID:
    case_id = new_id(escalator)
    await escalator.take(classification(case_id, title=f"{MARK} title"))
    return case_id


async def told(escalator: Escalator, case_id: UUID, *kinds: CommandKind, reason: str = MARK) -> list[object]:
    now: datetime = escalator.clock.now()
    return list(await escalator.take(*(order(case_id, kind, now, reason=reason) for kind in kinds)))


async def erasures(escalator: Escalator) -> list[tuple[UUID, CaseErasedV1]]:
    return [
        (event.case_id, event.data) for event in await escalator.published() if isinstance(event.data, CaseErasedV1)
    ]


async def with_mark(escalator: Escalator, case_id: UUID, tables: Sequence[str] = TABLES[:-1]) -> list[str]:
    found = []
    for table in tables:
        rows = await escalator.rows(
            f"SELECT 1 FROM {table} AS t WHERE case_id = :id AND CAST(t AS text) LIKE :mark",  # noqa: S608  # constants
            id=case_id,
            mark=f"%{MARK}%",
        )
        found += [table] if rows else []
    return found


async def test_a_closed_case_is_erased_on_request_and_tells_every_service(escalator: Escalator) -> None:
    case_id = await opened(escalator)
    await told(escalator, case_id, CommandKind.COMMENT, CommandKind.CLOSE)
    assert set(await with_mark(escalator, case_id)) >= {"cases", "changes"}
    (before,) = await escalator.rows("SELECT changed_at, level, state FROM cases")

    escalator.clock.advance(timedelta(hours=2))
    assert await told(escalator, case_id, CommandKind.ERASE, reason="as they asked") == [DONE]

    assert await with_mark(escalator, case_id) == []
    assert await escalator.rows("SELECT changed_at, level, state FROM cases") == [before]
    ((erased_id, erased),) = await erasures(escalator)
    assert (erased_id, erased.part, erased.reason) == (case_id, ErasedPart.PERSONAL_DATA, "as they asked")
    assert erased.last_changed_at == before["changed_at"]
    (record,) = await escalator.rows("SELECT case_id, part, reason FROM erasures")
    assert record == {"case_id": case_id, "part": "personal-data", "reason": "as they asked"}
    assert (await escalator.kinds())[-1] is ChangeKind.ERASED


async def test_what_comes_late_for_an_erased_case_brings_nothing_back(escalator: Escalator) -> None:
    case_id = await opened(escalator)
    await told(escalator, case_id, CommandKind.CLOSE)
    await told(escalator, case_id, CommandKind.ERASE)
    late = classification(case_id, "red", revision=2, title=f"{MARK} again")
    further = classification(case_id, "red", plan=RULES.plan.ref.model_copy(update={"name": "another"}), title=MARK)
    assert [type(one) for one in await escalator.take(late, further)] == [Skip, Skip]
    await told(escalator, case_id, CommandKind.COMMENT, CommandKind.REOPEN, CommandKind.ERASE, reason="late")
    assert (await escalator.kinds())[-3:] == [ChangeKind.COMMAND_REFUSED] * 3
    (row,) = await escalator.rows("SELECT state, CAST(body AS text) AS body FROM cases")
    assert row["state"] == "closed"
    assert MARK not in row["body"]
    assert len(await erasures(escalator)) == 1


async def test_what_is_open_or_held_is_never_erased(escalator: Escalator) -> None:
    still_open, held, over = [await opened(escalator) for _ in range(3)]
    for case_id in (held, over):
        await told(escalator, case_id, CommandKind.CLOSE)
    await told(escalator, held, CommandKind.HOLD, reason="a court asked")
    await told(escalator, still_open, CommandKind.ERASE)
    await told(escalator, held, CommandKind.ERASE)
    assert await erasures(escalator) == []
    assert await expiry(escalator, PERSONAL)() == 0, "nothing is old enough"

    escalator.clock.advance(timedelta(days=31))
    assert await expiry(escalator, BOTH)() == 1
    assert [case_id for case_id, _ in await erasures(escalator)] == [over]
    assert await with_mark(escalator, over) == []
    assert await with_mark(escalator, held)
    assert await with_mark(escalator, still_open)

    await told(escalator, held, CommandKind.RELEASE_HOLD, reason="the court is done")
    escalator.clock.advance(timedelta(days=31))
    assert await expiry(escalator, PERSONAL)() == 1, "its time counts from its release"
    assert await expiry(escalator, PERSONAL)() == 0
    assert await with_mark(escalator, held) == []


async def test_a_case_goes_altogether_when_its_own_time_is_over(escalator: Escalator) -> None:
    case_id, younger = await opened(escalator), new_id(escalator)
    await told(escalator, case_id, CommandKind.CLOSE)
    escalator.clock.advance(timedelta(days=31))
    await escalator.take(classification(younger))
    assert await expiry(escalator, BOTH)() == 1
    escalator.clock.advance(timedelta(days=30))
    assert await expiry(escalator, BOTH)() == 1, "counted from its end, not from when its words were erased"
    parts = [(one, data.part) for one, data in await erasures(escalator)]
    assert parts == [(case_id, ErasedPart.PERSONAL_DATA), (case_id, ErasedPart.CASE)]
    for table in TABLES[:-1]:
        left = await escalator.rows(f"SELECT DISTINCT case_id FROM {table}")  # noqa: S608  # constants
        assert case_id not in {row["case_id"] for row in left}, table
    assert await escalator.rows("SELECT part FROM erasures") == [{"part": "case"}]
    assert await expiry(escalator, BOTH)() == 0


async def test_more_cases_than_one_step_takes_are_erased_in_one_run(escalator: Escalator) -> None:
    case_ids = [new_id(escalator) for _ in range(120)]
    now = escalator.clock.now()
    await escalator.take(*(classification(case_id, title=MARK) for case_id in case_ids))
    await escalator.take(*(order(case_id, CommandKind.CLOSE, now, reason="done") for case_id in case_ids))
    escalator.clock.advance(timedelta(days=31))
    assert await expiry(escalator, PERSONAL)() == len(case_ids)
    assert {case_id for case_id, _ in await erasures(escalator)} == set(case_ids)


async def test_a_merged_case_waits_for_the_one_that_goes_on(escalator: Escalator) -> None:
    main, merged = await opened(escalator), await opened(escalator)
    now = escalator.clock.now()
    await escalator.take(order(merged, CommandKind.MERGE, now, reason="same", arguments={"into": str(main)}))
    assert await told(escalator, merged, CommandKind.ERASE) == [DONE]
    assert (await escalator.kinds())[-1] is ChangeKind.COMMAND_REFUSED
    escalator.clock.advance(timedelta(days=31))
    assert await expiry(escalator, PERSONAL)() == 0
    await told(escalator, main, CommandKind.CLOSE)
    escalator.clock.advance(timedelta(days=31))
    assert await expiry(escalator, PERSONAL)() == 1
    assert await expiry(escalator, PERSONAL)() == 1
    assert await with_mark(escalator, merged) == []
