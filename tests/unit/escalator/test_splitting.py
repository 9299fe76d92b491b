"""A split: both histories tell of it, and the new case's limits count from the receipt of what it is made of."""

from typing import Any

import pytest

from services.escalator.domain import clocks
from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.commands import apply_command
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from tests.support.escalations import START, at, classified, command, opened, rules

KNOWN = rules()
ARGUMENTS = {"into": "2026-11-000002", "case": "019a0000-0000-7000-8000-000000000002", "facts": ["people"]}


@pytest.mark.parametrize("state", list(CaseState))
def test_the_old_case_records_it_in_every_state_and_loses_no_deadline(state: CaseState) -> None:
    case = opened(KNOWN, "orange").case.evolve(state=state)
    order = command(CommandKind.SPLIT, at(hours=1), reason="两件不同的事", arguments=ARGUMENTS)
    decision = apply_command(KNOWN, case, order, at(hours=1))
    (change,) = decision.changes
    assert (change.kind, change.details["into"], change.details["facts"]) == (
        ChangeKind.SPLIT,
        "2026-11-000002",
        ["people"],
    )
    assert (decision.case.clocks, decision.case.level, decision.case.state) == (case.clocks, case.level, state)


@pytest.mark.parametrize("fields", [{"reason": "x"}, {"arguments": ARGUMENTS}])
def test_a_split_that_intake_has_not_done_or_that_has_no_reason_is_refused(fields: dict[str, Any]) -> None:
    decision = apply_command(KNOWN, opened(KNOWN).case, command(CommandKind.SPLIT, START, **fields), START)
    assert [change.kind for change in decision.changes] == [ChangeKind.COMMAND_REFUSED]


def test_the_new_case_counts_from_the_original_receipt_and_is_paged_at_once() -> None:
    now = at(hours=40)
    decision = opened(KNOWN, "yellow", now, received_at=START, occurred_at=START, split_from="2026-11-000001")
    told = next(change for change in decision.changes if change.kind is ChangeKind.SPLIT)
    assert told.details["split_from"] == "2026-11-000001"
    finish, respond = _clock(decision.case, "finish"), _clock(decision.case, "respond")
    assert clocks.due_at(finish, KNOWN.base(finish.limit)) == at(hours=48)
    assert clocks.due_at(respond, KNOWN.base(respond.limit)) == at(hours=41)
    assert decision.requests[0].purpose is Purpose.PAGE


def test_a_new_case_that_is_late_from_the_beginning_says_so_once() -> None:
    decision = opened(KNOWN, "yellow", at(hours=50), received_at=START, occurred_at=START, split_from="2026-11-000001")
    finish = _clock(decision.case, "finish")
    assert clocks.state_of(finish, at(hours=50), KNOWN.base(finish.limit)) is ClockState.BREACHED
    assert next(timer.due_at for timer in decision.timers if timer.subject == "clock:finish") == at(hours=48)


def test_facts_that_went_away_lower_no_level_and_end_no_clock_that_needs_none() -> None:
    case = opened(KNOWN, "orange").case
    news = classified(KNOWN.plan.ref, "yellow", revision=2, facts={}, when=at(hours=1))
    after = reclassify(KNOWN, case, news, at(hours=1)).case
    assert (after.level, after.facts, after.inputs.get("people")) == ("orange", {}, None)
    assert [clock.id for clock in after.clocks if clock.live] == ["respond", "submit", "finish"]


def _clock(case: Case, clock_id: str) -> clocks.Clock:
    clock = case.clock(clock_id)
    assert clock is not None
    return clock
