"""A small plan and its events, for tests of the escalator."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case
from services.escalator.domain.decision import Decision
from services.escalator.domain.time_bases import Rules
from shared.contracts.classifications import CaseClassifiedV1, CriterionResult, Holds
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.notifications import NotificationSettledV1, Purpose, Settlement
from shared.contracts.values import Actor, ActorKind, CaseKind, PlanRef
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan

START: Final = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
CASE_ID: Final = UUID("019a0000-0000-7000-8000-000000000001")
PERSON: Final = Actor(kind=ActorKind.PERSON, ref="duty-manager-a")
LEVELS: Final = ("yellow", "orange", "red")

PLAN_TEXT: Final = """
plan: ladder-test
version: 1
title: {zh: 测试预案, en: Test plan}
timezone: Asia/Shanghai
applies: {kinds: [complaint, incident, warning], default: true}
levels:
  - {id: yellow, zh: 黄色, en: Yellow}
  - {id: orange, zh: 橙色, en: Orange}
  - {id: red, zh: 红色, en: Red}
milestones:
  - {id: plan-submitted, zh: 已提交方案, en: Plan submitted}
facts:
  people: {int: {min: 0}}
criteria:
  - {id: y, level: yellow, when: people >= 1, label: {zh: 一人, en: one}}
  - {id: o, level: orange, when: people >= 10, label: {zh: 十人, en: ten}}
  - {id: r, level: red, when: people >= 100, label: {zh: 百人, en: hundred}}
clocks:
  - id: respond
    label: {zh: 首次响应, en: First response}
    from: classified
    until: acknowledged
    limit: 1h
    warn: ["50%", "-10m"]
    breach: next-tier
  - id: submit
    label: {zh: 提交方案, en: Submit the plan}
    from: occurred
    until: plan-submitted
    limit: 24h
    warn: ["50%"]
    breach: notify
    levels: [orange, red]
    notify_roles: [quality-office]
  - id: finish
    label: {zh: 办结, en: Finish}
    from: received
    until: resolved
    limit: 48h
    breach: record
tiers:
  - {id: liaison, zh: 接口人, en: Liaison, roles: [liaison], channels: [sms, voice], acknowledge_within: 15m, repeat: 1}
  - {id: department, zh: 部门领导, en: Head, roles: [head, deputy], acknowledge_within: 10m}
  - {id: leader, zh: 主管领导, en: Leader, roles: [leader], acknowledge_within: 5m, levels: [orange, red]}
notify:
  orange: [customer-service]
  red: [customer-service, general-office]
"""


def rules(text: str = PLAN_TEXT) -> Rules:
    return Rules(CompiledPlan.of(parse_plan(text, "plan.yaml")))


def at(**after: float) -> datetime:
    """An instant after the start."""
    return START + timedelta(**after)


def classified(
    plan: PlanRef, level: str | None = "yellow", *, revision: int = 1, when: datetime = START, **fields: Any
) -> CaseClassifiedV1:
    people = {None: 0, "yellow": 1, "orange": 10, "red": 100}[level]
    decided = level[0] if level else None
    return CaseClassifiedV1(
        **{
            "number": "2026-11-000001",
            "kind": CaseKind.COMPLAINT,
            "plan": plan,
            "revision": revision,
            "level": level,
            "level_rank": LEVELS.index(level) + 1 if level else 0,
            "criteria": tuple(
                CriterionResult(
                    id=name[0],
                    level=name,
                    result=Holds.HELD if name == level else Holds.NOT_HELD,
                    when="people",
                    values={"people": people},
                )
                for name in LEVELS
            ),
            "decided_by": decided,
            "source": "hotline",
            "facts": {"people": people},
            "occurred_at": START,
            "received_at": START,
            "classified_at": when,
            **fields,
        }
    )


def opened(known: Rules, level: str | None = "yellow", now: datetime = START, **fields: Any) -> Decision:
    return open_case(
        known,
        org="org-a",
        case_id=CASE_ID,
        plan=known.plan.ref,
        classified=classified(known.plan.ref, level, when=now, **fields),
        now=now,
    )


def command(kind: CommandKind, when: datetime, *, actor: Actor = PERSON, **fields: Any) -> CommandIssuedV1:
    return CommandIssuedV1(command=kind, actor=actor, issued_at=when, **fields)


def settled(case: Case, role: str, settlement: Settlement, **fields: Any) -> NotificationSettledV1:
    return NotificationSettledV1(
        **{
            "request_id": uuid4(),
            "intent_id": uuid4(),
            "number": case.number,
            "plan": case.plan.name,
            "purpose": Purpose.PAGE,
            "step": case.steps,
            "role": role,
            "person": f"{role}-a",
            "settlement": settlement,
            "attempts": 1,
            "reason": "no answer",
            "settled_at": case.changed_at,
            **fields,
        }
    )
