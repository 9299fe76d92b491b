"""A drill through the whole line, and what a manager is shown of why a case has its level; all of it real."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_reaching import _follow
from tests.e2e.test_whole_line import case, complaint
from tests.support.broker import Broker
from tests.support.line import ROOT, Line, running_line

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("line")]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Line]:
    with running_line(tmp_path_factory.mktemp("drills"), broker) as running:
        yield running


def _environment(line: Line) -> dict[str, str]:
    names = {"FENGHUO_URL": "console_url", "FENGHUO_INTAKE_URL": "intake_url", "FENGHUO_API_KEY": "api_key"}
    return {**os.environ, **{name: line.credentials[of] for name, of in names.items()}}


def _link_of_drill(line: Line) -> str | None:
    drills = line.messages(containing="【演练】")
    return next((link for message in drills for link in message["links"] if "/a/" in link), None)


def test_a_live_drill_is_marked_and_tells_how_long_each_person_took(line: Line) -> None:
    command = [sys.executable, "-m", "services.command_line", "drill", "telecom-service-quality", "--live", "--json"]
    arguments = ["--case", "unacknowledged-goes-up", "--wait", "90s"]
    with subprocess.Popen(
        [*command, *arguments], env=_environment(line), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as drill:
        link = line.eventually(lambda: _link_of_drill(line), within=60, what="the drill's message with its link")
        assert _follow(link).is_success
        said, _ = drill.communicate(timeout=150)
    assert drill.returncode == 0, said
    found = json.loads(said)
    assert found["cases"]
    answered = [one for one in found["people"] if one["seconds"] is not None]
    assert answered, found
    assert all(0 <= one["seconds"] < 90 for one in answered)
    assert all("【演练】" in f"{one['subject']}{one['text']}" for one in line.messages(containing=found["cases"][0]))


def _repeated(line: Line, times: int) -> str:
    """The number of the last of so many complaints of one person about one thing."""
    numbers = [
        line.post(
            "/v1/complaints",
            complaint(f"again-{turn}", topic="storage-fee", service_failed=True)
            | {"plans": ["mall-major-complaint"], "complainant": {"name": "投诉人甲", "phone": "+86 138-0000-7777"}},
        )["number"]
        for turn in range(times)
    ]
    line.eventually(lambda: all(_counted(line, number) for number in numbers), within=60, what="all are classified")
    return str(numbers[-1])


def _counted(line: Line, number: str) -> list[dict[str, Any]]:
    if not case(line, number):
        return []
    with line.client("console") as client:
        [chain] = client.get(f"/v1/cases/{number}/explain").json()["plans"]
    found: list[dict[str, Any]] = chain["counted"]
    return found


def test_an_ordinary_case_shows_the_cases_in_the_window_it_was_judged_by(line: Line) -> None:
    number = _repeated(line, 3)
    [window] = _counted(line, number)
    assert window["window"] == "repeats"
    assert window["cases"] == window["value"] == 3
    assert number in [one["number"] for one in (*window["earliest"], *window["latest"])]
    assert window["group"] == {"complainant": None, "topic": "storage-fee"}
    command = [sys.executable, "-m", "services.command_line", "case", "explain", number]
    said = subprocess.run(command, env=_environment(line), cwd=ROOT, capture_output=True, text=True, check=True)
    assert "同一投诉人" in said.stdout
    assert all(one["number"] in said.stdout for one in window["earliest"])


def test_a_fact_that_does_not_fit_the_plans_of_its_case_is_refused_when_it_is_added(line: Line) -> None:
    line.post("/v1/complaints", complaint("added", line="network"))
    more = complaint("added") | {"facts": {"customers_affected": "many"}}
    more.pop("category")
    with line.client() as client:
        answers = [
            client.post("/v1/complaints", json=more),
            client.post("/v1/complaints", json=more | {"facts": {}, "plans": ["no-such-plan"]}),
        ]
    assert [answer.status_code for answer in answers] == [422, 422], [answer.text for answer in answers]
    assert [answer.json()["errors"][0]["field"] for answer in answers] == ["facts.customers_affected", "plans.0"]
