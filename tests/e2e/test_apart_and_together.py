"""A case is taken apart and put together again, every process real: both histories tell it, no limit is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_whole_line import case
from tests.support.broker import Broker
from tests.support.line import Line, running_line

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("line")]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Line]:
    home: Path = tmp_path_factory.mktemp("line")
    with running_line(home, broker) as running:
        yield running


def report(topic: str, occurred_at: datetime, **facts: Any) -> dict[str, Any]:
    return {
        "source": "e2e",
        "reference": "apart",
        "topic": topic,
        "category": "network",
        "occurred_at": occurred_at.isoformat(),
        "title": topic,
        "facts": facts,
    }


def history(line: Line, number: str) -> str:
    with line.client("console") as client:
        answer = client.get(f"/v1/cases/{number}")
        return "\n".join(entry["zh"] for entry in answer.json()["timeline"]) if answer.is_success else ""


def explained(line: Line, number: str) -> dict[str, dict[str, Any]]:
    with line.client("escalator") as client:
        answer = client.get(f"/v1/cases/{number}/clocks")
        assert answer.is_success, answer.text
        return {clock["id"]: clock for clock in answer.json()["cases"][0]["clocks"]}


def order(line: Line, case_id: str, command: str, **arguments: Any) -> dict[str, Any]:
    body = {"command": command, "reason": "两件不同的事", "actor": {"ref": "duty-manager-a"}, "arguments": arguments}
    return line.post(f"/v1/cases/{case_id}/commands", body)


def test_a_case_is_split_and_merged_again_without_losing_a_limit(line: Line) -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    whole = line.post("/v1/complaints", report("宽带中断", began, line="network", customers_affected=12_000))
    line.post(
        "/v1/complaints", report("机房断电", began + timedelta(hours=1), line="support", customers_affected=30_000)
    )
    number, case_id = whole["number"], whole["case_id"]
    line.eventually(lambda: case(line, number).get("level") == "orange", what="the case is orange")

    part = order(line, case_id, "split", reports=["2"])["split"]
    line.eventually(lambda: case(line, part["number"]).get("level") == "orange", what="the new case is orange")
    line.eventually(lambda: f"由案件 {number} 拆分" in history(line, part["number"]), what="the new case says so")
    line.eventually(lambda: f"拆分为案件 {part['number']}" in history(line, number), what="the old case says so")
    assert case(line, number)["level"] == "orange"
    assert explained(line, part["number"])["cause-and-plan"]["started_at"] == _utc(began + timedelta(hours=1))

    order(line, part["case_id"], "merge", into=number)
    line.eventually(lambda: case(line, part["number"]).get("state") == "merged", what="the new case is merged")
    line.eventually(lambda: f"并入 {part['number']}" in history(line, number), what="the old case has taken it in")
    ends = {clock: one["due_at"] for clock, one in explained(line, number).items() if one["state"] == "running"}
    assert ends["cause-and-plan"] == _utc(began + timedelta(hours=24))
    with line.client("escalator") as client:
        found = client.get("/v1/timers/audit").json()
    assert {name: found.get(name, 0) for name in ("overdue", "unarmed", "misarmed", "unpublished")} == {
        "overdue": 0,
        "unarmed": 0,
        "misarmed": 0,
        "unpublished": 0,
    }


def test_the_case_that_goes_on_is_judged_by_what_was_reported_of_both(line: Line) -> None:
    began = datetime.now(UTC) - timedelta(minutes=5)
    first = line.post("/v1/complaints", {**report("家宽卡顿", began, line="network"), "reference": "united-1"})
    second = line.post(
        "/v1/complaints", {**report("专线卡顿", began, customers_affected=60_000), "reference": "united-2"}
    )

    def classified() -> bool:
        return {case(line, one["number"]).get("state") for one in (first, second)} == {"classified"}

    line.eventually(classified, what="both are classified")
    assert "red" not in {case(line, one["number"])["level"] for one in (first, second)}
    order(line, second["case_id"], "merge", into=first["number"])
    line.eventually(lambda: case(line, first["number"])["level"] == "red", what="the united facts are red")
    assert case(line, second["number"])["state"] == "merged"
    line.eventually(lambda: "并入另一案件一起判级" in history(line, second["number"]), what="its history says so")


def _utc(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
