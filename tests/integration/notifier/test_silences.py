"""Silences over HTTP: made with a reason, listed, ended; what waited goes out at once when they end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.notifier.api.silences import silences_router
from services.notifier.app.note_merged_cases import note_merged_cases
from services.notifier.app.stop_answered import stop_answered
from services.notifier.app.take_reply import TakenReply, Wish, take_reply
from services.notifier.store.roster_book import RosterBook
from services.notifier.store.roster_files import RosterFiles
from services.notifier.store.silences import SilenceBook
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.contracts.escalations import CaseState
from shared.contracts.values import CaseKind, ChannelKind
from shared.runtime.problems import install_problem_handlers
from tests.integration.notifier.desk import CLOCK, IDS, ROSTER, Desk, request
from tests.integration.notifier.test_merged_cases import merged
from tests.integration.notifier.test_noise import acknowledged, mild
from tests.support.sink import Sink

PEPPER = b"a-pepper-for-tests"
PHONE = "13800000001"
_WARNING: Final[dict[str, Any]] = {"number": "2026-11-W00012", "kind": CaseKind.WARNING, "topic": "宽带"}


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """The routes with a key that may read and change, on the desk's database."""
    files = RosterFiles(Path(ROSTER))
    files.load()
    book = SilenceBook(desk.database, RosterBook(files, desk.database, {}), {})
    desk.rules = replace(desk.rules, silences=book)
    keys = KeyStore(desk.database, PEPPER)
    app = FastAPI()
    install_problem_handlers(app)
    may_read, may_change = reader(keys, CLOCK), reader(keys, CLOCK, Scope.ROSTER)
    app.include_router(
        silences_router(book, desk.database, IDS, CLOCK, desk.sender.wake, may_read=may_read, may_change=may_change)
    )
    text = await keys.issue(org="demo", scopes=[Scope.READ, Scope.ROSTER], label="值班长")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://notifier", headers={"Authorization": f"Bearer {text}"}
    ) as made:
        yield made


def _body(**more: object) -> dict[str, object]:
    begins = CLOCK.now() - timedelta(minutes=1)
    ends = CLOCK.now() + timedelta(hours=1)
    return {"from": begins.isoformat()[:19] + "+00:00", "to": ends.isoformat()[:19] + "+00:00", "reason": "割接"} | more


async def test_ending_a_silence_sends_what_waited_for_it(desk: Desk, sink: Sink, client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/silences", json=_body(plans=["telecom-service-quality"]))).json()
    await desk.accept(mild(request("liaison")))
    [waiting] = (await client.get("/v1/withheld")).json()["withheld"]
    assert (waiting["rule"], waiting["state"], waiting["because"]["zh"]) == (
        "maintenance", "waiting", "维护窗口：割接（值班长）",
    )  # fmt: skip
    assert sink.messages(PHONE) == []

    assert (await client.delete(f"/v1/silences/{made['silence_id']}")).status_code == 204
    await desk.settled("sent", "delivered")
    [shown] = (await client.get("/v1/silences")).json()["silences"]
    assert (shown["over"], shown["made_by"], shown["ended_by"]) == (True, "值班长", "值班长")
    [told] = (await client.get("/v1/withheld")).json()["withheld"]
    assert told["state"] == "told"
    assert (await client.delete(f"/v1/silences/{made['silence_id']}")).status_code == 404


async def test_what_waited_and_was_then_not_delivered_is_not_listed_as_told_and_all_can_be_paged_through(
    desk: Desk, sink: Sink, client: httpx.AsyncClient
) -> None:
    sink.behave(PHONE, "refuse")
    made = (await client.post("/v1/silences", json=_body())).json()
    held = [mild(request("liaison", channels=(ChannelKind.SMS,))) for _ in range(5)]
    await desk.accept(*held)
    assert (await client.delete(f"/v1/silences/{made['silence_id']}")).status_code == 204
    await desk.settled(*["failed"] * 5)
    listed: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    while (found := (await client.get("/v1/withheld", params={"limit": "2"} | before)).json())["withheld"]:
        listed += found["withheld"]
        before = {"before": found["withheld"][-1]["intent_id"]}
    assert {one["number"] for one in listed} == {one.data.subject.number for one in held}
    assert len(listed) == 5
    assert {one["state"] for one in listed} == {"not-reached"}
    assert (await client.get("/v1/withheld", params={"before": "x"})).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from": "soon"}, "from"),
        ({"to": "2020-01-01"}, "to"),
        ({"reason": ""}, "reason"),
        ({"hours": [{"from": "25:00"}]}, "from"),
        ({"unheard": 1}, "unheard"),
    ],
)
async def test_what_is_wrong_is_refused_by_its_field(
    client: httpx.AsyncClient, changes: dict[str, object], field: str
) -> None:
    answer = await client.post("/v1/silences", json=_body(**changes))
    assert answer.status_code == 422
    assert field in answer.text
    assert (await client.get("/v1/silences")).json()["silences"] == []


async def test_a_number_that_answers_for_everything_gets_its_open_pages(desk: Desk) -> None:
    files = RosterFiles(Path(ROSTER))
    files.load()
    book = SilenceBook(desk.database, RosterBook(files, desk.database, {}), {})
    first, second, other = request("liaison"), mild(request("liaison")), request("head")
    await desk.accept(first, second, other)

    found = await _replied(desk, book, "+86 138 0000 0001", "acknowledge-all")
    assert found is not None
    assert found.person == "manager-a"
    assert {page.case_id for page in found.pages} == {first.case_id, second.case_id}
    assert await _replied(desk, book, "13999999999", "acknowledge-all") is None


async def test_a_page_of_a_merged_case_is_open_until_somebody_answers_for_the_one_that_goes_on(desk: Desk) -> None:
    files = RosterFiles(Path(ROSTER))
    files.load()
    book = SilenceBook(desk.database, RosterBook(files, desk.database, {}), {})
    old, new = request("liaison"), request("head")
    await desk.accept(old, new)
    await stop_answered([acknowledged(old, CaseState.MERGED)], database=desk.database, rules=desk.rules, ids=IDS)
    await note_merged_cases([merged(old.case_id, new.case_id, 2)], database=desk.database)
    found = await _replied(desk, book, PHONE, "acknowledge-all")
    assert found is not None
    assert [page.case_id for page in found.pages] == [old.case_id]
    await stop_answered([acknowledged(new)], database=desk.database, rules=desk.rules, ids=IDS)
    found = await _replied(desk, book, PHONE, "acknowledge-all")
    assert found is not None
    assert found.pages == ()


async def test_whoever_asks_for_quiet_gets_only_the_highest_level(desk: Desk, sink: Sink) -> None:
    files = RosterFiles(Path(ROSTER))
    files.load()
    book = SilenceBook(desk.database, RosterBook(files, desk.database, {}), {})
    desk.rules = replace(desk.rules, silences=book)
    await _replied(desk, book, PHONE, "stop")
    red = request("liaison")
    await desk.accept(mild(request("liaison")), red)

    [sent, _] = await desk.settled("sent", "delivered")
    assert sent.number == red.data.subject.number


async def test_a_shared_telephone_speaks_for_everybody_who_has_it_and_each_case_is_found_by_number(desk: Desk) -> None:
    files = RosterFiles(Path(ROSTER))
    files.load()
    book = SilenceBook(desk.database, RosterBook(files, desk.database, {}), {})
    page, other = request("room"), request("liaison")
    warning = request("room", subject=page.data.subject.model_copy(update=_WARNING))
    await desk.accept(page, other, warning)

    found = await _replied(desk, book, "01088888888", "acknowledge-all")
    assert found is not None
    assert {(one.case_id, one.person) for one in found.pages} == {
        (page.case_id, "room-night"), (warning.case_id, "room-night")
    }  # fmt: skip
    for event in (page, warning):
        number = event.data.subject.number
        case_id = event.case_id if event is page else None
        named = await _replied(desk, book, "010-8888-8888", "one-case", number=number, case_id=case_id)
        assert named is not None
        assert [(one.case_id, one.person) for one in named.pages] == [(event.case_id, "room-night")]
    nothing = await _replied(desk, book, "010-8888-8888", "one-case", number="2026-11-W99999")
    assert nothing is not None
    assert (nothing.person, nothing.pages) == ("room-day", ())
    await _replied(desk, book, "01088888888", "stop")
    await book.refresh()
    assert {one.filter.people for one in book.of("demo")} == {("room-day", "room-night")}


async def _replied(  # noqa: PLR0917  # a wish with all it may carry
    desk: Desk,
    book: SilenceBook,
    sender: str,
    kind: Literal["acknowledge-all", "stop", "one-case"],
    number: str | None = None,
    case_id: UUID | None = None,
) -> TakenReply | None:
    wish = Wish(kind, number, case_id)
    return await take_reply(
        "demo", sender, wish, rosters=desk.rules.rosters, silences=book, database=desk.database, ids=IDS
    )
