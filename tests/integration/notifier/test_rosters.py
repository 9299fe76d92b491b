"""Rosters changed while the notifier runs: who did it is kept, what does not fit is refused by name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notifier.api.roster_calendars import roster_calendars_router
from services.notifier.api.roster_changes import roster_changes_router
from services.notifier.app.announce_handovers import announce_handovers
from services.notifier.app.report_findings import report_findings
from services.notifier.app.rules import Rules
from services.notifier.domain.roster_duty import on_duty
from services.notifier.domain.roster_ical import CalendarUnreadableError, read_spans
from services.notifier.domain.roster_text import parse_roster
from services.notifier.store.roster_book import RosterBook
from services.notifier.store.roster_files import RosterFiles
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.contracts.notifications import NotificationRequestedV1
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.clock import SystemClock
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.metrics import ROSTER_FINDINGS
from shared.runtime.problems import install_problem_handlers

TEXT = """\
# kept with its comments
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 乙, en: B}, contacts: [{channel: sms, to: "13800000002"}]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: a}]}
"""
TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
SPAN = {"from": TOMORROW.isoformat(), "to": (TOMORROW + timedelta(hours=8)).isoformat()}
OVERRIDE = {"kind": "override", "role": "head", "people": ["b"], "reason": "值守", **SPAN}


class Office:
    """One notifier's roster door on the real database."""

    def __init__(self, file: Path, database: Database) -> None:
        self.file = file
        files = RosterFiles(file)
        files.load()
        self.book = RosterBook(files, database, {})
        self.keys = KeyStore(database, b"pepper")
        app = FastAPI()
        clock = SystemClock()
        router = roster_changes_router(
            self.book, database, TimeOrderedIds(), reader(self.keys, clock), reader(self.keys, clock, Scope.ROSTER)
        )
        app.include_router(router)
        calendars = roster_calendars_router(
            self.book,
            database,
            TimeOrderedIds(),
            clock,
            secret=b"secret",
            may_read=reader(self.keys, clock),
            may_change=reader(self.keys, clock, Scope.ROSTER),
        )
        app.include_router(calendars)
        self.app = app
        install_problem_handlers(app)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier")

    async def sign_in(self, *scopes: Scope, org: str = "demo") -> None:
        key = await self.keys.issue(org=org, scopes=scopes, label="值班长")
        self.http.headers["authorization"] = f"Bearer {key}"

    def who(self, at: datetime = TOMORROW) -> list[str]:
        roster = self.book.of("demo")
        assert roster is not None
        return [duty.person.id for duty in on_duty(roster, "head", at)]


@pytest.fixture
async def database(notifier_url: str) -> AsyncIterator[Database]:
    made = Database.connect(notifier_url, application="test-rosters", pool_size=3)
    yield made
    await made.close()


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    file = tmp_path / "roster.yaml"
    file.write_text(TEXT, encoding="utf-8")
    made = Office(file, database)
    await made.book.refresh()
    await made.sign_in(Scope.READ, Scope.ROSTER)
    yield made
    await made.http.aclose()


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
    for nothing in (5, None, "leave", [[]], [None]):
        assert (await office.http.post("/v1/roster/changes", json=nothing)).status_code == 422
    assert (await office.http.post("/v1/roster/changes", json=[])).json()["errors"][0]["field"] == "body"


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


async def test_a_feed_is_read_without_a_key_and_only_with_its_own_signature(office: Office) -> None:
    path = (await office.http.get("/v1/roster/feed-address", params={"person": "a"})).json()["path"]
    del office.http.headers["authorization"]
    answer = await office.http.get(path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    [event] = Calendar.from_ical(answer.text).walk("VEVENT")
    assert str(event["summary"]) == "值班：主管"
    assert event.decoded("dtend") > datetime.now(UTC) + timedelta(days=50)
    assert (await office.http.get(path.replace("person=a", "person=b"))).status_code == 403
    assert (await office.http.get(path.replace("person=a", "role=head"))).status_code == 403
    assert "138" not in answer.text


async def test_leave_comes_in_from_a_calendar_and_shows_in_the_feed(office: Office) -> None:
    day = TOMORROW.date() + timedelta(days=1)
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\nDTEND;VALUE=DATE:{day + timedelta(days=2):%Y%m%d}\r\n"
        "SUMMARY:年假\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    done = await office.http.post("/v1/roster/calendar", params={"person": "a"}, content=text.encode())
    assert done.status_code == 201, done.text
    [change] = done.json()["changes"]
    midnight = datetime.combine(day, time(), ZoneInfo("Asia/Shanghai"))
    assert datetime.fromisoformat(change["from"]) == midnight
    assert (office.who(midnight - timedelta(seconds=1)), office.who(midnight)) == (["a"], [])
    assert office.who(midnight + timedelta(days=2)) == ["a"]
    stands_in = await office.http.post(
        "/v1/roster/calendar", params={"person": "b", "role": "head"}, content=text.encode()
    )
    assert stands_in.status_code == 201
    assert office.who(midnight) == ["b"]
    for again in ({"person": "a"}, {"person": "b", "role": "head"}):
        sent = await office.http.post("/v1/roster/calendar", params=again, content=b"\xef\xbb\xbf" + text.encode())
        assert (sent.status_code, sent.json()) == (201, {"changes": []}), "what stands there is not entered twice"


@pytest.mark.parametrize(
    "event",
    [
        "RRULE:FREQ=HOURLY\r\nDTSTART:20260101T000000Z\r\nDTEND:20260101T010000Z",
        "SUMMARY:x",
        "DTSTART:x",
        "DTEND:x\r\nDTSTART:",
        "SUMMARY:年假\r\nDTSTART:20260101T000000Z",
    ],
)
async def test_an_event_that_cannot_be_used_is_named(office: Office, event: str) -> None:
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    answer = await office.http.post("/v1/roster/calendar", params={"person": "a"}, content=text.encode())
    assert answer.status_code == 422
    assert answer.json()["title"] == "The calendar cannot be used"
    if "年假" in event:
        assert "event 1 (年假): has neither DTEND nor DURATION" in answer.text


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_calendar_or_refused(text: str) -> None:
    roster = parse_roster(TEXT, file="r.yaml")
    with suppress(CalendarUnreadableError):
        read_spans(f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", roster, TOMORROW)
    with suppress(CalendarUnreadableError):
        read_spans(text, roster, TOMORROW)
