"""Rosters changed while the notifier runs: who did it is kept, what does not fit is refused by name."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from services.notifier.app.announce_handovers import announce_handovers
from services.notifier.app.report_findings import report_findings
from services.notifier.app.rules import Rules
from services.notifier.domain.roster_duty import on_duty
from shared.access.api_keys import Scope
from shared.contracts.notifications import NotificationRequestedV1
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.metrics import ROSTER_FINDINGS
from tests.integration.notifier.office import OVERRIDE, SPAN, TEXT, TOMORROW, Office


async def _change(office: Office, **fields: Any) -> httpx.Response:
    return await office.http.post("/v1/roster/changes", json=OVERRIDE | fields)


async def test_an_override_is_in_force_at_once_here_and_at_a_replica_and_can_be_taken_back(
    office: Office, database: Database
) -> None:
    other = Office(office.file, database)
    assert office.who() == ["a"]
    answer = await _change(office)
    assert answer.status_code == 201, answer.text
    assert office.who() == ["b"]
    assert await other.book.refresh()
    assert other.who() == ["b"]
    roster = office.book.of("demo")
    assert roster is not None
    assert "值班长" in on_duty(roster, "head", TOMORROW)[0].because.zh

    change_id = answer.json()["changes"][0]["change_id"]
    assert (await office.http.delete(f"/v1/roster/changes/{change_id}")).status_code == 204
    assert office.who() == ["a"]
    assert (await office.http.delete(f"/v1/roster/changes/{change_id}")).status_code == 404
    history = (await office.http.get("/v1/roster/history")).json()
    assert [(one["made_by"], one["withdrawn_by"]) for one in history["changes"]] == [("值班长", "值班长")]
    await other.http.aclose()


async def test_leave_and_swaps_of_several_are_taken_together_or_not_at_all(office: Office) -> None:
    leave = {"kind": "leave", "person": "a", "deputy": "b", **SPAN}
    refused = await office.http.post("/v1/roster/changes", json=[leave, OVERRIDE | {"role": "none"}])
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "1.role", "detail": "override of none: there is no role 'none'"}]
    assert office.who() == ["a"]
    assert (await office.http.post("/v1/roster/changes", json=[leave])).status_code == 201
    assert office.who() == ["b"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"people": ["nobody"]}, {"people.0"}),
        ({"people": []}, {"people"}),
        ({"from": "soon"}, {"from"}),
        ({"to": "2020-01-01"}, {"to"}),
        ({"kind": "leave", "person": "nobody", "role": None}, {"role", "people"}),
        ({"kind": "other"}, {"kind"}),
        ({"reason": None, "by": 5}, {"reason", "by"}),
    ],
)
async def test_what_does_not_fit_is_refused_by_field(office: Office, fields: dict[str, Any], named: set[str]) -> None:
    answer = await _change(office, **fields)
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == named


async def test_what_does_not_fit_among_several_is_named_by_its_number_and_by_whose_it_is(office: Office) -> None:
    leave = {"kind": "leave", "person": "a", **SPAN}
    refused = await office.http.post("/v1/roster/changes", json=[leave, leave | {"from": 3}, OVERRIDE | {"people": 5}])
    assert refused.status_code == 422
    assert [(one["field"], one["detail"].split(":")[0]) for one in refused.json()["errors"]] == [
        ("1.from", "leave of a"),
        ("2.people", "override of head"),
    ]
    nothings: list[Any] = [5, None, "leave", [[]], [None]]
    for nothing in nothings:
        assert (await office.http.post("/v1/roster/changes", json=nothing)).status_code == 422
    assert (await office.http.post("/v1/roster/changes", json=[])).json()["errors"][0]["field"] == "body"


async def test_each_of_many_changes_is_told_what_is_wrong_with_it_and_with_no_other(office: Office) -> None:
    leave = {"kind": "leave", "person": "a", "deputy": "b", **SPAN}
    swap = {"kind": "swap", "between": ["a", "b"], "reason": "x", **SPAN}
    wanted = [leave, leave | {"deputy": "a"}, OVERRIDE, swap | {"between": ["a", "a"]}, leave | {"person": "nobody"}]
    wanted += [OVERRIDE | {"to": "2020-01-01"}, leave | {"from": "soon"}, swap | {"back": SPAN | {"to": "2020-01-01"}}]
    refused = await office.http.post("/v1/roster/changes", json=wanted)
    assert refused.status_code == 422
    assert sorted(one["field"] for one in refused.json()["errors"]) == [
        "1.deputy",
        "3.between",
        "4.person",
        "5.to",
        "6.from",
        "7.back.to",
    ]
    room = TEXT.replace("{id: b,", "{id: b, room: true,")
    assert (await office.http.put("/v1/roster", content=room.encode())).status_code == 200
    refused = await office.http.post("/v1/roster/changes", json=leave | {"person": "b", "deputy": "a"})
    assert refused.json()["errors"] == [{"field": "person", "detail": "a duty room does not go on leave"}]


async def test_an_import_that_is_no_roster_names_each_field_and_whose_it_is(office: Office) -> None:
    text = TEXT.replace("duty: [{person: a}]", "duty: [{person: nobody}]").replace("13800000001", "138x")
    refused = await office.http.put("/v1/roster", content=text.encode())
    assert refused.status_code == 422
    found = {one["field"]: one["detail"] for one in refused.json()["errors"]}
    assert found.keys() == {"people.0.contacts.0.to", "roles.0.duty.0.person"}
    assert "person a 甲 / A, contact sms: a phone number" in found["people.0.contacts.0.to"]
    assert found["people.0.contacts.0.to"].startswith("line ")
    assert "there is no person 'nobody'" in found["roles.0.duty.0.person"]
    foreign = await office.http.put(
        "/v1/roster", content=TEXT.replace("organisation: demo", "organisation: x").encode()
    )
    assert [one["field"] for one in foreign.json()["errors"]] == ["organisation"]
    assert [one["field"] for one in (await office.http.put("/v1/roster", content=b"a: [")).json()["errors"]] == ["body"]


async def test_a_key_without_the_scope_may_not_change_and_another_organisation_sees_nothing(office: Office) -> None:
    await _change(office)
    await office.sign_in(Scope.READ)
    assert (await _change(office)).status_code == 403
    assert (await office.http.put("/v1/roster", content=TEXT)).status_code == 403
    await office.sign_in(Scope.READ, Scope.ROSTER, org="elsewhere")
    assert (await _change(office)).status_code == 404
    assert (await office.http.get("/v1/roster/history")).json() == {"versions": [], "changes": []}
    assert (await office.http.put("/v1/roster", content=TEXT)).status_code == 422


async def test_an_import_is_compared_first_then_taken_over_and_outlives_a_restart(
    office: Office, database: Database
) -> None:
    text = TEXT.replace("duty: [{person: a}]", "duty: [{person: b}]").replace("zh: 甲", "zh: 甲甲")
    tried = (await office.http.put("/v1/roster", params={"dry_run": True}, content=text.encode())).json()
    assert (tried["applied"], office.who()) == (False, ["a"])
    assert [(one["how"], one["section"], one["id"]) for one in tried["differences"]] == [
        ("changed", "people", "a"),
        ("changed", "roles", "head"),
    ]
    assert tried["differences"][1]["after"] == {"duty": [{"person": "b"}]}
    done = (await office.http.put("/v1/roster", content=text.encode())).json()
    assert (done["applied"], office.who()) == (True, ["b"])
    assert (await office.http.put("/v1/roster", content=text.encode())).json()["applied"] is False

    again = Office(office.file, database)  # the file on disk stood still, so the import stays in force
    await again.book.refresh()
    assert again.who() == ["b"]
    office.file.write_text(TEXT + "# edited\n", encoding="utf-8")
    assert await again.book.refresh()
    assert again.who() == ["a"]
    await again.http.aclose()
    history = (await office.http.get("/v1/roster/history")).json()
    assert [(one["number"], one["origin"]) for one in history["versions"]] == [(3, "file"), (2, "import"), (1, "file")]


async def test_rosters_that_come_at_the_same_moment_are_all_kept_and_none_twice(
    office: Office, database: Database
) -> None:
    office.file.write_text(TEXT + "# edited\n", encoding="utf-8")
    replicas = [Office(office.file, database) for _ in range(3)]
    texts = [TEXT.replace("zh: 主管", f"zh: 主管{number}") for number in range(3)]
    imports = [office.http.put("/v1/roster", content=text.encode()) for text in texts]

    _, answers = await asyncio.gather(
        asyncio.gather(*(replica.book.refresh() for replica in replicas)), asyncio.gather(*imports)
    )

    assert [answer.json()["applied"] for answer in answers] == [True] * 3
    history = (await office.http.get("/v1/roster/history")).json()
    assert [one["number"] for one in history["versions"]] == [5, 4, 3, 2, 1]
    assert sorted(one["origin"] for one in history["versions"]) == ["file", "file", "import", "import", "import"]
    for replica in replicas:
        await replica.http.aclose()


async def test_an_export_reads_back_the_same_and_lists_changes_when_asked(office: Office) -> None:
    await _change(office)
    assert (await office.http.get("/v1/roster")).text == TEXT
    whole = (await office.http.get("/v1/roster", params={"changes": True})).text
    tried = (await office.http.put("/v1/roster", params={"dry_run": True}, content=whole.encode())).json()
    assert [(one["how"], one["section"]) for one in tried["differences"]] == [("added", "overrides")]


async def test_a_change_that_an_import_no_longer_fits_is_named_and_left_out(office: Office) -> None:
    await _change(office)
    alone = "\n".join(line for line in TEXT.splitlines() if "id: b" not in line)
    done = (await office.http.put("/v1/roster", content=alone.encode())).json()
    assert [one["people"] for one in done["unfit"]] == [["b"]]
    assert office.who() == ["a"]


@pytest.mark.parametrize("text", [b"\xff", b"", b"{}", b"- 1", TEXT.encode() * 2])
async def test_what_is_no_roster_is_refused_in_words(office: Office, text: bytes) -> None:
    answer = await office.http.put("/v1/roster", content=text)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_new_finding_is_told_to_the_owner_once_by_whichever_replica_sees_it(
    office: Office, database: Database
) -> None:
    gap = TEXT.replace("organisation: demo", "organisation: demo\nowner: head") + (
        "  - {id: night, name: {zh: 夜班, en: Night}, duty: [{person: b}],"
        ' hours: {days: [mon, tue, wed, thu, fri], from: "20:00", to: "08:00"}}\n'
    )
    assert (await office.http.put("/v1/roster", content=gap.encode())).json()["applied"]
    other = Office(office.file, database)
    await other.book.refresh()
    rules = cast("Rules", SimpleNamespace(providers={ChannelKind.SMS: ["sink"]}))
    ids = TimeOrderedIds()
    told = await report_findings(book=office.book, rules=rules, database=database, ids=ids, days=7)
    assert told >= 5
    again = await report_findings(book=other.book, rules=rules, database=database, ids=ids, days=7)
    assert again == 0
    assert ROSTER_FINDINGS.labels("demo", "gap")._value.get() == told - 2
    assert ROSTER_FINDINGS.labels("demo", "unverified")._value.get() == 2
    [request] = await _requested(database)
    assert request.roles == ("head",)
    assert "夜班（night）" in str(request.subject.because)
    assert str(told) in str(request.subject.title)
    await other.http.aclose()


async def test_a_hand_over_is_announced_once_to_both_sides(office: Office, database: Database) -> None:
    minutes = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=30)
    start = (minutes - timedelta(days=1)).date()
    turns = TEXT.replace("timezone: Asia/Shanghai", "timezone: Etc/UTC") + (
        "  - {id: turn, name: {zh: 轮值, en: Turn}, duty: [{rotation: days}], handover_notice: 1h}\n"
        f'rotations: [{{id: days, every: day, start: {start - timedelta(days=1)}, handover: "{minutes:%H:%M}",'
        " people: [a, b]}]\n"
    )
    assert (await office.http.put("/v1/roster", content=turns.encode())).json()["applied"]
    assert await announce_handovers(book=office.book, database=database, ids=TimeOrderedIds()) == 1
    assert await announce_handovers(book=office.book, database=database, ids=TimeOrderedIds()) == 0
    [request] = await _requested(database)
    assert set(request.people) == {"a", "b"}
    assert request.subject.due_at == minutes
    assert f"{minutes:%H:%M}" in str(request.subject.because)
    assert "交班" in str(request.subject.because)


async def _requested(database: Database) -> list[NotificationRequestedV1]:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT value FROM outbox")
    return [NotificationRequestedV1.model_validate_json(bytes(row["value"])) for row in rows]
