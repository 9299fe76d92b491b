"""Contact points verified from the door by the real ledger, gateway and mail server back to the roster in force."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.notifier.api.replies import replies_router
from services.notifier.api.verifications import verifications_router
from services.notifier.app.report_findings import report_findings
from services.notifier.app.take_confirmations import take_confirmations
from services.notifier.domain.verification import MOST_AN_HOUR, TRIES
from services.notifier.store.roster_book import RosterBook
from services.notifier.store.roster_files import RosterFiles
from services.notifier.store.silences import SilenceBook
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.access.links import read_acknowledgement
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.notifications import CONTACT_CHECK_PLAN, NotificationRequestedV1, Settlement
from shared.contracts.values import Actor, ActorKind
from shared.kafka.outcome import DONE
from shared.runtime.metrics import ROSTER_FINDINGS
from shared.runtime.problems import install_problem_handlers
from tests.integration.notifier.desk import CLOCK, IDS, SECRET, Desk
from tests.integration.notifier.desk import request as page
from tests.support.sink import Sink

TEXT = """\
organisation: demo
timezone: Asia/Shanghai
page_unverified: false
people:
  - id: a
    name: {zh: 值班经理甲, en: Duty manager A}
    contacts: [{channel: sms, to: "13800000001"}, {channel: email, to: a@example.org, verified: true}]
  - {id: b, name: {zh: 值班经理乙, en: Duty manager B}, language: en, contacts: [{channel: sms, to: "13800000002"}]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: a}]}
  - {id: clerk, name: {zh: 综合, en: Clerk}, duty: [{person: b}]}
"""


@dataclass
class Office:
    """A notifier with rosters that know what was verified."""

    desk: Desk
    book: RosterBook
    file: Path
    http: httpx.AsyncClient
    sent: int = 0

    async def contact(self, person: str, contact: str) -> dict[str, Any]:
        found = (await self.http.get("/v1/roster/contacts")).json()["contacts"]
        return next(one for one in found if (one["person"], one["contact"]) == (person, contact))

    async def ask(self, **wanted: Any) -> list[dict[str, Any]]:
        answer = await self.http.post("/v1/roster/verifications", json=wanted)
        assert answer.status_code == 201, answer.text
        checks: list[dict[str, Any]] = answer.json()["verifications"]
        return checks

    async def deliver(self) -> None:
        """What the outbox holds comes back by Kafka."""
        rows = await self.desk.rows(
            "SELECT value, key FROM outbox WHERE topic = 'notifications-requested' ORDER BY seq"
        )
        for row in rows[self.sent :]:
            data = NotificationRequestedV1.model_validate_json(bytes(row["value"]))
            event = Event(IDS.new(), "/fenghuo/notifier", CLOCK.now(), "demo", UUID(bytes(row["key"]).decode()), data)
            assert await self.desk.accept(event) == [DONE]
        self.sent = len(rows)

    async def give(
        self, check: str | UUID, code: str | None, *, kind: ActorKind = ActorKind.PERSON, at: datetime | None = None
    ) -> None:
        await self.take(
            CommandIssuedV1(
                command=CommandKind.ACKNOWLEDGE,
                actor=Actor(kind=kind, ref="a"),
                issued_at=at or CLOCK.now(),
                plan=CONTACT_CHECK_PLAN,
                arguments={} if code is None else {"code": code},
            ),
            UUID(str(check)),
        )

    async def take(self, command: CommandIssuedV1, case: UUID, org: str = "demo") -> Event[CommandIssuedV1]:
        event = Event(IDS.new(), "/fenghuo/intake", CLOCK.now(), org, case, command)
        await self.again(event)
        return event

    async def again(self, event: Event[CommandIssuedV1]) -> None:
        await take_confirmations([event], book=self.book, database=self.desk.database, ids=IDS, secret=SECRET)


@pytest.fixture
async def office(desk: Desk, tmp_path: Path) -> AsyncIterator[Office]:
    file = tmp_path / "roster.yaml"
    file.write_text(TEXT, encoding="utf-8")
    files = RosterFiles(file)
    files.load()
    book = RosterBook(files, desk.database, {})
    await book.refresh()
    desk.rules = replace(desk.rules, rosters=book)
    keys = KeyStore(desk.database, b"pepper")
    app = FastAPI()
    may_change = reader(keys, CLOCK, Scope.ROSTER)
    app.include_router(
        verifications_router(desk.rules, desk.database, IDS, may_read=reader(keys, CLOCK), may_change=may_change)
    )
    silences = SilenceBook(desk.database, book, {}, ())
    app.include_router(replies_router(book, silences, desk.database, IDS, reader(keys, CLOCK, Scope.RECEIPT)))
    install_problem_handlers(app)
    key = await keys.issue(org="demo", scopes=(Scope.READ, Scope.ROSTER, Scope.RECEIPT), label="值班长")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers={"authorization": f"Bearer {key}"}
    ) as http:
        yield Office(desk, book, file, http)


async def _text(office: Office, sink: Sink, to: str, *, count: int = 1) -> str:
    async def arrived() -> list[str]:
        texts = [one["text"] for one in sink.messages() if one["to"] == to]
        return texts if len(texts) >= count else []

    found: list[str] = await office.desk.eventually(arrived, what=lambda: f"{count} messages to {to}")
    return found[-1]


async def test_a_code_goes_to_that_address_alone_and_coming_back_verifies_it(office: Office, sink: Sink) -> None:
    assert not (await office.contact("a", "sms-1"))["verified"]
    assert (await office.contact("a", "email-1"))["how"] == "roster"
    [check] = await office.ask(person="a")
    assert (check["contact"], check["state"], check["tries_left"]) == ("sms-1", "open", TRIES)
    await office.deliver()
    text = await _text(office, sink, "13800000001")
    assert text.startswith("【验证】【烽火】联系方式验证 V-")
    [code] = re.findall(r"回复“验证 (\d{6})”", text)
    assert [one["to"] for one in sink.messages()] == ["13800000001"]
    kept = await office.desk.rows("SELECT CAST(body AS text) AS body FROM requests")
    assert all(code not in one["body"] for one in kept), "no code is published or stored"

    await office.give(check["verification_id"], code)
    shown = await office.contact("a", "sms-1")
    assert (shown["verified"], shown["how"], shown["last"]["state"]) == (True, "code", "verified")
    assert shown["since"] is not None
    known = office.book.of("demo")
    assert known is not None
    assert known.people["a"].contacts[0].verified


async def test_the_link_in_the_message_verifies_too_and_expires_with_the_code(office: Office, sink: Sink) -> None:
    [check] = await office.ask(person="b", contact="sms-1")
    await office.deliver()
    text = await _text(office, sink, "13800000002")
    assert text.startswith("[CHECK][Fenghuo]Contact verification V-"), "b reads English"
    assert not re.search(r"[\u4e00-\u9fff]", text)
    link = read_acknowledgement(text.rsplit("/a/", 1)[1].split()[0], SECRET, CLOCK.now())
    assert (str(link.case_id), link.plan, link.person) == (check["verification_id"], CONTACT_CHECK_PLAN, "b")
    assert abs(link.expires_at - datetime.fromisoformat(check["expires_at"])) < timedelta(seconds=2)
    await office.give(link.case_id, None, kind=ActorKind.LINK)
    assert (await office.contact("b", "sms-1"))["how"] == "link"


async def test_wrong_late_replayed_and_foreign_codes_verify_nothing(office: Office, sink: Sink) -> None:
    [check] = await office.ask(person="a", contact="sms-1")
    await office.deliver()
    [code] = re.findall(r"验证 (\d{6})", await _text(office, sink, "13800000001"))
    wrong = "000000" if code != "000000" else "111111"
    case = UUID(check["verification_id"])
    await office.give(case, None)
    await office.give(case, code, at=CLOCK.now() + timedelta(hours=2))
    acknowledged = CommandIssuedV1(
        command=CommandKind.ACKNOWLEDGE,
        actor=Actor(kind=ActorKind.LINK, ref="a"),
        issued_at=CLOCK.now(),
        plan=CONTACT_CHECK_PLAN,
    )
    await office.take(acknowledged, case, org="other")
    assert (await office.contact("a", "sms-1"))["last"]["tries_left"] == TRIES
    once = acknowledged.model_copy(
        update={"actor": Actor(kind=ActorKind.PERSON, ref="a"), "arguments": {"code": wrong}}
    )
    event = await office.take(once, case)
    await office.again(event)
    assert (await office.contact("a", "sms-1"))["last"]["tries_left"] == TRIES - 1, "an event counts once"
    for _ in range(TRIES - 1):
        await office.give(case, wrong)
    await office.give(case, code)
    shown = await office.contact("a", "sms-1")
    assert (shown["verified"], shown["last"]["state"]) == (False, "spent")


async def test_a_newer_code_replaces_an_older_one_and_not_too_many_are_sent(office: Office, sink: Sink) -> None:
    [first] = await office.ask(person="a", contact="sms-1")
    [second] = await office.ask(person="a", contact="sms-1")
    await office.deliver()
    await _text(office, sink, "13800000001", count=2)
    codes = {
        re.findall(r"V-\S+", one["text"])[0].rstrip("："): re.findall(r"验证 (\d{6})", one["text"])[0]
        for one in sink.messages()
    }
    old, new = (codes[next(key for key in codes if key.startswith(one["number"]))] for one in (first, second))
    await office.give(second["verification_id"], old)
    assert not (await office.contact("a", "sms-1"))["verified"]
    await office.give(second["verification_id"], new)
    assert (await office.contact("a", "sms-1"))["verified"]
    states = [
        one["state"] for one in (await office.http.get("/v1/roster/verifications?person=a")).json()["verifications"]
    ]
    assert states == ["verified", "replaced"], "the history stays"
    for _ in range(MOST_AN_HOUR - 2):
        await office.ask(person="a", contact="sms-1")
    refused = await office.http.post("/v1/roster/verifications", json={"person": "a", "contact": "sms-1"})
    assert refused.status_code == 429


async def test_a_changed_address_is_unverified_and_so_is_one_that_comes_back(office: Office) -> None:
    [check] = await office.ask(person="b", contact="sms-1")
    await office.give(check["verification_id"], None, kind=ActorKind.LINK)
    assert (await office.contact("b", "sms-1"))["verified"]
    changed = TEXT.replace("13800000002", "13800000007")
    office.file.write_text(changed, encoding="utf-8")
    await office.book.refresh()
    assert not (await office.contact("b", "sms-1"))["verified"]
    office.file.write_text(TEXT + "# again\n", encoding="utf-8")
    await office.book.refresh()
    shown = await office.contact("b", "sms-1")
    assert (shown["verified"], shown["last"]["state"]) == (False, "lapsed")


async def test_whether_unverified_addresses_are_paged_is_the_rosters_word_and_never_silent(
    office: Office, sink: Sink
) -> None:
    desk = office.desk
    assert await desk.accept(page("clerk")) == [DONE]
    [refused] = await desk.settled("failed")
    assert refused.reason_words is not None
    assert "未经验证" in refused.reason_words.zh
    told = await report_findings(book=office.book, rules=desk.rules, database=desk.database, ids=IDS, days=7)
    assert told >= 2
    assert ROSTER_FINDINGS.labels("demo", "unverified")._value.get() == 2
    assert ROSTER_FINDINGS.labels("demo", "unreachable")._value.get() == 1
    office.file.write_text(TEXT.replace("page_unverified: false\n", ""), encoding="utf-8")
    await office.book.refresh()
    assert await desk.accept(page("clerk")) == [DONE]
    assert await _text(office, sink, "13800000002")

    async def delivered() -> bool:
        return Settlement.DELIVERED in {one.settlement for one in await desk.settlements()}

    await desk.eventually(delivered, what=lambda: "the page")


async def test_a_code_given_back_by_sms_is_asked_for_by_number_and_one_may_be_sent_from_the_console(
    office: Office, sink: Sink
) -> None:
    case = IDS.new()
    start = CommandIssuedV1(
        command=CommandKind.START,
        actor=Actor(kind=ActorKind.PERSON, ref="值班长"),
        issued_at=CLOCK.now(),
        plan=CONTACT_CHECK_PLAN,
        arguments={"person": "a", "contact": "sms-1"},
    )
    event = await office.take(start, case)
    await office.again(event)
    nobody = start.model_copy(update={"arguments": {"person": "a", "contact": "sms-9"}})
    await office.take(nobody, IDS.new())
    await office.deliver()
    [code] = re.findall(r"验证 (\d{6})", await _text(office, sink, "13800000001"))
    assert len(sink.messages()) == 1
    asked = {"org": "demo", "sender": "+8613800000001", "wish": "verify"}
    found = (await office.http.post("/v1/replies", json=asked)).json()
    assert [(one["case_id"], one["plan"]) for one in found["pages"]] == [(str(case), CONTACT_CHECK_PLAN)]
    await office.give(case, code, kind=ActorKind.SMS)
    assert (await office.contact("a", "sms-1"))["how"] == "sms"


async def test_bad_wishes_are_refused_by_name(office: Office) -> None:
    for wanted in ({}, {"person": "x"}, {"person": "a", "contact": "sms-9"}, {"all": True, "contact": "sms-1"}):
        answer = await office.http.post("/v1/roster/verifications", json=wanted)
        assert answer.status_code == 422, wanted
    assert len(await office.ask(all=True)) == 2
    assert (await office.http.get("/v1/roster/contacts?unverified=true")).json()["unverified"] == 2
