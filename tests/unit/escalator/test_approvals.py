"""Approvals: a milestone passes when its last step has agreed, and nobody agrees to what they asked for."""

from datetime import datetime
from typing import Any

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import published
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor, ActorKind
from tests.support.escalations import PLAN_TEXT, at, command, opened, rules

HEAD = Actor(kind=ActorKind.PERSON, ref="head-a")
LEADER = Actor(kind=ActorKind.PERSON, ref="leader-a")
MACHINE = Actor(kind=ActorKind.SYSTEM, ref="robot")


def approved(on_silence: str = "notify", of: str = "of: plan-submitted") -> Rules:
    return rules(
        PLAN_TEXT
        + f"""
approvals:
  - id: opinion
    words: {{zh: 处理意见审批, en: Approval of the opinion}}
    {of}
    by: [[head, deputy], [leader]]
    within: 2h
    on_silence: {on_silence}
"""
    )


def do(known: Rules, case: Case, kind: CommandKind, when: datetime, **arguments: Any) -> Decision:
    actor = arguments.pop("actor", None)
    order = command(kind, when, reason="意见如附", arguments=arguments, **({"actor": actor} if actor else {}))
    return apply_command(known, case, order, when)


def asked(known: Rules) -> Decision:
    return do(known, opened(known, "orange").case, CommandKind.MILESTONE, at(hours=1), milestone="plan-submitted")


def head_agrees(known: Rules, when: datetime | None = None) -> Decision:
    return do(known, asked(known).case, CommandKind.APPROVE, when or at(hours=2), role="head", actor=HEAD)


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def subjects(decision: Decision) -> set[str]:
    return {timer.subject for timer in decision.timers}


def refused(decision: Decision) -> bool:
    return kinds(decision) == [ChangeKind.COMMAND_REFUSED]


def test_the_milestone_waits_and_the_first_step_is_told() -> None:
    known = approved()
    decision = asked(known)
    assert kinds(decision) == [ChangeKind.APPROVAL_REQUESTED]
    assert "plan-submitted" not in decision.case.milestones
    assert [(one.purpose, one.roles, one.subject.due_at) for one in decision.requests] == [
        (Purpose.INFORM, ("head", "deputy"), at(hours=3))
    ]
    assert "approval:opinion" in subjects(decision)
    shown = published(known, decision, at(hours=1))
    assert shown is not None
    assert [(one.state, one.step, one.steps, one.roles) for one in shown.approvals] == [
        ("waiting", 1, 2, ("head", "deputy"))
    ]
    assert refused(do(known, decision.case, CommandKind.MILESTONE, at(hours=2), milestone="plan-submitted"))


def test_the_milestone_passes_at_the_instant_of_the_last_step() -> None:
    known = approved()
    first = head_agrees(known)
    assert "plan-submitted" not in first.case.milestones
    assert first.requests[0].roles == ("leader",)
    last = do(known, first.case, CommandKind.APPROVE, at(hours=3), role="leader", actor=LEADER)
    assert last.case.milestones["plan-submitted"] == at(hours=3)
    assert ChangeKind.CLOCK_STOPPED in kinds(last)
    assert "approval:opinion" not in subjects(last)
    assert refused(do(known, last.case, CommandKind.APPROVE, at(hours=4), role="leader", actor=LEADER))


def test_who_asked_a_machine_and_another_role_cannot_decide() -> None:
    known = approved()
    case = asked(known).case
    for kind in (CommandKind.APPROVE, CommandKind.REFUSE):
        assert refused(do(known, case, kind, at(hours=2), role="head"))
        assert refused(do(known, case, kind, at(hours=2), role="leader", actor=LEADER))
        assert refused(do(known, case, kind, at(hours=2), role="head", actor=MACHINE))
        assert refused(do(known, case, kind, at(hours=2), role="head", actor=HEAD, approval="other"))


def test_refused_means_not_passed_and_it_may_be_asked_again_from_the_first_step() -> None:
    known = approved()
    first = head_agrees(known)
    no = do(known, first.case, CommandKind.REFUSE, at(hours=3), role="leader", actor=LEADER)
    assert kinds(no) == [ChangeKind.REFUSED]
    assert "approval:opinion" not in subjects(no)
    again = do(known, no.case, CommandKind.MILESTONE, at(hours=4), milestone="plan-submitted")
    (approval,) = again.case.approvals
    assert (approval.state, approval.given) == ("waiting", ())


@pytest.mark.parametrize(
    ("on_silence", "purposes"),
    [
        ("record", []),
        ("notify", [Purpose.BREACH]),
        ("next-tier", [Purpose.BREACH, Purpose.PAGE]),
    ],
)
def test_a_silent_step_is_told_as_the_plan_says_once(on_silence: str, purposes: list[Purpose]) -> None:
    known = approved(on_silence)
    first = asked(known)
    timer = next(one for one in first.timers if one.subject == "approval:opinion")
    assert timer.due_at == at(hours=3)
    silent = fire(known, first.case, timer, at(hours=3))
    assert kinds(silent)[0] is ChangeKind.APPROVAL_OVERDUE
    assert [request.purpose for request in silent.requests] == purposes
    assert silent.case.approvals[0].state == "waiting"
    assert "approval:opinion" not in subjects(silent)
    late = do(known, silent.case, CommandKind.APPROVE, at(hours=4), role="deputy", actor=HEAD)
    assert next(one for one in late.timers if one.subject == "approval:opinion").due_at == at(hours=6)


def test_closing_waits_for_the_approval_of_resolving() -> None:
    known = approved(of="of: resolved")
    case = opened(known).case
    held = do(known, case, CommandKind.CLOSE, at(hours=1))
    assert held.case.state is CaseState.CLASSIFIED
    first = do(known, held.case, CommandKind.APPROVE, at(hours=2), role="head", actor=HEAD)
    done = do(known, first.case, CommandKind.APPROVE, at(hours=3), role="leader", actor=LEADER)
    assert done.case.state is CaseState.RESOLVED
    assert done.case.milestones["resolved"] == at(hours=3)
    assert do(known, done.case, CommandKind.CLOSE, at(hours=4)).case.state is CaseState.CLOSED


def test_an_action_is_asked_for_by_name() -> None:
    known = approved(of="action: compensation")
    case = opened(known).case
    assert refused(do(known, case, CommandKind.APPROVAL_REQUEST, at(hours=1), approval="bonus"))
    wanted = do(known, case, CommandKind.APPROVAL_REQUEST, at(hours=1), approval="opinion")
    first = do(known, wanted.case, CommandKind.APPROVE, at(hours=2), role="head", actor=HEAD)
    last = do(known, first.case, CommandKind.APPROVE, at(hours=3), role="leader", actor=LEADER)
    assert last.case.approvals[0].state == "approved"
    assert kinds(last) == [ChangeKind.APPROVED]
    assert refused(do(known, wanted.case, CommandKind.APPROVAL_REQUEST, at(hours=2), approval="opinion"))


def test_a_withdrawn_case_waits_for_no_approval() -> None:
    known = approved()
    withdrawn = do(known, asked(known).case, CommandKind.WITHDRAW, at(hours=2))
    assert "approval:opinion" not in subjects(withdrawn)


@pytest.mark.parametrize("entry", ["approvals", "notices", "duties"])
def test_a_limit_in_working_days_whose_calendar_is_not_here_is_noticed_before_any_case(entry: str) -> None:
    texts = {
        "approvals": "\napprovals: [{id: a, words: {zh: 批, en: a}, action: reply, by: [[head]], within: 1wd}]\n",
        "notices": "\nnotices: [{id: n, on: received, within: 1wd, words: {zh: 告, en: n}}]\n",
        "duties": "\nduties: [{id: d, words: {zh: 报, en: d}, kind: report, every: day, roles: [head], within: 1wd}]\n",
    }
    named = PLAN_TEXT.replace("timezone:", "calendar: nowhere\ntimezone:")
    assert rules(named).lacking() is None
    assert rules(named + texts[entry]).lacking() is not None


def test_whoever_agrees_without_being_on_duty_for_the_role_is_named_so_in_the_history() -> None:
    known = approved()
    for held, said in ((False, True), (True, False)):
        decision = do(
            known, asked(known).case, CommandKind.APPROVE, at(hours=2), role="head", actor=HEAD, role_held=held
        )
        approval = next(change for change in decision.changes if change.kind is ChangeKind.APPROVED)
        assert ("花名册" in approval.because) is said
    refusal = do(known, asked(known).case, CommandKind.APPROVE, at(hours=2), role="clerk", actor=HEAD, role_held=False)
    assert refused(refusal)
    assert "花名册" not in refusal.changes[0].because
