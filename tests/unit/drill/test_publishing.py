"""Drafts are compared in words, proved before they are in force, and never changed under the same version."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.console.cli.wording import CommandError
from services.drill.cli.plans import app
from tests.support.escalations import PLAN_TEXT

RUNNER = CliRunner()
CASE = """
case: first
about: {zh: 测试, en: test}
start: 2026-11-02T09:00:00+08:00
report: {facts: {people: 150}}
expect: {level: red}
"""


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return _pack(tmp_path / "plans", PLAN_TEXT).parent


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return _pack(tmp_path / "drafts", PLAN_TEXT)


def _pack(root: Path, text: str) -> Path:
    (root / "ladder-test" / "cases").mkdir(parents=True)
    (root / "ladder-test" / "cases" / "first.yaml").write_text(CASE, encoding="utf-8")
    _write(root / "ladder-test", text)
    return root / "ladder-test"


def _write(folder: Path, text: str) -> None:
    (folder / "plan.yaml").write_text(text, encoding="utf-8")


def call(*arguments: str, packs: Path) -> tuple[int, Any]:
    done = RUNNER.invoke(app, [*arguments, "--plans-dir", str(packs), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.output)


def test_a_changed_bound_is_told_in_words_with_what_it_does_to_the_cases(packs: Path, draft: Path) -> None:
    _write(draft, PLAN_TEXT.replace("people >= 100", "people >= 200"))
    code, found = call("diff", "ladder-test", str(draft), packs=packs)
    assert code == 0
    assert any("people >= 100" in one["en"] and "people >= 200" in one["en"] for one in found["statements"])
    assert any(text.startswith("first: level: red") for text in found["outcomes"])


def test_equal_plans_have_no_difference(packs: Path, draft: Path) -> None:
    assert call("diff", "ladder-test", str(draft), packs=packs) == (0, {"statements": [], "outcomes": []})


def test_a_draft_is_put_in_force_as_a_new_version(packs: Path, draft: Path) -> None:
    text = PLAN_TEXT.replace("version: 1", "version: 2").replace("people >= 100", "people >= 120")
    _write(draft, text)
    (packs / "ladder-test" / "cases" / "gone.yaml").write_text(CASE.replace("first", "gone"), encoding="utf-8")
    code, tried = call("publish", str(draft), "--dry-run", packs=packs)
    assert (code, tried["replaced"], tried["tried"]) == (0, 1, True)
    assert "version: 1" in (packs / "ladder-test" / "plan.yaml").read_text("utf-8")
    code, found = call("publish", str(draft), packs=packs)
    assert (code, found["version"], found["replaced"], found["changed"]) == (0, 2, 1, True)
    assert (packs / "ladder-test" / "plan.yaml").read_text("utf-8") == text
    assert [path.name for path in (packs / "ladder-test" / "cases").iterdir()] == ["first.yaml"]


def test_a_new_plan_is_put_in_force(tmp_path: Path, draft: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, found = call("publish", str(draft), packs=tmp_path / "empty")
    assert (code, found["replaced"], found["changed"]) == (0, None, True)
    assert (tmp_path / "empty" / "ladder-test" / "plan.yaml").is_file()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAN_TEXT.replace("people >= 100", "people >= 120"), "never changes"),
        (PLAN_TEXT.replace("version: 1", "version: 2").replace("people >= 100", "people >= 500"), "expected red"),
    ],
    ids=["same-version", "failing-case"],
)
def test_what_may_not_be_published_changes_nothing(packs: Path, draft: Path, text: str, message: str) -> None:
    _write(draft, text)
    before = (packs / "ladder-test" / "plan.yaml").read_bytes()
    code, found = call("publish", str(draft), packs=packs)
    assert code == 1
    assert message in found["error"]
    assert (packs / "ladder-test" / "plan.yaml").read_bytes() == before


def test_an_older_version_is_not_published_over_a_newer_one(packs: Path, draft: Path) -> None:
    _write(packs / "ladder-test", PLAN_TEXT.replace("version: 1", "version: 3"))
    code, found = call("publish", str(draft), packs=packs)
    assert code == 1
    assert "in force as version 3" in found["error"]


def test_a_broken_draft_is_refused_with_its_places(packs: Path, draft: Path) -> None:
    _write(draft, PLAN_TEXT.replace("version: 1", "version: 2").replace("people >= 100", "peeple >= 100"))
    code, found = call("publish", str(draft), packs=packs)
    assert code == 1
    assert any("peeple" in problem["message"] for problem in found["problems"])
    shutil.rmtree(draft)
    assert call("publish", str(draft), packs=packs)[0] == 1


def test_a_calendar_that_is_not_here_is_refused_though_no_case_needs_it(packs: Path, draft: Path) -> None:
    text = PLAN_TEXT.replace("version: 1", "version: 2").replace("Shanghai\n", "Shanghai\ncalendar: mars\n")
    _write(draft, text)
    code, answer = call("publish", str(draft), packs=packs)
    assert code == 1
    assert "there is no calendar 'mars'" in answer["error"]
    assert "version: 1" in (packs / "ladder-test" / "plan.yaml").read_text("utf-8")


def test_a_draft_that_the_parameters_set_here_do_not_fit_is_refused(
    packs: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGHUO_PLAN_OVERRIDES", json.dumps({"ladder-test": {"wait": "5m"}, "another": {"x": 1}}))
    _write(draft, PLAN_TEXT.replace("version: 1", "version: 2"))
    code, answer = call("publish", str(draft), packs=packs)
    assert code == 1
    assert "no parameter 'wait'" in json.dumps(answer)


@pytest.mark.parametrize("given", ["{", "[1]", '{"ladder-test": 5}'])
def test_parameters_set_here_that_cannot_be_read_are_refused_and_not_passed_over(
    packs: Path, draft: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("FENGHUO_PLAN_OVERRIDES", given)
    done = RUNNER.invoke(app, ["publish", str(draft), "--plans-dir", str(packs)])
    assert isinstance(done.exception, CommandError)
    assert "FENGHUO_PLAN_OVERRIDES" in str(done.exception)
