"""The packs that are delivered: sound, tested on both sides of every bound, and true to what they were made from."""

import re

import pytest

from shared.contracts.values import CaseKind
from shared.plans.cases import PackCases, burst_reports, load_cases
from shared.plans.compiled import CompiledPlan
from shared.plans.judging import judge_bounds
from shared.plans.library import PlanLibrary
from tests.support.plans import PACKS

ABSTRACT = re.compile(r"^abstract: true\b", re.MULTILINE)
NAMES = sorted(path.parent.name for path in PACKS.glob("*/plan.yaml") if not ABSTRACT.search(path.read_text("utf-8")))


def everybody(plan: CompiledPlan) -> set[str]:
    """Every role a case of the plan may reach."""
    found = {role for level in plan.plan.levels for role in plan.informed(level.id)}
    for tier in plan.tiers:
        found |= {*tier.roles, *tier.off_hours}
    for clock in plan.clocks:
        found |= set(clock.notify_roles)
        found |= {*clock.extension.request_by, *clock.extension.approve_by} if clock.extension else set()
    for approval in plan.approvals:
        found |= {role for step in approval.by for role in step}
    for entries in (plan.informs, plan.activations, plan.bypasses, plan.case_duties, plan.duties, plan.drills):
        found |= {role for entry in entries for role in entry.roles}
    for item in plan.checklist:
        found |= set(item.by)
    for recusal in plan.recusals:
        found |= set(recusal.instead)
    return found


@pytest.fixture(scope="module")
def library() -> PlanLibrary:
    return PlanLibrary.load(PACKS)


@pytest.fixture(scope="module", params=NAMES)
def pack(request: pytest.FixtureRequest, library: PlanLibrary) -> tuple[CompiledPlan, PackCases]:
    return library.get(request.param), load_cases(PACKS / request.param)


def test_the_three_first_packs_are_there() -> None:
    assert {"telecom-service-quality", "bancassurance-incident", "crowd-flow-forecast"} <= set(NAMES)


def test_every_row_of_every_table_is_judged_as_written(pack: tuple[CompiledPlan, PackCases]) -> None:
    plan, cases = pack
    assert cases.bounds or not plan.plan.criteria
    assert [problem for table in cases.bounds for problem in judge_bounds(plan, table)] == []


def test_every_criterion_decides_some_row(pack: tuple[CompiledPlan, PackCases]) -> None:
    plan, cases = pack
    decided = {row.decided_by for table in cases.bounds for row in table.rows}
    assert {criterion.id for criterion in plan.plan.criteria} - decided == set()


def test_cases_name_only_what_the_plan_has(pack: tuple[CompiledPlan, PackCases]) -> None:
    plan, cases = pack
    levels = {level.id for level in plan.plan.levels}
    criteria = {criterion.id for criterion in plan.plan.criteria}
    milestones = {milestone.id for milestone in plan.plan.milestones}
    clocks = {clock.id for clock in plan.clocks}
    approvals = {approval.id for approval in plan.approvals}
    roles = everybody(plan)
    for case in cases.cases:
        expect = case.expect
        assert {expect.level, expect.warning_level} - {None} <= levels, case.case
        assert {expect.decided_by, expect.warning_decided_by} - {None} <= criteria, case.case
        assert set(expect.clocks) | set(expect.warning_clocks) <= clocks, case.case
        assert {told.role for told in expect.told} <= roles, case.case
        assert set(expect.approvals) <= approvals, case.case
        assert set(expect.proposed or ()) <= set(plan.plan.facts), case.case
        notices = {notice.id for notice in plan.notices}
        assert {expected.notice for expected in expect.notices} <= notices, case.case
        assert {expected.id for expected in expect.consequences or ()} <= {
            rule.id for rule in plan.plan.consequences
        }, case.case
        assert {step.milestone for step in case.then} - {None} <= milestones, case.case
        reports = [case.report, *(step.report for step in case.then if step.report)]
        for report in reports:
            assert plan.type_facts(report.facts)[1] == [], case.case
            assert set(report.facts) <= set(plan.plan.facts), case.case


def test_cases_come_to_the_plan_by_themselves(pack: tuple[CompiledPlan, PackCases], library: PlanLibrary) -> None:
    plan, cases = pack
    for case in cases.cases:
        report = case.report
        routed = library.route("acme", report.kind, report.topic, report.category, report.channel, ())
        assert plan.name in [found.name for found in routed], case.case


def test_drills_are_cases_of_the_pack(pack: tuple[CompiledPlan, PackCases]) -> None:
    plan, cases = pack
    assert {drill.case for drill in plan.drills} <= {case.case for case in cases.cases}


def test_plans_open_plans_that_are_there(pack: tuple[CompiledPlan, PackCases], library: PlanLibrary) -> None:
    plan, _ = pack
    assert {opening.plan for opening in plan.plan.opens} <= {other.name for other in library.plans}


def test_packs_tell_where_they_come_from_and_how_they_were_read(pack: tuple[CompiledPlan, PackCases]) -> None:
    plan, _ = pack
    text = (PACKS / plan.name / "README.md").read_text("utf-8")
    assert plan.plan.sources
    for source in plan.plan.sources:
        assert source in text
    for name, parameter in plan.plan.parameters.items():
        if parameter.assumed and name not in {"acknowledge_within", "page_repeats"}:
            assert f"`{name}`" in text, f"the README does not explain the assumption {name}"
    assert all(criterion.source for criterion in plan.plan.criteria)


def test_packs_name_no_person_and_no_number() -> None:
    for path in sorted(PACKS.rglob("*.*")):
        if path.suffix in {".yaml", ".md"}:
            assert not re.search(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])", path.read_text("utf-8")), path


def test_unknown_events_go_to_the_default_plan(library: PlanLibrary) -> None:
    assert [plan.name for plan in library.route("acme", CaseKind.COMPLAINT, None, None, None, ())] == [
        "telecom-service-quality"
    ]
    assert library.route("acme", CaseKind.COMPLAINT, None, "natural-disaster", None, ()) == ()


def test_short_limits_come_through_parameters() -> None:
    short = {"telecom-service-quality": {"acknowledge_within": "20s", "publish_within": "90s", "page_repeats": 0}}
    plan = PlanLibrary.load(PACKS, short).get("telecom-service-quality")
    assert {tier.acknowledge_within.total_seconds() for tier in plan.tiers} == {20}
    assert {tier.repeat for tier in plan.tiers} == {0}


def test_a_burst_is_many_cases_that_vary_in_turn() -> None:
    case = next(case for case in load_cases(PACKS / "telecom-service-quality").cases if case.case == "batch-in-cities")
    assert case.burst is not None
    reports = list(burst_reports(case.report, case.burst))
    assert len(reports) == 10
    assert len({report.place.city for _, report in reports}) == 5
    assert len({report.complainant for _, report in reports}) == 10
    assert reports[-1][0] == case.length
