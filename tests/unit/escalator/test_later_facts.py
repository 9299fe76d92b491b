"""Facts that come later at the same level: the gate is looked at again, those they name are told, never nobody."""

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.settlement import NOBODY, notification_settled
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose, Settlement
from tests.support.escalations import PLAN_TEXT, at, classified, command, opened, rules, settled

MORE = """
activation:
  - {id: small, roles: [head], within: 10m, when: not injured and people < 10, words: {zh: 是否启动, en: Start?}}
  - {id: press, roles: [leader], within: 10m, when: media == 'local', words: {zh: 媒体应对, en: Press?}}
inform:
  - {id: press, roles: [press-office], when: "media != 'none'", words: {zh: 准备口径, en: Prepare the wording}}
  - {id: always, roles: [archive]}
"""
TEXT = PLAN_TEXT.replace(
    "  people: {int: {min: 0}}", "  people: {int: {min: 0}}\n  injured: bool\n  media: {enum: [none, local]}"
)
GATED = rules(TEXT + MORE)
OPEN = rules(TEXT + MORE[MORE.index("inform:") :])


def news(known: Rules, case: Case, minute: int, revision: int = 2, **facts: object) -> Decision:
    more = classified(case.plan, case.level, revision=revision, facts={"people": 1, **facts}, when=at(minutes=minute))
    return reclassify(known, case, more, at(minutes=minute))


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def told(decision: Decision) -> list[tuple[Purpose, tuple[str, ...]]]:
    return [(request.purpose, request.roles) for request in decision.requests]


def gated() -> Case:
    return opened(GATED, facts={"people": 1, "injured": False}).case


def test_a_gate_that_no_longer_applies_opens_and_work_begins_at_once() -> None:
    case = gated()
    assert case.held
    assert case.clocks == ()
    decision = news(GATED, case, 3, injured=True)
    assert not decision.case.held
    assert (Purpose.PAGE, ("liaison",)) in told(decision)
    assert {clock.id for clock in decision.case.clocks} >= {"respond", "finish"}
    lifted = next(change for change in decision.changes if change.kind is ChangeKind.ACTIVATED)
    assert lifted.details["by_facts"] is True
    assert "gate" not in {timer.subject for timer in decision.timers}


def test_another_gate_that_applies_instead_is_asked_at() -> None:
    decision = news(GATED, gated(), 3, injured=True, media="local")
    assert decision.case.activation is not None
    assert (decision.case.activation.id, decision.case.held) == ("press", True)
    assert told(decision) == [(Purpose.PAGE, ("leader",))]


def test_the_same_question_is_not_asked_twice_but_once_more_after_it_was_declined() -> None:
    waiting = news(GATED, gated(), 3, injured=False, media="none")
    assert waiting.requests == ()
    assert waiting.case.activation == gated().activation
    no = command(CommandKind.DECLINE, at(minutes=4), reason="无须启动", arguments={"role": "head"})
    declined = apply_command(GATED, waiting.case, no, at(minutes=4)).case
    again = news(GATED, declined, 5, 3, injured=False, people=4)
    assert told(again) == [(Purpose.PAGE, ("head",))]
    assert again.case.activation is not None
    assert again.case.activation.decided is None


def test_what_has_begun_is_not_held_up_by_a_gate_that_applies_later() -> None:
    begun = opened(GATED, facts={"people": 1, "injured": True}).case
    assert begun.paging
    later = news(GATED, begun, 3, injured=False)
    assert not later.case.held
    assert later.case.paging


def test_those_whom_later_facts_name_are_told_once_and_the_others_not_again() -> None:
    decision = opened(OPEN, facts={"people": 1})
    assert (Purpose.INFORM, ("archive",)) in told(decision)
    named = news(OPEN, decision.case, 3, media="local")
    assert told(named) == [(Purpose.INFORM, ("press-office",))]
    assert news(OPEN, named.case, 4, 3, media="local", people=3).requests == ()


def test_an_inform_whose_role_has_nobody_goes_to_the_tier_on_duty_and_on_up() -> None:
    case = news(OPEN, opened(OPEN, facts={"people": 1}).case, 3, media="local").case
    lost = settled(case, "press-office", Settlement.NOBODY, purpose=Purpose.INFORM, person=None)
    first = notification_settled(OPEN, case, lost, at(minutes=4))
    assert told(first) == [(Purpose.INFORM, ("liaison",))]
    assert first.changes[-1].details["instead"] == "liaison"
    second = notification_settled(OPEN, first.case, lost.model_copy(update={"role": "liaison"}), at(minutes=5))
    assert told(second) == [(Purpose.INFORM, ("head", "deputy"))]


@pytest.mark.parametrize("purpose", [Purpose.WARN, Purpose.BREACH])
def test_at_the_end_of_the_tiers_it_is_on_record_that_nobody_could_be_told(purpose: Purpose) -> None:
    case = opened(OPEN, facts={"people": 1}).case
    lost = settled(case, "head", Settlement.NOBODY, purpose=purpose, person=None)
    decision = notification_settled(OPEN, case, lost, at(minutes=4))
    assert decision.requests == ()
    assert decision.changes[-1].details["instead"] == NOBODY
    assert kinds(decision) == [ChangeKind.NOTIFICATION_FAILED, ChangeKind.NOTIFICATION_FAILED]


def test_a_stand_down_to_nobody_wakes_no_tier_and_neither_does_a_case_that_is_over() -> None:
    case = opened(OPEN, facts={"people": 1}).case
    over = settled(case, "archive", Settlement.NOBODY, purpose=Purpose.STAND_DOWN, person=None)
    assert notification_settled(OPEN, case, over, at(minutes=4)).requests == ()
    closed = apply_command(OPEN, case, command(CommandKind.CLOSE, at(minutes=3)), at(minutes=3)).case
    informed = settled(closed, "archive", Settlement.NOBODY, purpose=Purpose.INFORM, person=None)
    assert notification_settled(OPEN, closed, informed, at(minutes=4)).requests == ()
