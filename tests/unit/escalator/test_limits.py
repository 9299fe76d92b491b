"""Limits that facts bring, counting down to a moment, other limits for running clocks, late starts, overrun."""

from datetime import datetime
from typing import Any

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.clocks import BREACH, due_at
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from tests.support.escalations import PLAN_TEXT, at, classified, command, opened, rules

FACTS = "  people: {int: {min: 0}}\n  battery: {duration: {}}\n  peak_at: {instant: {}}"


def plan(finish: str) -> Rules:
    """The test plan whose clock `finish` has other terms."""
    text = PLAN_TEXT.replace("  people: {int: {min: 0}}", FACTS)
    return rules(text.replace("    limit: 48h\n    breach: record", finish))


def end(known: Rules, case: Case) -> datetime | None:
    clock = case.clock("finish")
    return due_at(clock, known.base(clock.limit)) if clock is not None else None


def news(known: Rules, case: Case, when: datetime, **facts: Any) -> Decision:
    data = classified(known.plan.ref, revision=case.classified_revision + 1, when=when, facts={"people": 1, **facts})
    return reclassify(known, case, data, when)


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def timer(decision: Decision, subject: str = "clock:finish") -> Any:
    return next(one for one in decision.timers if one.subject == subject)


def test_a_resource_that_runs_down_brings_the_limit_and_what_is_known_later_moves_it() -> None:
    known = plan("    limit: {fact: battery, otherwise: 8h}\n    breach: record")
    first = opened(known)
    assert end(known, first.case) == at(hours=8)
    told = news(known, first.case, at(hours=1), battery="3h")
    assert end(known, told.case) == at(hours=3)
    assert ChangeKind.CLOCK_CHANGED in kinds(told)
    assert timer(told).generation > timer(first).generation
    assert fire(known, told.case, timer(first), at(hours=8)).ignored == "the timer is void"


def test_a_clock_counts_down_to_a_moment_and_does_not_run_while_that_is_unknown() -> None:
    known = plan("    limit: 24h\n    before: peak_at\n    breach: record")
    first = opened(known)
    assert first.case.clock("finish") is None
    told = news(known, first.case, at(hours=1), peak_at=at(hours=72).isoformat())
    assert end(known, told.case) == at(hours=48)
    sooner = news(known, told.case, at(hours=2), peak_at=at(hours=60).isoformat())
    assert end(known, sooner.case) == at(hours=36)
    gone = news(known, sooner.case, at(hours=3))
    clock = gone.case.clock("finish")
    assert clock is not None
    assert clock.cancelled


@pytest.mark.parametrize(
    ("rule", "longer", "shorter"),
    [
        # Two of the first three hours stood still: one hour was spent when the news came.
        ("keep-elapsed", at(hours=12), at(hours=7)),
        ("from-start", at(hours=10), at(hours=5)),
        ("fresh", at(hours=13), at(hours=8)),
        ("tighten-only", at(hours=10), at(hours=7)),
    ],
)
def test_another_limit_follows_the_rule_the_plan_chose(rule: str, longer: datetime, shorter: datetime) -> None:
    known = plan(f"    limit: {{fact: battery, otherwise: 8h}}\n    retarget: {rule}\n    breach: record")
    case = apply_command(known, opened(known).case, command(CommandKind.START, at()), at()).case
    for hours, kind in ((0.5, CommandKind.WAIT), (2.5, CommandKind.RESUME)):
        case = apply_command(known, case, command(kind, at(hours=hours)), at(hours=hours)).case
    assert end(known, case) == at(hours=10)
    assert end(known, news(known, case, at(hours=3), battery="10h").case) == longer
    assert end(known, news(known, case, at(hours=3), battery="5h").case) == shorter


@pytest.mark.parametrize(
    ("late", "ends", "told"),
    [("judge", at(hours=-2), False), ("from-now", at(hours=48), False), ("record", None, False)],
)
def test_a_start_that_is_learned_late_is_judged_as_the_plan_says(
    late: str, ends: datetime | None, *, told: bool
) -> None:
    known = plan(f"    limit: 48h\n    late: {late}\n    breach: notify\n    notify_roles: [quality-office]")
    first = opened(known, received_at=at(hours=-50))
    assert end(known, first.case) == (ends or at(hours=-2))
    assert (Purpose.BREACH in {request.purpose for request in first.requests}) is told
    if late == "record":
        assert "clock:finish" not in {one.subject for one in first.timers}
        assert [(one.threshold, one.superseded) for one in first.fires] == [(BREACH, True)]
        assert ChangeKind.CLOCK_BREACHED in kinds(first)
    elif late == "judge":
        fired = fire(known, first.case, timer(first), at())
        assert Purpose.BREACH in {request.purpose for request in fired.requests}


def test_after_the_end_it_is_said_again_so_often_and_no_more() -> None:
    known = plan(
        "    limit: 48h\n    breach: notify\n    notify_roles: [quality-office]\n    overrun: {every: 2h, count: 2}"
    )
    decision = opened(known)
    seen = []
    while "clock:finish" in {one.subject for one in decision.timers}:
        armed = timer(decision)
        decision = fire(known, decision.case, armed, armed.due_at)
        seen.append((armed.threshold, armed.due_at, [one.roles for one in decision.requests]))
    office = [("quality-office",)]
    assert seen == [
        (BREACH, at(hours=48), office),
        ("overrun-1", at(hours=50), office),
        ("overrun-2", at(hours=52), office),
    ]
    late = fire(known, opened(known).case, timer(opened(known)), at(hours=53))
    assert [(one.threshold, one.superseded) for one in late.fires] == [
        (BREACH, False), ("overrun-1", True), ("overrun-2", True),
    ]  # fmt: skip
    assert len(late.requests) == 1
