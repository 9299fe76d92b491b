"""Every rule of the lint has a plan that breaks it: the file's first lines are the problems it must be refused with."""

from pathlib import Path

import pytest

from shared.plans.library import parse_plan
from shared.plans.problems import PlanLibraryError
from tests.support.plans import SOUND

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def test_the_plan_they_are_made_from_is_sound() -> None:
    assert parse_plan(SOUND, "plan.yaml").plan == "sample"


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_plan_is_refused_with_all_its_problems(path: Path) -> None:
    text = path.read_text("utf-8")
    expected = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    with pytest.raises(PlanLibraryError) as raised:
        parse_plan(text, "plan.yaml")
    assert [str(problem).removeprefix("plan.yaml:") for problem in raised.value.problems] == expected
