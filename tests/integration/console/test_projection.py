"""The read model on a real PostgreSQL: the same rows whatever the order and multiplicity of events."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from services.console.app.list_cases import list_cases
from services.console.app.project_events import project_events
from services.console.app.read_board import Filter, read_board
from services.console.app.read_case import read_case
from services.console.app.record_dead_letters import record_dead_letters
from shared.contracts.escalations import CaseState
from shared.contracts.notifications import Settlement
from shared.db.engine import Database
from shared.db.migrate import unmigrated_changes
from shared.kafka.dead_letters import DeadRecord
from shared.kafka.outcome import Done, Skip
from tests.support.console import (
    IDS,
    ORG,
    WORDS,
    create_escalated,
    create_event,
    create_settled,
    create_story,
    project,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
_TABLES = ("cases", "timeline", "reports", "classifications", "requests", "deliveries")
_ORDERS = {"timeline": "event_id, line"}
# Numbers that only say in which order rows were written.
_ARRIVAL = {"seq", "touched"}


async def contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    found = {}
    async with database.transaction() as tx:
        for table in _TABLES:
            rows = await tx.fetch(f"SELECT * FROM {table} ORDER BY {_ORDERS.get(table, '1, 2')}")  # noqa: S608  # constants
            found[table] = [{name: value for name, value in row.items() if name not in _ARRIVAL} for row in rows]
    return found


def test_declared_tables_equal_the_migrated_schema(console_url: str) -> None:
    assert unmigrated_changes("console", console_url) is None


async def test_the_same_events_in_any_order_and_number_give_the_same_rows(
    console_database: Database, other_console_database: Database
) -> None:
    events = create_story("2026-11-000001", "red", at=NOON)
    case = events[0].case_id
    settled = events[4].data
    worse = settled.model_copy(update={"settlement": Settlement.FAILED, "settled_at": NOON + timedelta(minutes=5)})
    events += [
        create_event(worse, case),
        create_event(create_escalated("2026-11-000001", "red", NOON, revision=3, state=CaseState.RESOLVED), case),
        create_event(create_escalated("2026-11-000001", "red", NOON, revision=2, state=CaseState.ACKNOWLEDGED), case),
    ]
    await project(console_database, events)
    shuffled = [*events, *events]
    random.Random(7).shuffle(shuffled)  # noqa: S311  # an order, not a secret
    for batch in _batches(shuffled, 4):
        await project(other_console_database, batch)
    first, second = await contents(console_database), await contents(other_console_database)
    assert first == second
    assert first["cases"][0]["revision"] == 3
    assert first["cases"][0]["is_open"] is False
    assert first["deliveries"][0]["settlement"] == "failed"


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


async def test_an_event_twice_in_one_batch_is_applied_once(console_database: Database) -> None:
    event = create_story("2026-11-000001", at=NOON)[0]
    outcomes = await project_events([event, event], database=console_database, words=WORDS)
    assert [type(outcome) for outcome in outcomes] == [Done, Skip]
    again = await project_events([event], database=console_database, words=WORDS)
    assert isinstance(again[0], Skip)
    assert len((await contents(console_database))["timeline"]) == 1


async def test_the_board_is_sorted_by_severity_then_by_what_nobody_acknowledged(console_database: Database) -> None:
    async def open_case(number: str, level: str, **fields: Any) -> None:
        await project(console_database, [create_event(create_escalated(number, level, NOON, **fields), IDS.new())])

    await open_case("yellow", "yellow")
    await open_case("red-late", "red", next_tier_at=NOON + timedelta(minutes=50), clocks=())
    await open_case("red-soon", "red", next_tier_at=NOON + timedelta(minutes=5), clocks=())
    await open_case("red-taken", "red", acknowledged_at=NOON, next_tier_at=NOON + timedelta(minutes=1), clocks=())
    await open_case("closed", "red", state=CaseState.CLOSED)
    await project(console_database, [create_event(create_escalated("plain", None, NOON), IDS.new())])
    board = await read_board(ORG, Filter(open=True, graded=True), database=console_database, words=WORDS)
    assert [case["number"] for case in board.cases] == ["red-soon", "red-late", "red-taken", "yellow"]
    assert board.totals == {"open": 4, "unacknowledged": 3, "ungraded": 1}
    plain = await read_board(ORG, Filter(open=True, graded=False), database=console_database, words=WORDS)
    assert [case["number"] for case in plain.cases] == ["plain"]


async def test_filters_narrow_the_list_and_a_percent_sign_is_only_a_character(console_database: Database) -> None:
    for number, level in (("N-1", "red"), ("N-2", "yellow")):
        await project(console_database, [create_event(create_escalated(number, level, NOON), IDS.new())])

    async def numbers(**wanted: Any) -> set[str]:
        found, _ = await list_cases(
            ORG, Filter(**wanted), limit=10, cursor=None, database=console_database, words=WORDS
        )
        return {case["number"] for case in found}

    assert await numbers() == {"N-1", "N-2"}
    assert await numbers(level="red") == {"N-1"}
    assert await numbers(text="n-2") == {"N-2"}
    assert await numbers(text="杭州") == {"N-1", "N-2"}
    assert await numbers(text="%") == set()
    assert await numbers(kind="warning") == set()


async def test_pages_of_the_list_neither_repeat_nor_miss_a_case(console_database: Database) -> None:
    for count in range(5):
        data = create_escalated(f"N-{count}", "red", NOON + timedelta(seconds=count // 2))
        await project(console_database, [create_event(data, IDS.new())])
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page, cursor = await list_cases(ORG, Filter(), limit=2, cursor=cursor, database=console_database, words=WORDS)
        seen += [case["number"] for case in page]
    assert cursor is None
    assert sorted(seen) == [f"N-{count}" for count in range(5)]


async def test_an_organisation_never_sees_anothers_case(console_database: Database) -> None:
    case = IDS.new()
    await project(console_database, [create_event(create_escalated("N-1", "red", NOON), case, org="other")])
    assert await read_case(ORG, str(case), database=console_database, words=WORDS) is None
    assert await read_case(ORG, "N-1", database=console_database, words=WORDS) is None
    assert (await read_board(ORG, Filter(), database=console_database, words=WORDS)).cases == []
    assert await read_case("other", "N-1", database=console_database, words=WORDS) is not None


async def test_a_request_without_settlement_is_shown_as_on_its_way(console_database: Database) -> None:
    events = create_story("2026-11-000001", at=NOON)
    await project(console_database, events[:4])
    case = await read_case(ORG, "2026-11-000001", database=console_database, words=WORDS)
    assert case is not None
    assert [(one["role"], one["settlement"]) for one in case.plans[0]["told"]] == [("business-liaison", "pending")]
    await project(console_database, [events[4], create_event(create_settled("x", NOON, IDS.new()), IDS.new())])
    case = await read_case(ORG, "2026-11-000001", database=console_database, words=WORDS)
    assert case is not None
    assert [one["settlement"] for one in case.plans[0]["told"]] == ["delivered"]


async def test_a_dead_letter_read_twice_is_kept_once_and_keeps_its_bytes(console_database: Database) -> None:
    letter = DeadRecord(
        topic="complaints-received-dlq",
        partition=0,
        offset=3,
        key=b"\x00\xff",
        headers=(
            ("ce_id", b"\xff\xfe"),
            ("ce_org", b"demo"),
            ("dlq_reason", "坏\x00了".encode()),
            ("dlq_consumer", b"classifier"),
            ("dlq_topic", b"complaints-received"),
            ("dlq_offset", b"99999999999999999999999"),
            ("dlq_first_failed_at", b"yesterday"),
        ),
        value=b"\x00not json",
    )
    moved = DeadRecord(letter.topic, 0, 77, letter.key, letter.headers, letter.value)
    assert await record_dead_letters([letter, letter], database=console_database) == 1
    assert await record_dead_letters([moved], database=console_database) == 0
    async with console_database.transaction() as tx:
        row = await tx.fetch_one("SELECT * FROM dead_letters")
    assert row is not None
    assert bytes(row["value"]) == b"\x00not json"
    assert bytes(row["record_key"]) == b"\x00\xff"
    assert (row["topic"], row["consumer"], row["reason"]) == ("complaints-received", "classifier", "坏�了")
