"""A fact that is not of the type its plan declares is refused at the door, by name."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, parse_plan
from tests.support.postgres import Database
from tests.support.register import Register, complaint, open_register

PLAN = """
plan: {name}
version: 1
title: {{zh: 试, en: Trial}}
timezone: Asia/Shanghai
applies: {{kinds: [complaint], categories: [{category}]}}
levels: [{{id: red, zh: 红, en: Red}}]
facts:
  {fact}
criteria:
  - {{id: r, level: red, when: "{when}", label: {{zh: 红, en: red}}}}
tiers:
  - {{id: desk, zh: 台, en: Desk, roles: [desk]}}
"""


def library() -> PlanLibrary:
    plans = (
        PLAN.format(name="people", category="network", fact="size: {int: {min: 0}}", when="size > 5"),
        PLAN.format(name="words", category="words", fact="size: {enum: [small, large]}", when="size == 'large'"),
        PLAN.format(name="moment", category="moment", fact="due: instant", when="until(due) <= 3h"),
        PLAN.format(name="several", category="several", fact="harm: {set: [body, money]}", when="'body' in harm"),
        PLAN.format(name="elsewhere", category="far], organisations: [other", fact="size: bool", when="size"),
        PLAN.format(name="truth", category="truth", fact="angry: bool", when="angry"),
    )
    return PlanLibrary([CompiledPlan.of(parse_plan(text, "plan.yaml")) for text in plans])


@pytest.fixture
async def checking(intake_database: Database) -> AsyncIterator[Register]:
    async with open_register(intake_database.url("intake"), plans=library()) as found:
        yield found


def about(category: str, **facts: Any) -> dict[str, Any]:
    return complaint("T-1", category=category, facts=facts)


@pytest.mark.parametrize(
    ("category", "fact", "value", "expected"),
    [
        ("network", "size", "60000", "number"),
        ("network", "size", 1.5, "number"),
        ("network", "size", True, "number"),
        ("network", "size", ["6"], "number"),
        ("network", "size", -1, "at least 0"),
        ("words", "size", "medium", "small"),
        ("words", "size", 6, "small"),
        ("moment", "due", "tomorrow", "instant"),
        ("moment", "due", "2026-03-02T09:00:00", "offset"),
        ("several", "harm", "body", "list"),
        ("several", "harm", ["soul"], "body"),
        ("truth", "angry", "yes", "true or false"),
        ("truth", "angry", 1, "true or false"),
    ],
)
async def test_a_fact_of_the_wrong_type_is_a_422_that_names_it(
    checking: Register, category: str, fact: str, value: object, expected: str
) -> None:
    answer = await checking.post("/v1/complaints", about(category, **{fact: value}))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert error["field"] == f"facts.{fact}"
    assert not await checking.rows("SELECT 1 FROM cases"), "nothing is registered of it"


@pytest.mark.parametrize(
    "body",
    [
        about("network", size=6),
        about("words", size="large"),
        about("moment", due="2026-03-02T09:00:00+08:00"),
        about("several", harm=["body", "money"]),
        about("network", colour="red"),
        about("elsewhere", size="of no plan"),
        complaint("T-1", facts={"size": "no category, so no plan"}),
    ],
)
async def test_what_fits_or_concerns_no_plan_is_registered(checking: Register, body: dict[str, Any]) -> None:
    assert (await checking.post("/v1/complaints", body)).status_code == 201


async def test_the_plans_a_report_asks_for_decide(checking: Register) -> None:
    body = complaint("T-1", plans=["words"], category="network", facts={"size": 6})
    answer = await checking.post("/v1/complaints", body)
    assert answer.status_code == 422
    assert "words" in answer.json()["errors"][0]["detail"]


async def test_a_plan_that_is_not_there_for_the_organisation_is_refused_by_name(checking: Register) -> None:
    for wanted in ("nowhere", "elsewhere"):
        answer = await checking.post("/v1/complaints", complaint("T-2", plans=["words", wanted]))
        assert answer.status_code == 422, answer.text
        [error] = answer.json()["errors"]
        assert error["field"] == "plans.1"
        assert wanted in error["detail"]
    assert not await checking.rows("SELECT 1 FROM cases")


@pytest.mark.parametrize("first", [{"category": "network"}, {"plans": ["people"]}])
async def test_what_is_added_to_a_case_is_checked_by_the_plans_of_the_case(
    checking: Register, first: dict[str, Any]
) -> None:
    assert (await checking.post("/v1/complaints", complaint("T-1", **first))).status_code == 201
    wrong = await checking.post("/v1/complaints", complaint("T-1", facts={"size": "large"}))
    assert wrong.status_code == 422, wrong.text
    assert [error["field"] for error in wrong.json()["errors"]] == ["facts.size"]
    assert "people" in wrong.json()["errors"][0]["detail"]
    right = await checking.post("/v1/complaints", complaint("T-1", facts={"size": 6}))
    assert (right.status_code, right.json()["sequence"]) == (201, 2)
    again = await checking.post("/v1/complaints", complaint("T-1", category="words", facts={"size": "large"}))
    assert again.status_code == (201 if "category" in first else 422), "a new category leads to another plan"


async def test_what_is_added_in_the_same_batch_is_checked_by_what_came_before_it(checking: Register) -> None:
    batch = [
        complaint("T-1", category="network"),
        complaint("T-1", facts={"size": "large"}),
        complaint("T-1", facts={"size": 6}),
    ]
    answer = await checking.post("/v1/complaints:batch", batch)
    assert [(one["status"], one.get("sequence")) for one in answer.json()["results"]] == [
        (201, 1),
        (422, None),
        (201, 2),
    ]


async def test_a_report_that_was_registered_is_answered_the_same_when_its_plan_has_changed(
    intake_database: Database,
) -> None:
    body = complaint("T-1", plans=["gone"], facts={"size": "large"}, category="network")
    async with open_register(intake_database.url("intake")) as before:
        assert (await before.post("/v1/complaints", body)).status_code == 201
    async with open_register(intake_database.url("intake"), plans=library()) as after:
        assert (await after.post("/v1/complaints", body)).status_code == 200
        more = complaint("T-1", plans=["gone"], facts={"size": 6})
        assert (await after.post("/v1/complaints", more)).status_code == 201, "the case had asked for it before"


async def test_an_alert_is_never_turned_away_for_a_fact(checking: Register) -> None:
    payload = {
        "source": "probe", "reference": "A-1", "kind": "complaint", "category": "network", "facts": {"size": "large"},
        "plans": ["nowhere"],
    }  # fmt: skip
    answer = await checking.post("/v1/hooks/generic", payload)
    assert answer.status_code in {200, 201}, answer.text


async def test_in_a_batch_only_the_wrong_one_is_refused(checking: Register) -> None:
    batch = [
        complaint("T-1", category="network", facts={"size": 6}),
        complaint("T-2", category="truth", facts={"angry": "yes"}),
    ]
    answer = await checking.post("/v1/complaints:batch", batch)
    assert answer.status_code == 207
    first, second = answer.json()["results"]
    assert (first["status"], second["status"]) == (201, 422)
    assert second["problem"]["errors"][0]["field"] == "facts.angry"


async def test_cloud_events_are_checked_alike(checking: Register) -> None:
    event = {
        "specversion": "1.0",
        "type": "com.example.complaint.received",
        "source": "call-centre",
        "id": "1",
        "data": about("truth", angry="yes"),
    }
    answer = await checking.post("/v1/events", event, **{"content-type": "application/cloudevents+json"})
    assert answer.status_code == 422, answer.text
    assert "facts.angry" in answer.text


async def test_until_plans_were_read_nothing_is_refused(register: Register) -> None:
    assert (await register.post("/v1/complaints", about("network", size="60000"))).status_code == 201
