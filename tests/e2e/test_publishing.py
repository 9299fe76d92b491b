"""A plan is changed while the line runs: new cases get it without a restart, open ones keep theirs until moved."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_whole_line import case
from tests.support.broker import Broker
from tests.support.line import ROOT, SERVICES, Line, running_line

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("line")]

NAME = "trial-plan"
PLAN = f"""\
plan: {NAME}
version: 1
title: {{zh: 试行预案, en: Trial plan}}
timezone: Asia/Shanghai
applies: {{kinds: [complaint], categories: [trial]}}
levels:
  - {{id: yellow, zh: 试行黄色, en: Trial yellow}}
  - {{id: red, zh: 试行红色, en: Trial red}}
facts:
  people: {{int: {{min: 0}}, zh: 人数, en: People}}
criteria:
  - {{id: few, level: yellow, when: 5 <= people < 100, label: {{zh: 五人以上, en: Five or more}}}}
  - {{id: many, level: red, when: people >= 100, label: {{zh: 百人以上, en: A hundred or more}}}}
clocks:
  - id: finish
    label: {{zh: 办结, en: Finish}}
    from: received
    until: resolved
    limit: 48h
    breach: record
tiers:
  - id: liaison
    zh: 接口人
    en: Liaison
    roles: [business-liaison]
    channels: [sms]
    acknowledge_within: 1h
"""
CASE = """\
case: twenty
about: {zh: 二十人, en: Twenty people}
start: "2026-03-02T09:00:00+08:00"
report: {kind: complaint, category: trial, facts: {people: 20}}
run_for: 5m
expect: {level: LEVEL}
"""


WISH: dict[str, Any] = {"command": "move-plan", "plan": NAME, "person": "leader-a", "arguments": {"version": 2}}


class Workshop:
    """The folder of plans that the line works with, and the commands of those who write plans."""

    def __init__(self, line: Line, plans: Path, drafts: Path) -> None:
        self.line = line
        self.plans = plans
        self._drafts = drafts

    def draft(self, text: str, level: str) -> Path:
        folder = self._drafts / NAME
        shutil.rmtree(folder, ignore_errors=True)
        write(folder, text, level)
        return folder

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command as a person at this machine types it."""
        return subprocess.run(
            [sys.executable, "-m", "services.command_line", "--lang", "en", *words],
            env={**os.environ, "FENGHUO_HOME": str(self.line.home), "FENGHUO_PLANS_DIR": str(self.plans)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def migrate(self, *words: str) -> dict[str, Any]:
        done = self.run("plans", "migrate", NAME, "--json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def write(folder: Path, text: str, level: str) -> None:
    (folder / "cases").mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    (folder / "cases" / "twenty.yaml").write_text(CASE.replace("LEVEL", level), encoding="utf-8")


def second() -> str:
    text = PLAN.replace("version: 1", "version: 2").replace("< 100", "< 10").replace("people >= 100", "people >= 10")
    text = text.replace("limit: 48h", "limit: 24h").replace("roles: [business-liaison]", "roles: [customer-service]")
    return text.replace("百人以上", "十人以上").replace("A hundred or more", "Ten or more")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Workshop]:
    home: Path = tmp_path_factory.mktemp("line")
    deploy = tmp_path_factory.mktemp("deploy")
    for name in ("plans", "rosters", "calendars"):
        shutil.copytree(ROOT / "deploy" / name, deploy / name)
    write(deploy / "plans" / NAME, PLAN, "yellow")
    with running_line(home, broker, {"FENGHUO_DEPLOY_DIR": str(deploy)}) as running:
        yield Workshop(running, deploy / "plans", tmp_path_factory.mktemp("drafts"))


def post(line: Line, reference: str, people: int) -> str:
    body = {
        "source": "e2e",
        "reference": reference,
        "topic": f"topic of {reference}",
        "category": "trial",
        "occurred_at": datetime.now(UTC).isoformat(),
        "title": "试行",
        "facts": {"people": people},
    }
    return str(line.post("/v1/complaints", body)["number"])


def order(line: Line, number: str, status: int = 202, **body: Any) -> dict[str, Any]:
    with line.client("console") as client:
        answer = client.post(f"/v1/cases/{number}/commands", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def history(line: Line, number: str) -> list[dict[str, Any]]:
    with line.client("console") as client:
        found: list[dict[str, Any]] = client.get(f"/v1/cases/{number}").json()["timeline"]
    return found


def letters(line: Line) -> list[Any]:
    with line.client("console") as client:
        body = client.get("/v1/dead-letters").json()
    found: list[Any] = body["dead_letters"] if isinstance(body, dict) else body
    return found


def health(line: Line, service: str) -> str:
    with line.client(service) as client:
        return client.get("/readyz").text


def learns(line: Line, number: str, people: int) -> None:
    """More becomes known of a case, and it is told so."""
    post(line, REFERENCES[number], people)
    line.eventually(
        lambda: any(
            one["kind"] == "facts-added" and one["details"].get("people") == people for one in history(line, number)
        ),
        what=f"{number} knowing of {people}",
    )


REFERENCES: dict[str, str] = {}


def opened(line: Line, reference: str) -> str:
    """The number of a case that is yellow under version 1."""
    number = post(line, reference, 20)
    REFERENCES[number] = reference
    line.eventually(lambda: case(line, number).get("level") == "yellow", what="yellow under version 1")
    return number


def bad_drafts_are_refused(workshop: Workshop) -> None:
    unknown = workshop.run(
        "plans", "publish", str(workshop.draft(second().replace("people >= 10", "peeple > 9"), "red"))
    )
    assert unknown.returncode == 1
    assert "peeple" in unknown.stdout + unknown.stderr
    untrue = workshop.run("plans", "publish", str(workshop.draft(second(), "yellow")))
    assert untrue.returncode == 1, "its own case does not come true"
    same = workshop.run("plans", "publish", str(workshop.draft(second().replace("version: 2", "version: 1"), "red")))
    assert same.returncode == 1
    assert "version 2" in same.stdout + same.stderr


def a_bad_file_changes_nothing_but_the_warning_light(workshop: Workshop) -> str:
    line, path = workshop.line, workshop.plans / NAME / "plan.yaml"
    path.write_text(PLAN.replace("people >= 100", "peeple >= 100"), encoding="utf-8")
    line.eventually(
        lambda: all(line.metric(name, "fenghuo_plans_broken") == 1 for name in ("classifier", "escalator", "console")),
        what="the bad plan noticed",
    )
    assert "peeple" in health(line, "classifier")
    number = opened(line, "while-bad")
    assert case(line, number)["plan_version"] == 1
    path.write_text(PLAN, encoding="utf-8")
    return number


def a_good_one_is_in_force_without_a_restart(workshop: Workshop) -> None:
    line = workshop.line
    pids = {name: line.pid(name) for name in SERVICES}
    done = workshop.run("plans", "publish", str(workshop.draft(second(), "red")))
    assert done.returncode == 0, done.stdout + done.stderr
    numbers: list[str] = []

    def is_new() -> bool:
        numbers.append(post(line, f"new-{len(numbers)}", 20))
        line.eventually(lambda: case(line, numbers[-1]), what="on the board")
        return bool(case(line, numbers[-1])["plan_version"] == 2)

    line.eventually(is_new, within=40, what="a new complaint under version 2")
    assert case(line, numbers[-1])["level"] == "red"
    line.eventually(lambda: line.messages(containing=numbers[-1]), what="its page")
    assert not letters(line), "nothing was lost while services changed over one after the other"
    assert {name: line.pid(name) for name in SERVICES} == pids, "nobody was restarted"


def the_preview_shows_what_would_change(workshop: Workshop, number: str, ended: str) -> dict[str, Any]:
    before = case(workshop.line, number)
    shown = {one["number"]: one for one in workshop.migrate()["cases"]}
    assert ended not in shown
    mine: dict[str, Any] = shown[number]
    assert (mine["before"]["version"], mine["after"]["version"]) == (1, 2)
    assert (mine["level_before"], mine["level_after"]) == ("试行黄色", "试行红色")
    assert "十人以上" in mine["because"]
    [clock] = mine["clocks"]
    assert clock["due_before"] > clock["due_after"]
    assert {"purpose": "page", "roles": ["customer-service"]} in mine["told"]
    assert "closed" in workshop.migrate("--case", ended)["cases"][0]["refused"]
    assert case(workshop.line, number) == before, "nothing is changed by looking"
    return mine


def a_named_person_moves_it(workshop: Workshop, number: str, shown: dict[str, Any]) -> None:
    line, before = workshop.line, case(workshop.line, number)
    assert workshop.run("plans", "migrate", NAME, "--apply", "--case", number).returncode == 2, "who, and why?"
    applied = workshop.migrate("--apply", "--case", number, "--reason", "the plan was revised", "--as", "leader-a")
    assert [one["moved"] for one in applied["cases"]] == [True]
    line.eventually(lambda: case(line, number).get("plan_version") == 2, what="moved on the board")
    moved = case(line, number)
    assert moved["level"] == "red"
    due = datetime.fromisoformat(moved["clocks"][0]["due_at"])
    assert due == datetime.fromisoformat(shown["clocks"][0]["due_after"]), "as was shown"
    [told] = [one for one in history(line, number) if one["kind"] == "plan-moved"]
    assert "leader-a" in told["zh"]
    assert "the plan was revised" in told["zh"]
    assert told["details"]["from_sha256"] == before["plan_sha256"]
    assert "the plan was revised" in workshop.run("case", "explain", number).stdout
    line.eventually(
        lambda: any("试行红色" in one["text"] for one in line.messages(containing=number)), what="told of red"
    )


def asking_again_changes_nothing(workshop: Workshop, number: str) -> None:
    line = workshop.line
    assert workshop.migrate("--case", number)["cases"] == []
    order(line, number, **WISH | {"reason": "once more"})
    line.eventually(lambda: any("once more" in one["zh"] for one in history(line, number)), what="the second wish")
    learns(line, number, 22)
    assert len([one for one in history(line, number) if one["kind"] == "plan-moved"]) == 1


def it_goes_over_http_like_any_command(line: Line, number: str) -> None:
    assert "reason" in json.dumps(order(line, number, 422, **WISH))
    assert "version" in json.dumps(order(line, number, 422, **WISH | {"reason": "r", "arguments": {}}))
    order(line, number, **WISH | {"reason": "r", "arguments": {"version": 9}})
    line.eventually(
        lambda: any("现行为第 2 版，不是第 9 版" in one["zh"] for one in history(line, number)), what="refused by name"
    )
    assert case(line, number)["plan_version"] == 1
    order(line, number, **WISH | {"reason": "r"})
    line.eventually(lambda: case(line, number).get("plan_version") == 2, what="moved over HTTP")


def test_a_plan_is_published_into_the_running_line_and_an_open_case_is_moved_to_it(workshop: Workshop) -> None:
    line = workshop.line
    open_one, ended, later = (opened(line, name) for name in ("open", "ended", "later"))
    order(line, ended, command="acknowledge")
    order(line, ended, command="close", reason="done", person="duty-manager-a")
    line.eventually(lambda: case(line, ended).get("state") == "closed", what="closed")
    bad_drafts_are_refused(workshop)
    a_bad_file_changes_nothing_but_the_warning_light(workshop)
    a_good_one_is_in_force_without_a_restart(workshop)
    learns(line, open_one, 21)
    assert (case(line, open_one)["plan_version"], case(line, open_one)["level"]) == (1, "yellow"), "it keeps its own"
    shown = the_preview_shows_what_would_change(workshop, open_one, ended)
    a_named_person_moves_it(workshop, open_one, shown)
    assert case(line, later)["plan_version"] == 1
    asking_again_changes_nothing(workshop, open_one)
    it_goes_over_http_like_any_command(line, later)
    assert not letters(line)
