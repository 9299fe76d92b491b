"""Every role that a shipped plan names is staffed by a shipped roster, and no shipped roster has a gap."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.drill.domain.plan_roles import plan_roles
from services.drill.domain.roster_examples import examples_for
from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_calendars import working_days
from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_findings import FindingKind
from services.notifier.domain.roster_text import parse_roster
from shared.calendars.library import CalendarLibrary
from shared.plans.library import PlanLibrary

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped() -> dict[str, Roster]:
    calendars = working_days(CalendarLibrary.load(DEPLOY / "calendars"))
    return {
        file.name: parse_roster(file.read_text("utf-8"), file=file.name, calendars=calendars)
        for file in sorted((DEPLOY / "rosters").glob("*.yaml"))
    }


def test_every_role_of_every_plan_is_staffed(shipped: dict[str, Roster]) -> None:
    """Run `fenghuo roster scaffold --out deploy/rosters/examples.yaml` after a new role."""
    missing = {}
    for plan in PlanLibrary.load(DEPLOY / "plans").plans:
        own = plan.plan.applies.organisations
        rosters = [roster for roster in shipped.values() if not own or roster.organisation in {*own, "example"}]
        staffed = {role for roster in rosters for role in roster.roles}
        if lacking := plan_roles(plan.plan) - staffed:
            missing[plan.name] = sorted(lacking)
    assert missing == {}


def test_no_shipped_roster_has_a_gap_in_a_quarter(shipped: dict[str, Roster]) -> None:
    found = {
        name: [one.what.zh for one in check_roster(roster, NOW, NOW + timedelta(days=92)) if one.is_gap]
        for name, roster in shipped.items()
    }
    assert {name: gaps for name, gaps in found.items() if gaps} == {}


def test_the_roster_on_the_page_about_rosters_is_sound() -> None:
    page = (DEPLOY.parent / "docs" / "rosters.md").read_text("utf-8")
    text = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    roster = parse_roster(text, file="rosters.md", calendars=working_days(CalendarLibrary.load(DEPLOY / "calendars")))
    assert [one.what.en for one in check_roster(roster, NOW, NOW + timedelta(days=92)) if one.is_gap] == []
    assert all(f"`{kind.value}`" in page for kind in FindingKind)


def test_scaffolded_examples_are_a_sound_roster_for_exactly_the_roles_asked_for() -> None:
    longest = "r" * 63
    text = examples_for({"plan-b": {"chief", longest}, "plan-a": {"chief"}}, organisation="example")
    roster = parse_roster(text, file="examples.yaml")
    assert set(roster.roles) == {"chief", longest}
    assert {one.kind for one in check_roster(roster, NOW, NOW + timedelta(days=30))} == {FindingKind.UNVERIFIED}
    assert "# plan-a, plan-b" in text
    assert text == examples_for({"plan-a": {"chief"}, "plan-b": {longest, "chief"}}, organisation="example")


def test_roles_are_found_wherever_a_plan_names_them_and_nothing_else_is() -> None:
    [plan] = [one for one in PlanLibrary.load(DEPLOY / "plans").plans if one.name == "telecom-service-quality"]
    roles = plan_roles(plan.plan)
    assert {"business-liaison", "leader-in-charge", "general-office"} <= roles
    assert "topic" not in roles, "a window groups by facts"


def test_an_unstaffed_role_is_a_gap(shipped: dict[str, Roster]) -> None:
    [found] = [
        one
        for one in check_roster(shipped["demo.yaml"], NOW, NOW + timedelta(days=1), named_by_plans={"no-such-role"})
        if one.kind is FindingKind.UNSTAFFED
    ]
    assert found.is_gap
