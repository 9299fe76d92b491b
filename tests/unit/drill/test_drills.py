"""Drills: every pack can be rehearsed, people of a roster are named, and a live drill is marked and measured."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.command_line import app
from services.drill.domain.live import NotDrillableError, answered, postings
from shared.plans.cases import load_cases
from tests.support.plans import PACKS

RUNNER = CliRunner()
ROSTER = PACKS.parent / "rosters" / "demo.yaml"
TELECOM = {case.case: case for case in load_cases(PACKS / "telecom-service-quality").cases}


def test_a_drill_prints_who_would_be_told_and_names_people_of_a_roster() -> None:
    done = RUNNER.invoke(
        app,
        ["drill", "telecom-service-quality", "--plans-dir", str(PACKS), "--roster", str(ROSTER), "--json"],
    )
    assert done.exit_code == 0, done.output
    told = [entry for entry in json.loads(done.output)["timeline"] if entry["what"] == "told"]
    assert told
    assert all(entry["channels"] for entry in told)
    assert any(entry["people"] for entry in told)


def test_a_roster_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    file.write_bytes(b"organisation: \xff")
    done = RUNNER.invoke(app, ["drill", "telecom-service-quality", "--plans-dir", str(PACKS), "--roster", str(file)])
    assert done.exit_code == 1
    assert f"{file}:1: is not UTF-8 (byte 14)" in done.output.replace("\n", "")


def test_an_unknown_case_is_refused_with_those_there_are() -> None:
    done = RUNNER.invoke(app, ["drill", "telecom-service-quality", "--case", "nothing", "--plans-dir", str(PACKS)])
    assert done.exit_code == 1
    assert next(iter(TELECOM)) in done.output


def test_a_live_drill_posts_marked_reports_under_names_of_its_own() -> None:
    case = next(case for case in TELECOM.values() if case.burst is None)
    found = postings(case, "telecom-service-quality", "drill-1", timedelta(minutes=10))
    assert found
    assert all(one.body["drill"] is True for one in found)
    assert all(one.body["plans"] == ["telecom-service-quality"] for one in found)
    assert all(one.body["reference"].startswith("drill-1-") for one in found)


def test_a_storm_is_not_posted() -> None:
    case = next(case for case in TELECOM.values() if case.burst is not None)
    assert case.burst is not None
    storm = case.model_copy(update={"burst": case.burst.model_copy(update={"count": 501, "every": "1s"})})
    with pytest.raises(NotDrillableError, match="501 reports"):
        postings(storm, "telecom-service-quality", "drill-1", timedelta(hours=1))


def test_the_time_to_acknowledge_counts_from_the_first_message_to_that_person() -> None:
    case = {
        "number": "2026-11-000001",
        "acknowledged_at": "2026-11-22T09:05:00+00:00",
        "acknowledged_by": {"kind": "person", "ref": "duty-b"},
        "told": [
            {"person": "duty-b", "at": "2026-11-22T09:03:00+00:00"},
            # The receipt came after the answer.
            {"person": "duty-b", "asked_at": "2026-11-22T09:02:00+00:00", "at": "2026-11-22T09:06:00+00:00"},
            {"person": "duty-a", "at": "2026-11-22T09:00:00+00:00"},
            {"person": None, "at": "2026-11-22T09:00:00+00:00"},
        ],
    }
    assert [(one.person, one.seconds) for one in answered([case])] == [("duty-a", None), ("duty-b", 180.0)]
