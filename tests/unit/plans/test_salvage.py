"""What is wrong with a plan's form hides nothing else, and nothing is said that only follows from it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from shared.plans.library import read_linted
from shared.plans.lint import lint_plan
from shared.plans.problems import PlanLibraryError
from shared.plans.reading import read_data
from tests.support.plans import SOUND
from tests.unit.plans.test_plan_fuzz import DATA, PATHS, Path, changed


def refused(text: str) -> list[str]:
    with pytest.raises(PlanLibraryError) as raised:
        read_linted(text, "f.yaml")
    return [f"{problem.line}: {problem.message}" for problem in raised.value.problems]


def test_nothing_is_said_that_only_follows_from_a_piece_that_is_gone() -> None:
    for path, data in broken():
        reading = read_data(data, "f.yaml")
        if not reading.problems:
            continue
        assert reading.plan is not None, path
        where = ".".join(str(step) for step in path[:2])
        said = lint_plan(reading.plan, reading.positions, reading.lost)
        assert [problem for problem in said if not f"{problem.field}.".startswith(f"{where}.")] == [], path


def broken() -> Iterator[tuple[Path, Any]]:
    """A plan that asks for everything, with each of its values once gone and once of another form."""
    for path in PATHS:
        yield path, without(path)
        yield path, changed(DATA, path, [[["odd"]]])


def without(path: Path) -> Any:
    data = deepcopy(DATA)
    here = data
    for step in path[:-1]:
        here = here[step]
    del here[path[-1]]
    return data


def test_a_key_that_stands_twice_hides_no_unknown_name() -> None:
    text = SOUND.replace("people >= 10", "peopel >= 10") + "notify:\n  grave: [x]\n"
    assert [line.partition(": ")[2] for line in refused(text)] == [
        "'peopel' is not declared: it is no fact, window, parameter or built-in name",
        "the key 'notify' stands twice",
    ]


def test_a_section_that_is_gone_does_not_make_its_names_unknown() -> None:
    misspelt = SOUND.replace("facts:\n", "fatcs:\n")
    assert refused(misspelt) == ["14: unknown key 'fatcs'"]


def test_a_plan_without_one_sound_criterion_is_still_checked_elsewhere() -> None:
    lines = [line for line in SOUND.splitlines() if "when: " not in line or "level:" not in line]
    text = "\n".join(lines).replace("until: answered", "until: anwsered")
    assert [line.partition(": ")[2] for line in refused(text)] == [
        "input should be a valid tuple",
        "'anwsered' is no milestone: the clock could never stop",
    ]
