"""What is written to the timer table after a decision: the difference, without counting anew what did not move."""

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalator.domain.case import Case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Armed, Decision, Timer
from services.escalator.domain.firing import fire
from shared.contracts.commands import CommandKind
from tests.support.escalations import at, command, opened, rules

RULES = rules()
ORDERS: Final[dict[str, tuple[CommandKind, dict[str, Any]]]] = {
    "acknowledge": (CommandKind.ACKNOWLEDGE, {}),
    "wait": (CommandKind.WAIT, {"reason": "等待鉴定"}),
    "resume": (CommandKind.RESUME, {}),
    "raise": (CommandKind.RAISE_LEVEL, {"reason": "升级", "arguments": {"level": "red"}}),
    "comment": (CommandKind.COMMENT, {"reason": "备注"}),
    "resolve": (CommandKind.RESOLVE, {}),
    "reopen": (CommandKind.REOPEN, {}),
}


@given(moves=st.lists(st.sampled_from(["time", *ORDERS]), max_size=10))
@settings(max_examples=300, deadline=None)
def test_the_table_after_each_difference_is_what_the_state_wants(moves: list[str]) -> None:
    decision, now = opened(RULES, "yellow"), at()
    table = {timer.subject: timer for timer in decision.timers}
    for move in moves:
        if move == "time":
            due = min(decision.timers, key=lambda one: one.due_at, default=None)
            if due is None:
                continue
            now = max(now, due.due_at)
            made = fire(RULES, decision.case, due, now)
        else:
            now += timedelta(minutes=7)
            kind, fields = ORDERS[move]
            made = apply_command(RULES, decision.case, command(kind, now, **fields), now)
        if made.ignored is None:
            table = after(table, decision.case, made)
            assert table == {timer.subject: timer for timer in made.timers}
            decision = made


def after(table: dict[str, Timer], case: Case, made: Decision) -> dict[str, Timer]:
    gone, new = Armed(case, RULES).differs(made.case, RULES, made.timers)
    return {subject: timer for subject, timer in table.items() if subject not in gone} | {
        timer.subject: timer for timer in new
    }


def test_a_comment_arms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(RULES, "orange")
    made = apply_command(RULES, first.case, command(CommandKind.COMMENT, at(minutes=1), reason="备注"), at(minutes=1))
    monkeypatch.setattr("services.escalator.domain.decision._clock_timer", None)  # nothing is counted for it
    assert Armed(first.case, RULES).differs(made.case, RULES, made.timers) == ([], [])


def test_another_lane_or_other_rules_arm_everything_anew() -> None:
    first = opened(RULES, "orange")
    kind, fields = ORDERS["raise"]
    made = apply_command(RULES, first.case, command(kind, at(minutes=1), **fields), at(minutes=1))
    _, new = Armed(first.case, RULES).differs(made.case, RULES, made.timers)
    assert set(new) == set(made.timers)
    _, new = Armed(first.case, rules()).differs(first.case, RULES, first.timers)
    assert {timer.subject for timer in new} == {timer.subject for timer in first.timers} - {"ladder"}
