"""A gate before tiers and clocks: nothing starts before somebody decides, and silence does what the plan says."""

from datetime import datetime
from typing import Any

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.clocks import due_at
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import GATE, LADDER, Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import published
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor, ActorKind
from tests.support.escalations import PERSON, PLAN_TEXT, at, classified, command, opened, rules

MACHINE = Actor(kind=ActorKind.SYSTEM, ref="robot")


def gated(on_silence: str = "record", more: str = "") -> Rules:
    return rules(
        PLAN_TEXT
        + f"""
activation:
  - id: start
    words: {{zh: 是否启动？, en: Start?}}
    roles: [chairman, general-manager]
    channels: [voice, sms]
    within: 10m
    on_silence: {on_silence}
    levels: [orange, red]{more}
"""
    )


def decide(known: Rules, case: Case, kind: CommandKind, when: datetime, **fields: Any) -> Decision:
    fields = {"arguments": {"role": "chairman"}, "reason": "已研判", **fields}
    return apply_command(known, case, command(kind, when, **fields), when)


def subjects(decision: Decision) -> set[str]:
    return {timer.subject for timer in decision.timers}


def told(decision: Decision) -> list[tuple[Purpose, tuple[str, ...]]]:
    return [(request.purpose, request.roles) for request in decision.requests]


def refused(decision: Decision) -> bool:
    return [change.kind for change in decision.changes] == [ChangeKind.COMMAND_REFUSED]


def silence(known: Rules) -> Decision:
    first = opened(known, "orange")
    (timer,) = first.timers
    return fire(known, first.case, timer, at(minutes=10))


def test_before_the_decision_only_the_gate_is_paged_and_no_clock_counts() -> None:
    decision = opened(gated(), "orange")
    assert told(decision) == [(Purpose.PAGE, ("chairman", "general-manager"))]
    assert decision.requests[0].subject.due_at == at(minutes=10)
    assert decision.case.clocks == ()
    assert subjects(decision) == {GATE}
    shown = published(gated(), decision, at())
    assert shown is not None
    assert shown.activation is not None
    assert (shown.activation.id, shown.activation.state) == ("start", "waiting")


def test_a_level_without_a_gate_starts_at_once() -> None:
    decision = opened(gated(), "yellow")
    assert told(decision) == [(Purpose.PAGE, ("liaison",))]
    assert LADDER in subjects(decision)


def test_activating_pages_informs_and_starts_the_clocks_from_the_decision() -> None:
    known = gated()
    decision = decide(known, opened(known, "orange").case, CommandKind.ACTIVATE, at(minutes=5))
    assert told(decision) == [(Purpose.PAGE, ("liaison",)), (Purpose.INFORM, ("customer-service",))]
    assert subjects(decision) == {LADDER, "clock:respond", "clock:submit", "clock:finish"}
    respond, submit = decision.case.clock("respond"), decision.case.clock("submit")
    assert respond is not None
    assert submit is not None
    assert due_at(respond, known.base(respond.limit)) == at(hours=1, minutes=5)
    assert due_at(submit, known.base(submit.limit)) == at(hours=24)
    assert refused(decide(known, decision.case, CommandKind.ACTIVATE, at(minutes=6)))


def test_declining_leaves_the_case_open_explained_and_quiet() -> None:
    known = gated()
    decision = decide(known, opened(known, "orange").case, CommandKind.DECLINE, at(minutes=5))
    assert decision.case.state is CaseState.CLASSIFIED
    assert decision.requests == ()
    assert subjects(decision) == set()
    assert "已研判" in decision.changes[0].because
    later = decide(known, decision.case, CommandKind.ACTIVATE, at(hours=1))
    assert told(later)[0] == (Purpose.PAGE, ("liaison",))


@pytest.mark.parametrize("kind", [CommandKind.ACTIVATE, CommandKind.DECLINE])
def test_only_a_person_in_a_role_of_the_gate_decides(kind: CommandKind) -> None:
    known = gated()
    case = opened(known, "orange").case
    assert refused(decide(known, case, kind, at(minutes=1), actor=MACHINE))
    assert refused(decide(known, case, kind, at(minutes=1), arguments={"role": "liaison"}))
    assert refused(decide(known, case, kind, at(minutes=1), arguments={}))
    assert refused(decide(known, opened(known, "yellow").case, kind, at(minutes=1)))


def test_seeing_the_question_is_no_decision() -> None:
    known = gated()
    decision = decide(known, opened(known, "orange").case, CommandKind.ACKNOWLEDGE, at(minutes=1))
    assert decision.case.acknowledgement is None
    assert subjects(decision) == {GATE}


def test_silence_that_only_records_wakes_nobody_and_fires_once() -> None:
    known = gated("record")
    decision = silence(known)
    assert [change.kind for change in decision.changes] == [ChangeKind.ACTIVATION_OVERDUE]
    assert decision.requests == ()
    assert decision.timers == ()
    assert fire(known, decision.case, opened(known, "orange").timers[0], at(minutes=11)).ignored is not None
    assert told(decide(known, decision.case, CommandKind.ACTIVATE, at(hours=1)))[0][1] == ("liaison",)


def test_silence_that_activates_starts_everything() -> None:
    decision = silence(gated("activate"))
    assert [change.kind for change in decision.changes][:2] == [ChangeKind.ACTIVATION_OVERDUE, ChangeKind.ACTIVATED]
    assert (Purpose.PAGE, ("liaison",)) in told(decision)
    assert "clock:respond" in subjects(decision)


def test_silence_that_pages_lets_the_ladder_decide_while_clocks_wait() -> None:
    known = gated("next-tier")
    decision = silence(known)
    assert told(decision) == [(Purpose.PAGE, ("liaison",))]
    assert subjects(decision) == {LADDER}
    taken = decide(known, decision.case, CommandKind.ACKNOWLEDGE, at(minutes=11))
    assert taken.case.acknowledgement is not None
    by_ladder = decide(known, taken.case, CommandKind.ACTIVATE, at(minutes=12), arguments={"role": "liaison"})
    assert by_ladder.case.clock("submit") is not None
    assert [purpose for purpose, _ in told(by_ladder)] == [Purpose.INFORM]


def test_a_gate_that_silence_paged_stands_down_whom_it_woke_when_declined() -> None:
    known = gated("next-tier")
    decision = decide(known, silence(known).case, CommandKind.DECLINE, at(minutes=11))
    assert told(decision) == [(Purpose.STAND_DOWN, ("liaison",))]
    assert subjects(decision) == set()


def test_a_higher_level_asks_again_at_a_gate_that_was_not_passed_and_only_then() -> None:
    known = gated()
    case = opened(known, "yellow").case
    raised = reclassify(
        known, case, classified(known.plan.ref, "orange", revision=2, when=at(minutes=1)), at(minutes=1)
    )
    assert told(raised) == [(Purpose.PAGE, ("chairman", "general-manager"))]
    assert LADDER not in subjects(raised)
    assert {"clock:respond", GATE} <= subjects(raised)
    assert raised.case.clock("submit") is None
    passed = decide(known, raised.case, CommandKind.ACTIVATE, at(minutes=2))
    red = reclassify(
        known, passed.case, classified(known.plan.ref, "red", revision=3, when=at(minutes=3)), at(minutes=3)
    )
    assert told(red)[0] == (Purpose.PAGE, ("liaison",))
    again = reclassify(
        known, raised.case, classified(known.plan.ref, "red", revision=3, when=at(minutes=3)), at(minutes=3)
    )
    assert told(again) == [(Purpose.PAGE, ("chairman", "general-manager"))]


def test_lowering_to_a_level_without_a_gate_lets_the_ladder_start() -> None:
    known = gated()
    case = opened(known, "orange").case
    lowered = apply_command(
        known,
        case,
        command(CommandKind.LOWER_LEVEL, at(minutes=1), actor=PERSON, reason="核实", arguments={"level": "yellow"}),
        at(minutes=1),
    )
    assert told(lowered)[0] == (Purpose.PAGE, ("liaison",))
    assert "clock:respond" in subjects(lowered)


def test_the_gate_is_void_once_the_source_says_it_is_over() -> None:
    known = gated("activate")
    first = opened(known, "orange")
    over = reclassify(known, first.case, classified(known.plan.ref, "orange", revision=2, resolved=True), at(minutes=1))
    assert GATE not in subjects(over)
    assert fire(known, over.case, first.timers[0], at(minutes=10)).ignored is not None
