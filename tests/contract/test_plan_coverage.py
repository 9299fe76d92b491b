"""The list of written documents and the packs agree."""

import pytest

from services.drill.app.cover_documents import cover_documents
from services.drill.domain.documents import Coverage
from shared.plans.cases import load_cases
from shared.plans.library import PlanLibrary
from tests.support.plans import PACKS


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return cover_documents(PACKS)


def test_every_source_of_a_pack_is_a_listed_document(coverage: Coverage) -> None:
    assert not coverage.problems


def test_a_pack_that_takes_events_has_a_drill_or_a_case_to_drill() -> None:
    without = [
        plan.name
        for plan in PlanLibrary.load(PACKS).plans
        if plan.plan.levels and not plan.drills and not load_cases(PACKS / plan.name).cases
    ]
    assert not without


def test_a_drill_names_a_case_of_its_pack() -> None:
    astray = [
        f"{plan.name}: {drill.id} names {drill.case}"
        for plan in PlanLibrary.load(PACKS).plans
        for drill in plan.drills
        if drill.case not in {case.case for case in load_cases(PACKS / plan.name).cases}
    ]
    assert not astray


def test_every_folder_of_a_pack_tells_where_it_comes_from() -> None:
    plans = PlanLibrary.load(PACKS).plans
    silent = [plan.name for plan in plans if not (PACKS / plan.name / "README.md").is_file()]
    assert not silent
