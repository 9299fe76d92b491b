"""`plans` on the command line: exit codes, places of problems, and output for machines."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.drill.cli.plans import app
from tests.support.escalations import PLAN_TEXT

RUNNER = CliRunner()
CASE = """
case: first
about: {zh: 测试, en: test}
start: 2026-11-02T09:00:00+08:00
report: {facts: {people: 1}}
expect: {level: LEVEL}
"""


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    cases = tmp_path / "ladder-test" / "cases"
    cases.mkdir(parents=True)
    (cases.parent / "plan.yaml").write_text(PLAN_TEXT, encoding="utf-8")
    (cases / "first.yaml").write_text(CASE.replace("LEVEL", "yellow"), encoding="utf-8")
    return tmp_path


def call(packs: Path, *arguments: str) -> tuple[int, str]:
    done = RUNNER.invoke(app, [*arguments, "--plans-dir", str(packs)], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def call_json(packs: Path, *arguments: str) -> tuple[int, Any]:
    code, output = call(packs, *arguments, "--json")
    return code, json.loads(output)


def test_sound_plans_pass_lint_with_their_identity(packs: Path) -> None:
    code, data = call_json(packs, "lint")
    assert code == 0
    assert [plan["name"] for plan in data["plans"]] == ["ladder-test"]
    assert call(packs, "lint")[0] == 0


def test_every_problem_is_printed_with_its_place(packs: Path) -> None:
    plan = packs / "ladder-test" / "plan.yaml"
    plan.write_text(PLAN_TEXT.replace("people >= 1,", "peeple >= 1,").replace("level: red,", "level: crimson,"))
    code, output = call(packs, "lint")
    assert code == 1
    lines = [line for line in output.splitlines() if "plan.yaml:" in line]
    assert len(lines) >= 2
    assert all(line.split(":")[1].isdigit() and line.split(":")[2].isdigit() for line in lines)
    code, data = call_json(packs, "lint")
    assert code == 1
    assert {"line", "column", "message", "field", "file"} == set(data["problems"][0])


@pytest.mark.parametrize("drafts", [(), ("ladder-test",)])
def test_what_is_wrong_with_plans_hides_nothing_in_their_case_files(packs: Path, drafts: tuple[str, ...]) -> None:
    folder = packs / "ladder-test"
    misspelt = PLAN_TEXT.replace("people >= 1,", "peeple >= 1,").replace("version: 1\n", "version: one\n")
    (folder / "plan.yaml").write_text(misspelt, encoding="utf-8")
    (folder / "cases" / "second.yaml").write_text(CASE.replace("start:", "begin:"), encoding="utf-8")
    code, output = call(packs, "lint", *drafts)
    assert code == 1
    for words in ("input should be a valid integer", "'peeple' is not declared", "unknown key 'begin'"):
        assert words in output


def test_a_folder_without_plans_does_not_pass_for_sound(tmp_path: Path) -> None:
    code, output = call(tmp_path, "lint")
    assert (code, "the folder holds no plans" in output) == (1, True)


def test_drafts_are_checked_shown_and_simulated_where_they_lie(packs: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "drafts" / "good", tmp_path / "drafts" / "bad"
    for folder, text in ((good, PLAN_TEXT), (bad, PLAN_TEXT.replace("people >= 1,", "peeple >= 1,"))):
        folder.mkdir(parents=True)
        (folder / "plan.yaml").write_text(text.replace("version: 1", "version: 7"), encoding="utf-8")
    code, data = call_json(packs, "lint", str(good), "ladder-test")
    assert (code, [plan["version"] for plan in data["plans"]]) == (0, [7, 1])
    code, output = call(packs, "lint", str(good / "plan.yaml"), str(bad), str(tmp_path / "none"))
    assert code == 1
    assert "peeple" in output
    assert "cannot be read" in output
    assert "v7" in call(packs, "show", str(good))[1].replace("第 7 版", "v7")
    assert call_json(packs, "simulate", str(good), "-f", "people=12", "--run-for", "1h")[0] == 0
    assert call(packs, "show", str(bad))[0] == 1


def test_cases_that_fail_make_the_command_fail(packs: Path) -> None:
    assert call(packs, "test")[0] == 0
    (packs / "ladder-test" / "cases" / "first.yaml").write_text(CASE.replace("LEVEL", "red"), encoding="utf-8")
    code, output = call(packs, "test")
    assert code == 1
    assert "level: expected red, found yellow" in output
    code, data = call_json(packs, "test")
    assert code == 1
    assert data["results"][0]["passed"] is False


def test_plan_is_shown_with_its_levels_clocks_and_tiers(packs: Path) -> None:
    code, output = call(packs, "show", "ladder-test")
    assert code == 0
    for word in ("红色", "people >= 100", "首次响应", "1小时", "主管领导"):
        assert word in output
    assert "Red" in call(packs, "show", "ladder-test", "--language", "en")[1]


def test_simulation_tells_who_is_told_when(packs: Path) -> None:
    arguments = ("simulate", "ladder-test", "-f", "people=12", "--then", "5m:acknowledge", "--run-for", "1h")
    code, data = call_json(packs, *arguments)
    assert code == 0
    told = [(entry["after"], entry["role"], entry["purpose"]) for entry in data["timeline"] if entry["what"] == "told"]
    assert told == [("0s", "liaison", "page"), ("0s", "customer-service", "inform")]
    assert data["case"]["state"] == "acknowledged"
    code, output = call(packs, *arguments)
    assert code == 0
    assert "liaison" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("simulate", "ladder-test", "-f", "people=many"), "fact 'people' must be a whole number"),
        (("simulate", "ladder-test", "-f", "poeple=1"), "has no fact 'poeple'"),
        (("simulate", "ladder-test", "-f", "people"), "is not of the form name=value"),
        (("simulate", "ladder-test", "--then", "5m:explode"), "command"),
        (("simulate", "ladder-test", "--run-for", "soon"), "is not a length of time"),
        (("simulate", "ladder-test", "--start", "monday"), "monday"),
        (("simulate", "ladder-test", "--case", "second"), "has no case 'second'; it has: first"),
        (("simulate", "unheard-of"), "there is no plan 'unheard-of'; there are: ladder-test"),
        (("show", "unheard-of"), "there is no plan 'unheard-of'"),
    ],
)
def test_bad_input_gives_one_clear_sentence(packs: Path, arguments: tuple[str, ...], message: str) -> None:
    code, output = call(packs, *arguments)
    assert code == 1
    assert message in output
    assert "Traceback" not in output


def test_the_table_adds_up_each_pack_and_names_what_failed(packs: Path) -> None:
    code, data = call_json(packs, "test")
    assert code == 0
    assert data["packs"] == [{"pack": "ladder-test", "tables": 0, "scenarios": 1, "checks": 1, "failed": 0}]
    (packs / "ladder-test" / "cases" / "first.yaml").write_text(CASE.replace("LEVEL", "red"), encoding="utf-8")
    code, output = call(packs, "test")
    assert code == 1
    assert "ladder-test/first: level: expected red, found yellow" in output
    assert "1 预案包 packs, 1 用例 cases, 1 检查 checks: 0 通过 passed, 1 失败 failed" in output
    code, output = call(packs, "test", "--each")
    assert "first" in output.split("✗")[0]


def test_a_plan_becomes_a_page_of_its_own_in_both_languages(packs: Path, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    assert call(packs, "show", "ladder-test", "--html", str(page))[0] == 0
    text = page.read_text("utf-8")
    assert '<span class="zh" lang="zh">首次响应' in text
    assert "<svg" in text
    assert "http://www.w3.org/2000/svg" in text
    assert not [part for part in ("src=", "href=", "url(", "<script") if part in text]
    code, output = call(packs, "show", "ladder-test", "--html", str(tmp_path))
    assert code == 1
    assert "cannot be written" in output
