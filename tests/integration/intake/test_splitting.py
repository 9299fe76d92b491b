"""A case is taken apart: what goes to the new one, what stays, and that the receipt stays what it was."""

from typing import Any
from uuid import uuid4

import pytest

from shared.access.api_keys import Scope
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.reports import ComplaintReceivedV1, IncidentReportedV1
from tests.support.register import Register, complaint

BY = {"ref": "duty-manager-a"}


async def told(register: Register) -> str:
    """A case of two reports by two people; its id."""
    first = complaint("T-1", facts={"people": 3, "line": "network"}, narrative="第一位投诉人说宽带中断。", drill=False)
    second = complaint(
        "T-1",
        topic="账单",
        title="账单重复扣费",
        occurred_at="2026-11-20T09:30:00+08:00",
        narrative="第二位投诉人说账单重复。",
        facts={"people": 12, "amount": 80},
        complainant={"name": "投诉人乙", "phone": "13800005678"},
    )
    answers = [await register.post("/v1/complaints", body) for body in (first, second)]
    assert [answer.status_code for answer in answers] == [201, 201]
    case_id: str = answers[0].json()["case_id"]
    return case_id


async def split(register: Register, case_id: str, **arguments: Any) -> Any:
    body = {"id": "s-1", "command": "split", "reason": "两件不同的事", "actor": BY, "arguments": arguments}
    return await register.post(f"/v1/cases/{case_id}/commands", body)


async def reports(register: Register) -> list[ComplaintReceivedV1]:
    return [event.data for event in await register.published() if isinstance(event.data, ComplaintReceivedV1)]


async def test_a_chosen_report_goes_on_as_a_case_of_its_own_from_its_own_receipt(register: Register) -> None:
    case_id = await told(register)
    answer = await split(register, case_id, reports=["2"])
    assert answer.status_code == 202
    made = answer.json()["split"]
    [first, second, new, old] = await reports(register)
    assert (new.number, new.sequence, new.split_from) == (made["number"], 1, first.number)
    assert (new.topic, new.title, new.facts) == ("账单", "账单重复扣费", {"people": 12, "amount": 80})
    assert new.received_at == second.received_at
    assert new.occurred_at == second.occurred_at
    assert new.complainant_ref == second.complainant_ref != first.complainant_ref
    assert new.narrative is not None
    assert "第一位" not in new.narrative
    assert (old.sequence, old.facts, old.moved_facts, old.moved_reports) == (3, {"people": 3}, ("amount",), (2,))
    [(command, data)] = [
        (event, event.data) for event in await register.published() if isinstance(event.data, CommandIssuedV1)
    ]
    assert data.command is CommandKind.SPLIT
    assert data.arguments == {"into": made["number"], "case": made["case_id"], "facts": ["amount", "people"]}
    assert str(command.case_id) == case_id


async def test_chosen_facts_go_with_their_latest_value_and_are_not_known_here_any_more(register: Register) -> None:
    case_id = await told(register)
    answer = await split(register, case_id, facts="amount，people", title="账单部分", reference="T-1-B")
    assert answer.status_code == 202
    [first, _, new, old] = await reports(register)
    assert (new.reference, new.title, new.narrative) == ("T-1-B", "账单部分", None)
    assert new.facts == {"amount": 80, "people": 12}
    assert new.received_at == first.received_at
    assert (old.facts, old.moved_facts, old.moved_reports) == ({}, ("amount", "people"), ())
    more = await register.post("/v1/complaints", complaint("T-1-B", facts={"amount": 90}))
    assert more.json()["case_id"] == answer.json()["split"]["case_id"]


async def test_the_same_split_again_makes_no_third_case(register: Register) -> None:
    case_id = await told(register)
    first, second = [await split(register, case_id, reports=["2"]) for _ in range(2)]
    assert (second.status_code, second.json()["duplicate"]) == (200, True)
    assert second.json()["split"] == first.json()["split"]
    assert len(await reports(register)) == 4


async def test_an_incident_that_was_over_stays_over_when_it_is_split(register: Register) -> None:
    body = {"source": "nms", "reference": "A-1", "facts": {"down": 2, "sites": 1}}
    case = (await register.post("/v1/incidents", body | {"id": "a"})).json()
    await register.post("/v1/incidents", body | {"id": "b", "status": "resolved", "facts": {"down": 0}})
    assert (await split(register, case["case_id"], facts=["sites"])).status_code == 202
    *_, new, old = [event.data for event in await register.published() if isinstance(event.data, IncidentReportedV1)]
    assert {new.status, old.status} == {"resolved"}
    assert (new.facts, old.moved_facts) == ({"sites": 1}, ("sites",))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "arguments.facts"),
        ({"facts": ["unheard_of"]}, "arguments.facts"),
        ({"reports": ["9"]}, "arguments.reports"),
        ({"reports": ["two"]}, "arguments.reports"),
        ({"reports": ["1", "2"]}, "arguments.reports"),
        ({"reports": ["2"], "reference": "T-1"}, "arguments.reference"),
        ({"reports": ["2"], "reference": "x" * 200}, "reference"),
    ],
)
async def test_what_cannot_be_split_is_refused_by_name_and_nothing_is_written(
    register: Register, arguments: dict[str, Any], field: str
) -> None:
    case_id = await told(register)
    before = await register.rows("SELECT count(*) FROM outbox")
    answer = await split(register, case_id, **arguments)
    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert await register.rows("SELECT count(*) FROM outbox") == before
    assert (await split(register, case_id, reports=["2"])).status_code == 202


async def test_what_was_erased_cannot_be_moved(register: Register) -> None:
    case_id = await told(register)
    await register.rows("DELETE FROM person_keys WHERE person_id = (SELECT person_id FROM events WHERE sequence = 2)")
    answer = await split(register, case_id, reports=["2"])
    assert answer.status_code == 422
    assert "erased" in answer.text


async def test_nobody_splits_a_case_that_is_not_theirs_or_not_here(register: Register) -> None:
    case_id = await told(register)
    other = await register.key_with(Scope.COMMAND, org="other")
    body = {"command": "split", "reason": "x", "actor": BY, "arguments": {"reports": ["2"]}}
    assert (await register.post(f"/v1/cases/{case_id}/commands", body, **other)).status_code == 404
    assert (await register.post(f"/v1/cases/{uuid4()}/commands", body)).status_code == 404
