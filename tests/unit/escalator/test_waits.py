"""A plan says how often, how long and for what a case may wait: a clock cannot be stopped by waiting for ever."""

from datetime import datetime
from typing import Any

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import WAIT, Decision, armed_for
from services.escalator.domain.firing import fire
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.plans.time_spec import LONGEST_WAIT
from tests.support.escalations import PLAN_TEXT, at, command, opened, rules

FREE = rules()
BOUND = rules(PLAN_TEXT + "waits: {count: 2, longest: 3h, reasons: [materials, appraisal]}\n")


def do(
    known: Rules, case: Case, kind: CommandKind, hours: float, code: str | None = "materials", **more: Any
) -> Decision:
    arguments = ({"reason_code": code} if code else {}) | more
    order = command(kind, at(hours=hours), reason="等资料", arguments=arguments if kind is CommandKind.WAIT else {})
    return apply_command(known, case, order, at(hours=hours))


def begun(known: Rules) -> Case:
    return do(known, opened(known).case, CommandKind.START, 0).case


def waits_until(known: Rules, case: Case) -> datetime:
    timer = armed_for(WAIT, case, known)
    assert timer is not None
    return timer.due_at


def test_a_wait_too_many_is_refused_and_the_clocks_run_on() -> None:
    case = begun(BOUND)
    for hours in (1, 3):
        case = do(BOUND, case, CommandKind.WAIT, hours).case
        assert case.state is CaseState.WAITING
        case = do(BOUND, case, CommandKind.RESUME, hours + 1).case
    refused = do(BOUND, case, CommandKind.WAIT, 5)
    assert [change.kind for change in refused.changes] == [ChangeKind.COMMAND_REFUSED]
    assert "2" in refused.changes[0].because
    assert refused.case.state is CaseState.IN_PROGRESS
    assert all(clock.running for clock in refused.case.clocks if clock.live)


@pytest.mark.parametrize("code", [None, "holiday"])
def test_a_wait_without_a_reason_the_plan_knows_is_refused(code: str | None) -> None:
    refused = do(BOUND, begun(BOUND), CommandKind.WAIT, 1, code)
    assert [change.kind for change in refused.changes] == [ChangeKind.COMMAND_REFUSED]
    assert "materials, appraisal" in refused.changes[0].because
    assert do(FREE, begun(FREE), CommandKind.WAIT, 1, code).case.state is CaseState.WAITING


def test_a_wait_ends_by_itself_at_the_plans_longest_and_each_counts() -> None:
    case = do(BOUND, begun(BOUND), CommandKind.WAIT, 1, until=at(days=9).isoformat()).case
    assert waits_until(BOUND, case) == at(hours=4)
    shorter = do(BOUND, begun(BOUND), CommandKind.WAIT, 1, until=at(hours=2).isoformat()).case
    assert waits_until(BOUND, shorter) == at(hours=2)
    assert waits_until(FREE, do(FREE, begun(FREE), CommandKind.WAIT, 1).case) == at(hours=1) + LONGEST_WAIT
    timer = armed_for(WAIT, case, BOUND)
    assert timer is not None
    after = fire(BOUND, case, timer, at(hours=4))
    assert (after.case.state, after.case.pauses) == (CaseState.IN_PROGRESS, 1)


def test_a_plan_without_leave_to_wait_refuses_every_wait() -> None:
    none = rules(PLAN_TEXT + "waits: {count: 0}\n")
    refused = do(none, begun(none), CommandKind.WAIT, 1)
    assert [change.kind for change in refused.changes] == [ChangeKind.COMMAND_REFUSED]
