"""Plans that passed before are taken as they were checked, and only for exactly the texts they were made of."""

from pathlib import Path

import pytest

from shared.plans import checked_plans, library
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from tests.support.escalations import PLAN_TEXT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    name = next(line.partition(": ")[2] for line in PLAN_TEXT.splitlines() if line.startswith("plan:"))
    folder = tmp_path / "plans" / name
    folder.mkdir(parents=True)
    (folder / "plan.yaml").write_text(PLAN_TEXT, "utf-8")
    return tmp_path / "plans"


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    seen: list[Path] = []
    real = library._read_all

    def counted(root: Path) -> object:
        seen.append(root)
        return real(root)

    monkeypatch.setattr(library, "_read_all", counted)
    return seen


def test_the_second_load_checks_nothing_and_gives_the_same_plans(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _reads(monkeypatch)
    first = PlanLibrary.load(root, checked=tmp_path / "kept")
    second = PlanLibrary.load(root, checked=tmp_path / "kept")
    assert len(seen) == 1
    assert [plan.ref for plan in first.plans] == [plan.ref for plan in second.plans]
    assert [plan.snapshot() for plan in first.plans] == [plan.snapshot() for plan in second.plans]


def test_any_other_text_and_any_other_language_is_checked_anew(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    PlanLibrary.load(root, checked=kept)
    seen = _reads(monkeypatch)
    path = next(root.glob("*/plan.yaml"))
    path.write_text(f"{PLAN_TEXT}# a remark\n", "utf-8")
    PlanLibrary.load(root, checked=kept)
    monkeypatch.setattr(checked_plans, "_language", lambda: "another version")
    PlanLibrary.load(root, checked=kept)
    assert len(seen) == 2
    assert len(list(kept.glob("*"))) == 1, "what is no longer valid is removed"


def test_a_bad_plan_is_refused_though_a_good_one_was_kept(root: Path, tmp_path: Path) -> None:
    PlanLibrary.load(root, checked=tmp_path / "kept")
    path = next(root.glob("*/plan.yaml"))
    path.write_text(PLAN_TEXT.replace("version: 1", "version: none"), "utf-8")
    with pytest.raises(PlanLibraryError):
        PlanLibrary.load(root, checked=tmp_path / "kept")


def test_a_damaged_file_is_as_none(root: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    expected = PlanLibrary.load(root, checked=kept)
    [path] = kept.glob("*.json")
    for damaged in ("", "[1]", '["{}"]', "\x00"):
        path.write_text(damaged, "utf-8")
        assert [plan.ref for plan in PlanLibrary.load(root, checked=kept).plans] == [p.ref for p in expected.plans]


def test_where_nothing_can_be_written_plans_are_still_loaded(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder", "utf-8")
    assert len(PlanLibrary.load(root, checked=blocked / "kept").plans) == 1


def test_a_text_that_cannot_be_read_is_told_as_without_kept_plans(root: Path, tmp_path: Path) -> None:
    (root / "broken" / "plan.yaml").mkdir(parents=True)
    with pytest.raises(PlanLibraryError, match="cannot be read"):
        PlanLibrary.load(root, checked=tmp_path / "kept")
