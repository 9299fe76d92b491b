"""A plan made to be slow to check is checked in bounded time."""

import time
from contextlib import suppress

import pytest

from shared.plans.library import parse_plan
from shared.plans.problems import PlanLibraryError
from tests.support.plans import SOUND


@pytest.mark.parametrize(
    "condition",
    [
        " and ".join(f"(people > {{n}} or today != {cut})" for cut in range(6)),
        " or ".join(f"(people > {10 + cut} and today != {cut})" for cut in range(7)) + " or people == {n}",
        " and ".join(f"(people != {cut} or hurt)" for cut in range(8)) + " and people > {n}",
    ],
)
def test_many_tangled_criteria_are_checked_in_seconds(condition: str) -> None:
    label = "label: {zh: 甲, en: A}"
    tangled = "".join(
        f"  - {{id: c{n}, level: {'mild' if n % 2 else 'grave'}, when: {condition.format(n=n)}, {label}}}\n"
        for n in range(190)
    )
    begin = time.process_time()
    with suppress(PlanLibraryError):
        parse_plan(SOUND.replace("criteria:\n", f"criteria:\n{tangled}"), "plan.yaml")
    assert time.process_time() - begin < 20
