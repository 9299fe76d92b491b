"""One complaint or many through the doors: answers, identity, numbers, what is published and what is not."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.access.api_keys import Scope
from shared.contracts.reports import ComplaintReceivedV1, IncidentReportedV1
from shared.db.migrate import unmigrated_changes
from tests.support.postgres import Database
from tests.support.register import Register, complaint, open_register


async def test_migrated_schema_equals_the_declared_tables(intake_database: Database) -> None:
    assert await asyncio.to_thread(unmigrated_changes, "intake", intake_database.url("intake")) is None


async def test_new_complaint_gets_a_number_and_is_published_without_personal_data(register: Register) -> None:
    answer = await register.post("/v1/complaints", complaint(id="e-1"))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["sequence"] == 1
    assert body["event_id"] == "e-1"
    assert body["duplicate"] is False
    assert body["number"].endswith("-000001")
    assert body["status_url"] == f"http://intake.example.org/v1/cases/{body['case_id']}"
    [event] = await register.published()
    assert isinstance(event.data, ComplaintReceivedV1)
    assert str(event.case_id) == body["case_id"]
    assert event.org == "demo"
    assert event.data.number == body["number"]
    assert event.data.narrative == "客户来电反映宽带中断，请回电 【电话】。"
    assert event.data.complainant_ref is not None
    stored = str(await register.rows("SELECT * FROM events")) + str(await register.rows("SELECT * FROM outbox"))
    for personal in ("13800001234", "138-0000-1234", "投诉人甲"):
        assert personal not in stored
        assert personal.encode().hex() not in stored


async def test_same_event_again_gives_the_same_answer_and_changes_nothing(register: Register) -> None:
    first = (await register.post("/v1/complaints", complaint(id="e-1"))).json()
    second = await register.post("/v1/complaints", complaint(id="e-1"))
    assert second.status_code == 200
    assert second.json() == first | {"duplicate": True}
    assert len(await register.published()) == 1
    assert len(await register.rows("SELECT 1 FROM events")) == 1


async def test_post_without_id_is_recognised_by_its_words_whatever_the_order_of_its_keys(register: Register) -> None:
    body = complaint()
    await register.post("/v1/complaints", body)
    again = await register.post("/v1/complaints", dict(reversed(list(body.items()))))
    assert again.status_code == 200
    assert again.json()["duplicate"] is True


async def test_same_id_with_another_body_is_a_conflict_naming_the_field(register: Register) -> None:
    await register.post("/v1/complaints", complaint(id="e-1"))
    changed = complaint(id="e-1", title="别的标题")
    changed["complainant"] = {"name": "投诉人乙", "phone": "13800005678"}
    answer = await register.post("/v1/complaints", changed)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["field"] for error in answer.json()["errors"]} == {"title", "complainant"}
    assert len(await register.published()) == 1


async def test_new_event_of_a_known_reference_adds_facts_to_the_same_case(register: Register) -> None:
    first = (await register.post("/v1/complaints", complaint(id="e-1"))).json()
    second = await register.post("/v1/complaints", complaint(id="e-2", facts={"customers_affected": 60_000}))
    assert second.status_code == 201
    assert second.json()["case_id"] == first["case_id"]
    assert second.json()["number"] == first["number"]
    assert second.json()["sequence"] == 2
    sequences = [
        event.data.sequence for event in await register.published() if isinstance(event.data, ComplaintReceivedV1)
    ]
    assert sequences == [1, 2]


async def test_a_reference_belongs_to_one_kind(register: Register) -> None:
    await register.post("/v1/complaints", complaint())
    answer = await register.post("/v1/incidents", {"source": "call-centre", "reference": "T-1"})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "reference"


async def test_incident_without_a_time_happened_when_it_was_received(register: Register) -> None:
    answer = await register.post("/v1/incidents", {"source": "noc", "reference": "I-1", "status": "resolved"})
    assert answer.status_code == 201
    [event] = await register.published()
    assert isinstance(event.data, IncidentReportedV1)
    assert event.data.status.value == "resolved"
    assert event.data.occurred_at - event.data.received_at < timedelta(seconds=1)


async def test_confidential_complaint_publishes_no_words(register: Register) -> None:
    await register.post("/v1/complaints", complaint(confidential=True))
    [event] = await register.published()
    assert isinstance(event.data, ComplaintReceivedV1)
    assert (event.data.title, event.data.narrative, event.data.confidential) == (None, None, True)


async def test_one_person_has_one_ref_across_spellings_and_another_in_another_organisation(register: Register) -> None:
    other = await register.key_with(Scope.REPORT, org="other")
    for number, phone in enumerate(("13800001234", "+86 138 0000 1234", "0086-13800001234", "１３８００００１２３４")):
        await register.post("/v1/complaints", complaint(f"T-{number}", complainant={"phone": phone}))
    await register.post("/v1/complaints", complaint("T-9", complainant={"phone": "13800001234"}), **other)
    refs = [
        event.data.complainant_ref
        for event in await register.published()
        if isinstance(event.data, ComplaintReceivedV1)
    ]
    assert len(set(refs[:4])) == 1
    assert refs[4] != refs[0]
    assert len(await register.rows("SELECT 1 FROM persons")) == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"unknown": 1}, "unknown"),
        ({"source": ""}, "source"),
        ({"occurred_at": "2026-11-21T09:30:00"}, "occurred_at"),
        ({"occurred_at": 1700000000}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"facts": {"Bad-Name": 1}}, "facts"),
        ({"facts": {"nested": {"a": 1}}}, "facts.nested"),
        ({"complainant": {"passport": "x"}}, "complainant.passport"),
        ({"place": {"street": "x"}}, "place.street"),
        ({"language": "fr"}, "language"),
        ({"confidential": "yes"}, "confidential"),
        ({"org": "other"}, "org"),
        ({"reference": None}, "reference"),
        ({"id": "x" * 121}, "id"),
    ],
)
async def test_bad_body_is_refused_by_the_name_of_the_field(
    register: Register, changes: dict[str, Any], field: str
) -> None:
    answer = await register.post("/v1/complaints", complaint(**changes))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert any(error["field"].startswith(field) for error in answer.json()["errors"]), answer.text
    assert await register.published() == []


async def test_batch_answers_for_each_place_and_numbers_have_no_gaps(register: Register) -> None:
    items: list[Any] = [complaint(f"T-{number}") for number in range(4)]
    items[1:1] = ["not an object", complaint(source="")]
    items.append(complaint("T-0"))
    answer = await register.post("/v1/complaints:batch", items)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [201, 400, 422, 201, 201, 201, 200]
    assert [result["number"][-6:] for result in results if result["status"] == 201] == [
        "000001",
        "000002",
        "000003",
        "000004",
    ]
    assert results[6]["case_id"] == results[0]["case_id"]
    assert results[6]["duplicate"] is True
    assert results[2]["problem"]["errors"][0]["field"] == "source"


async def test_batch_within_the_limits_and_beyond(register: Register) -> None:
    assert (await register.post("/v1/incidents:batch", [])).status_code == 400
    items = [{"source": "noc", "reference": f"I-{number}"} for number in range(501)]
    assert (await register.post("/v1/incidents:batch", items)).status_code == 400
    assert (await register.post("/v1/incidents:batch", {"items": items[:500]})).status_code == 201
    assert (await register.post("/v1/incidents:batch", items[:500])).status_code == 200
    assert len(await register.rows("SELECT 1 FROM cases")) == 500


async def test_two_facts_of_one_case_in_one_batch_follow_each_other(register: Register) -> None:
    items = [complaint(id=f"e-{number}", facts={"step": number}) for number in range(3)]
    results = (await register.post("/v1/complaints:batch", items)).json()["results"]
    assert [result["sequence"] for result in results] == [1, 2, 3]
    assert len({result["case_id"] for result in results}) == 1
    steps = [
        event.data.facts["step"] for event in await register.published() if isinstance(event.data, ComplaintReceivedV1)
    ]
    assert steps == [0, 1, 2]


async def test_months_are_counted_in_the_organisations_time_zone(intake_database: Database) -> None:
    async with (
        open_register(intake_database.url("intake"), default_time_zone="Pacific/Kiritimati") as east,
        open_register(intake_database.url("intake"), default_time_zone="Pacific/Niue") as west,
    ):
        one = (await east.post("/v1/complaints", complaint("E"))).json()["number"]
        two = (await west.post("/v1/complaints", complaint("W"))).json()["number"]
    # 25 hours lie between the two zones, so both months differ or both share one counter.
    assert (one[:7] == two[:7]) == (two.endswith("-000002"))


async def test_traceparent_is_carried_on(register: Register) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await register.post("/v1/complaints", complaint(), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    [event] = await register.published()
    assert event.traceparent is not None
    assert event.traceparent.split("-")[1] == trace
    assert event.traceparent.split("-")[2] != "00f067aa0ba902b7"
