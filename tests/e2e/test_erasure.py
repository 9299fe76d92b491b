"""What was told of a case is erased on request: every process real, every table of every service read."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.e2e.test_whole_line import case
from tests.support.broker import Broker
from tests.support.line import SERVICES, Line, running_line

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("line")]

MARK = "Zq7Wx9Kj3"
"""Stands in everything that people tell and write about the case, and nowhere else."""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Line]:
    home: Path = tmp_path_factory.mktemp("line")
    with running_line(home, broker) as running:
        yield running


def complaint(reference: str) -> dict[str, Any]:
    return {
        "source": "e2e",
        "reference": f"{MARK}-{reference}",
        "topic": "宽带中断",
        "category": "network",
        "occurred_at": datetime.now(UTC).isoformat(),
        "title": f"{MARK} 宽带无法上网",
        "narrative": f"{MARK} 家里三天不能上网",
        "place": {"province": "四川", "city": "成都", "site": f"{MARK} 营业厅"},
        "complainant": {"name": f"{MARK} 甲", "phone": "13800001234", "note": MARK},
        "facts": {"line": "network", "customers_affected": 60_000},
    }


def order(line: Line, case_id: str, command: str, reason: str, **arguments: Any) -> None:
    body = {"command": command, "reason": reason, "actor": {"ref": "privacy-officer-a"}, "arguments": arguments}
    line.post(f"/v1/cases/{case_id}/commands", body)


def state(line: Line, number: str) -> str:
    return str(case(line, number).get("state"))


def lines_of(line: Line, number: str) -> list[dict[str, Any]]:
    with line.client("console") as client:
        found: list[dict[str, Any]] = client.get(f"/v1/cases/{number}").json()["timeline"]
    return found


def refusals(line: Line, number: str) -> str:
    return "".join(one["zh"] for one in lines_of(line, number) if one["kind"] == "command-refused")


def tables_with(line: Line, word: str) -> dict[str, int]:
    """Rows that hold the word, as text or as bytes, by table of any service."""
    return asyncio.run(_tables_with(line, word))


async def _tables_with(line: Line, word: str) -> dict[str, int]:
    connection = await _connected(line)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY($1::text[])", list(SERVICES)
        )
        assert {table["schemaname"] for table in tables} == set(SERVICES)
        found: dict[str, int] = {}
        for schema, table in tables:
            rows = await connection.fetchval(
                f'SELECT count(*) FROM "{schema}"."{table}" AS t WHERE CAST(t AS text) LIKE ANY($1::text[])',  # noqa: S608  # names from pg_tables
                [f"%{word}%", f"%{word.encode().hex()}%"],
            )
            if rows:
                found[f"{schema}.{table}"] = rows
        return found
    finally:
        await connection.close()


def originals(line: Line, case_id: str) -> list[dict[str, Any]]:
    with line.client() as client:
        found: list[dict[str, Any]] = client.get(f"/v1/cases/{case_id}/originals").json()["originals"]
    return found


def test_what_was_told_of_a_closed_case_is_gone_from_every_table(line: Line) -> None:
    told = line.post("/v1/complaints", complaint("1"))
    number, case_id = told["number"], told["case_id"]
    line.eventually(lambda: case(line, number).get("level") == "red", what="the case is red")
    order(line, case_id, "comment", f"{MARK} 已致电用户")
    order(line, case_id, "acknowledge", f"{MARK} 我来处理")
    line.eventually(lambda: state(line, number) == "acknowledged", what="the case is acknowledged")

    order(line, case_id, "erase", "投诉人请求删除")
    line.eventually(lambda: "均已结束后才能删除" in refusals(line, number), what="an open case is not erased")
    order(line, case_id, "close", f"{MARK} 已修复", outcome=f"{MARK} 已恢复")
    line.eventually(lambda: state(line, number) == "closed", what="the case is closed")
    order(line, case_id, "hold", "诉讼保全")
    order(line, case_id, "erase", "投诉人请求删除")
    line.eventually(lambda: "已保全，不得删除" in refusals(line, number), what="a held case is not erased")
    before = tables_with(line, MARK)
    assert {name.partition(".")[0] for name in before} == set(SERVICES), before
    assert any(MARK in str(one) for one in originals(line, case_id))

    order(line, case_id, "release-hold", "诉讼结束")
    order(line, case_id, "erase", "投诉人请求删除")
    line.kill("notifier")
    line.kill("classifier")
    line.eventually(
        lambda: any(one["kind"] == "erased" for one in lines_of(line, number)), what="the console tells of it"
    )
    line.eventually(lambda: not tables_with(line, MARK), within=150, what="no table holds a word of it")

    assert all(one["erased"] for one in originals(line, case_id))
    shown = case(line, number)
    assert (shown["level"], shown["state"], shown["title"]) == ("red", "closed", None)
    assert shown["told"]
    assert all(one["role"] and one["settlement"] for one in shown["told"])
    kinds = {one["kind"] for one in lines_of(line, number)}
    assert {"report", "classification", "tier-reached", "notification-settled", "erased", "case-erased"} <= kinds
    with line.client("console") as client:
        assert client.get(f"/v1/cases/{number}/explain").json()["plans"][0]["criterion"]["id"]
    assert line.metric("intake", "fenghuo_erased_rows_total", part="personal-data") > 0

    asyncio.run(_publish_everything_again(line))
    line.eventually(lambda: not asyncio.run(_waiting(line)), what="the outboxes are published again")
    line.eventually(lambda: not tables_with(line, MARK), within=60, what="what is published again brings nothing back")
    _again(line, case_id, number)


async def _publish_everything_again(line: Line) -> None:
    connection = await _connected(line)
    try:
        for schema in SERVICES:
            await connection.execute(f'UPDATE "{schema}".outbox SET published_at = NULL')  # noqa: S608  # constants
    finally:
        await connection.close()


async def _waiting(line: Line) -> int:
    connection = await _connected(line)
    try:
        waiting = 'SELECT count(*) FROM "{}".outbox WHERE published_at IS NULL'
        return sum([await connection.fetchval(waiting.format(schema)) for schema in SERVICES])
    finally:
        await connection.close()


async def _connected(line: Line) -> asyncpg.Connection:
    password = (line.home / "postgres" / "superuser-password").read_text().strip()
    return await asyncpg.connect(
        host="127.0.0.1", port=line.ports["postgres"], user="postgres", password=password, database="fenghuo"
    )


def _again(line: Line, case_id: str, number: str) -> None:
    """Neither what the outboxes publish again nor a late word brings anything back; the source may tell it anew."""
    repeated = line.post("/v1/complaints", complaint("1"))
    assert repeated["case_id"] != case_id
    order(line, case_id, "comment", "删除之后的备注")
    line.eventually(lambda: "已删除，不能再执行" in refusals(line, number), what="nothing is written any more")
    assert case(line, number)["title"] is None
