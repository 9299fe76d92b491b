"""Plans with one bound moved by one step."""

from pathlib import Path

from services.drill.app.find_untested_bounds import find_untested_bounds
from services.drill.domain.mutants import mutants
from shared.plans.library import parse_plan
from tests.support.plans import SOUND

CASES = """
bounds: both-sides
about: {zh: 两侧, en: Both sides}
start: 2026-03-02T09:00:00+08:00
rows:
  - {facts: {people: 2}, level: null}
  - {facts: {people: 3}, level: mild, decided_by: some-people}
"""


def moved(where: str) -> set[str]:
    return {one.now for one in mutants(parse_plan(SOUND, "plan.yaml")) if one.where == where}


def test_numbers_and_lengths_move_by_a_step_both_ways() -> None:
    assert moved("criteria.0.when") == {"people >= 11", "people >= 9"}
    assert moved("clocks.1.limit") == {"16wd", "14wd"}
    assert moved("parameters.many.value") == {"4", "2"}
    assert moved("windows.by_person.per") == {"25h sliding", "23h sliding"}


def test_what_is_compared_with_a_name_or_a_length_gets_the_other_strictness() -> None:
    assert "many < people < 10" in moved("criteria.1.when")
    assert moved("criteria.4.when") == {
        "until(expected_at) < 3h",
        "until(expected_at) <= 4h",
        "until(expected_at) <= 2h",
    }


def test_a_bound_with_one_side_only_is_found(tmp_path: Path) -> None:
    cases = tmp_path / "sample" / "cases"
    cases.mkdir(parents=True)
    (cases.parent / "plan.yaml").write_text(SOUND, encoding="utf-8")
    (cases / "bounds.yaml").write_text(CASES, encoding="utf-8")
    assert "parameters.many.value" not in {one.where for one in find_untested_bounds(tmp_path).untested}
    (cases / "bounds.yaml").write_text(CASES.replace("people: 2}", "people: 1}"), encoding="utf-8")
    one_sided = {(one.where, one.now) for one in find_untested_bounds(tmp_path).untested}
    assert ("parameters.many.value", "2") in one_sided
    assert ("parameters.many.value", "4") not in one_sided
