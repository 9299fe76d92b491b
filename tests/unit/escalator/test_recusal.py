"""Whoever a case is about keeps out of all of it: pages, gates, approvals, extensions, bypass, and by name too."""

from typing import Any

import pytest

from services.escalator.domain.asking import activation_of, approvals_of
from services.escalator.domain.case import Case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor, ActorKind
from tests.support.escalations import PLAN_TEXT, at, command, opened, rules

RECUSAL = """
recusal:
  - id: accused
    words: {zh: 被投诉人回避, en: The person complained about keeps out}
    who: about
    covers: [pages, visibility, handling]
    instead: [director]
approvals:
  - {id: close, of: resolved, by: [[head, deputy]], words: {zh: 办结审批, en: Approve the end}}
bypass:
  - {id: up, roles: [leader], words: {zh: 直报领导, en: Straight to the leader}}
"""
TEXT = PLAN_TEXT.replace(
    "  people: {int: {min: 0}}", "  people: {int: {min: 0}}\n  about: {set: [liaison, head, leader, lin-a]}"
).replace(
    "    breach: record\n", "    breach: record\n    extension: {approve_by: [head], by: 24h, to: 96h, count: 1}\n"
)
KNOWN = rules(TEXT + RECUSAL)
GATED = rules(
    TEXT
    + RECUSAL
    + """
activation:
  - {id: start, roles: [head], within: 10m, words: {zh: 是否启动, en: Start?}}
"""
)


def about(*names: str, known: Rules = KNOWN) -> Decision:
    return opened(known, facts={"people": 1, "about": list(names)})


def do(case: Case, kind: CommandKind, known: Rules = KNOWN, ref: str = "wang-b", **fields: Any) -> Decision:
    actor = Actor(kind=ActorKind.PERSON, ref=ref)
    return apply_command(known, case, command(kind, at(minutes=1), actor=actor, **fields), at(minutes=1))


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def test_a_named_person_is_left_out_of_every_message_by_id() -> None:
    decision = about("lin-a")
    assert decision.requests[0].roles == ("liaison",)
    assert {request.excluded for request in decision.requests} == {("lin-a",)}
    assert opened(KNOWN).requests[0].excluded == ()


def test_a_named_role_is_replaced_wherever_it_would_be_told() -> None:
    decision = about("liaison")
    assert [request.roles for request in decision.requests if request.purpose is Purpose.PAGE] == [("director",)]
    asked = do(about("head").case, CommandKind.RESOLVE)
    (request,) = asked.requests
    assert request.roles == ("deputy", "director")
    way = do(about("leader").case, CommandKind.BYPASS, arguments={"way": "up"})
    assert [request.roles for request in way.requests] == [("director",)]
    longer = do(about("head").case, CommandKind.EXTENSION_REQUEST, reason="复杂")
    assert longer.requests[-1].roles == ("director",)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (CommandKind.ACKNOWLEDGE, {}),
        (CommandKind.RESOLVE, {}),
        (CommandKind.BYPASS, {"arguments": {"way": "up"}}),
        (CommandKind.LOWER_LEVEL, {"arguments": {"level": "yellow"}, "reason": "误报"}),
        (CommandKind.WITHDRAW, {}),
    ],
)
def test_the_named_person_decides_nothing_but_may_say_something(kind: CommandKind, fields: dict[str, Any]) -> None:
    case = about("lin-a").case
    refused = do(case, kind, ref="lin-a", **fields)
    assert kinds(refused) == [ChangeKind.COMMAND_REFUSED]
    assert "lin-a" in refused.changes[0].because
    assert refused.case.state is case.state
    assert ChangeKind.COMMAND_REFUSED not in kinds(do(case, kind, ref="wang-b", **fields))
    assert kinds(do(case, CommandKind.COMMENT, ref="lin-a", reason="情况说明")) == [ChangeKind.COMMENTED]


def test_a_gate_is_decided_by_whoever_stands_in() -> None:
    held = about("head", known=GATED).case
    status = activation_of(GATED, held)
    assert status is not None
    assert status.roles == ("director",)
    for role, ref, want in (("head", "wang-b", False), ("director", "lin-a", True)):
        decision = do(held, CommandKind.ACTIVATE, GATED, ref, arguments={"role": role})
        assert (ChangeKind.ACTIVATED in kinds(decision)) is want
    named = about("lin-a", known=GATED).case
    assert kinds(do(named, CommandKind.ACTIVATE, GATED, "lin-a", arguments={"role": "head"})) == [
        ChangeKind.COMMAND_REFUSED
    ]


def test_an_approval_is_given_by_whoever_stands_in() -> None:
    asked = do(about("head").case, CommandKind.RESOLVE).case
    (status,) = approvals_of(KNOWN, asked)
    assert status.roles == ("deputy", "director")
    assert kinds(do(asked, CommandKind.APPROVE, ref="zhao-c", arguments={"role": "head"})) == [
        ChangeKind.COMMAND_REFUSED
    ]
    assert ChangeKind.APPROVED in kinds(do(asked, CommandKind.APPROVE, ref="zhao-c", arguments={"role": "director"}))


def test_keeping_everybody_out_never_means_that_nobody_is_told() -> None:
    alone = rules((TEXT + RECUSAL).replace("    instead: [director]\n", ""))
    decision = opened(alone, facts={"people": 1, "about": ["liaison"]})
    assert [request.roles for request in decision.requests if request.purpose is Purpose.PAGE] == [("head", "deputy")]
