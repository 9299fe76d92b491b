"""Limits that regulators set, by the templates that ship: DISP and the portal of the CFPB, to the minute."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.escalator.domain import clocks
from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind
from shared.contracts.values import Actor, ActorKind
from shared.plans.compiled import CompiledPlan
from shared.plans.library import bases_in, parse_plan
from tests.support.calendars import CALENDARS, shipped
from tests.support.escalations import CASE_ID, classified, command

PACKS = CALENDARS.parent / "plans"
LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
OWN = """
plan: {name}
extends: {base}
version: 1
title: {{zh: 本所投诉, en: Our complaints}}
applies: {{kinds: [complaint], categories: [ours]}}
levels: [{{id: yellow, zh: 投诉, en: Complaint}}]
facts: {{people: {{int: {{min: 0}}}}}}
criteria: [{{id: y, level: yellow, when: people >= 1, label: {{zh: 投诉, en: A complaint}}}}]
tiers: [{{id: desk, zh: 受理, en: Desk, roles: [desk], channels: [email], acknowledge_within: 8h}}]
"""


def made_from(base: str) -> Rules:
    own = parse_plan(OWN.format(name="ours", base=base), "plan.yaml", bases_in(PACKS))
    return Rules(CompiledPlan.of(own), shipped())


def received(known: Rules, when: datetime, **facts: object) -> Case:
    news = classified(
        known.plan.ref, "yellow", when=when, received_at=when, occurred_at=when, facts={"people": 1, **facts}
    )
    return open_case(known, org="org-a", case_id=CASE_ID, plan=known.plan.ref, classified=news, now=when).case


def due(known: Rules, case: Case, clock_id: str, zone: ZoneInfo) -> str:
    clock = case.clock(clock_id)
    assert clock is not None
    found = clocks.due_at(clock, known.base(clock.limit))
    assert found is not None
    return f"{found.astimezone(zone):%Y-%m-%d %H:%M}"


def extend(known: Rules, case: Case, when: datetime, role: str) -> Case:
    asked = command(CommandKind.EXTENSION_REQUEST, when, reason="复杂")
    case = apply_command(known, case, asked, when).case
    boss = Actor(kind=ActorKind.PERSON, ref="boss-b")
    granted = command(CommandKind.EXTENSION_APPROVE, when, actor=boss, arguments={"role": role})
    decision = apply_command(known, case, granted, when)
    assert ChangeKind.COMMAND_REFUSED not in {change.kind for change in decision.changes}
    return decision.case


DISP = made_from("template-fca-disp")
CFPB = made_from("template-us-cfpb")


@pytest.mark.parametrize(
    ("day", "third", "eight_weeks"),
    [
        ("2026-03-31 16:45", "2026-04-07 17:00", "2026-05-27 00:00"),  # over Easter
        ("2026-03-27 09:00", "2026-04-01 17:00", "2026-05-23 00:00"),  # over the change of the clocks
        ("2025-12-24 10:00", "2025-12-31 17:00", "2026-02-19 00:00"),  # over Christmas
        ("2026-08-29 11:00", "2026-09-03 17:00", "2026-10-25 00:00"),  # on a Saturday before a bank holiday
    ],
)
def test_disp_the_third_business_day_and_eight_weeks(day: str, third: str, eight_weeks: str) -> None:
    case = received(DISP, datetime.fromisoformat(day).replace(tzinfo=LONDON))
    assert due(DISP, case, "summary-resolution", LONDON) == third
    assert due(DISP, case, "final-response", LONDON) == eight_weeks
    assert case.clock("payment-response") is None


def test_disp_payment_services_fifteen_business_days_and_thirty_five_with_a_holding_response() -> None:
    begun = datetime(2026, 4, 1, 10, tzinfo=LONDON)
    case = received(DISP, begun, payment_service=True)
    assert due(DISP, case, "payment-response", LONDON) == "2026-04-25 00:00"
    later = extend(DISP, case, datetime(2026, 4, 20, 10, tzinfo=LONDON), "complaints-manager")
    assert due(DISP, later, "payment-response", LONDON) == "2026-05-27 00:00"
    assert case.clock("final-response") is None


def test_cfpb_fifteen_calendar_days_and_sixty_from_the_original_receipt() -> None:
    begun = datetime(2026, 3, 1, 22, tzinfo=NEW_YORK)
    case = received(CFPB, begun)
    assert due(CFPB, case, "response", NEW_YORK) == "2026-03-17 00:00"
    for asked in (2, 14):
        later = extend(CFPB, case, datetime(2026, 3, asked, 22, tzinfo=NEW_YORK), "compliance-officer")
        assert due(CFPB, later, "response", NEW_YORK) == "2026-05-01 00:00"
