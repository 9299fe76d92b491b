from datetime import UTC, datetime, timedelta

import pytest

from services.console.domain.rows import case_row, is_open, next_due, severity
from shared.contracts.escalations import CaseState, ClockState
from tests.support.console import IDS, create_clock, create_escalated, create_event

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rank", "highest", "band"),
    [
        (0, 3, 0),  # no level
        (1, 1, 4),
        (1, 2, 2),
        (2, 2, 4),
        (1, 3, 2),  # ceil(4 * 1 / 3)
        (2, 3, 3),  # ceil(4 * 2 / 3)
        (3, 3, 4),
        (1, 4, 1),
        (2, 4, 2),
        (3, 4, 3),
        (4, 4, 4),
        (1, 5, 1),  # ceil(4 * 1 / 5)
        (5, 5, 4),
        (9, 3, 4),  # a rank above the highest is not brighter than bright
    ],
)
def test_colours_scale_to_the_number_of_levels_of_the_plan(rank: int, highest: int, band: int) -> None:
    assert severity(rank, highest) == band


def test_only_states_in_which_somebody_must_act_are_open() -> None:
    open_states = {state for state in CaseState if is_open(state)}
    assert open_states == {"classified", "acknowledged", "in-progress", "waiting"}


def test_a_case_is_urgent_by_its_next_tier_or_its_first_running_clock() -> None:
    early = create_clock("a", "a", NOON, timedelta(minutes=10))
    stopped = create_clock("b", "b", NOON, timedelta(minutes=1), ClockState.MET)
    assert next_due((early, stopped), NOON + timedelta(minutes=20)) == NOON + timedelta(minutes=10)
    assert next_due((early, stopped), NOON + timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    assert next_due((stopped,), None) is None


def test_a_case_row_carries_the_plan_that_decided() -> None:
    row = case_row(create_event(create_escalated("N-1", "red", NOON), IDS.new()))
    assert (row["plan"], row["plan_version"], row["level_rank"], row["is_open"]) == (
        "telecom-service-quality",
        1,
        3,
        True,
    )
    assert row["due_at"] == (NOON + timedelta(minutes=15)).isoformat()
