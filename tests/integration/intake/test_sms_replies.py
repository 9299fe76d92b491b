"""Replies by SMS at both doors: what is about one case, about all, or gives a code back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from shared.access.links import AcknowledgementLink, sign_acknowledgement
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.notifications import CONTACT_CHECK_PLAN
from shared.contracts.values import ActorKind
from tests.integration.intake.test_role_check import register_with
from tests.support.http_stub import QuietHandler, answering
from tests.support.postgres import Database
from tests.support.register import LINK_SECRET, Register, complaint

KNOWN = "13800000001"
SHARED = "13800000002"
WARNING = "0192b6a0-0000-7000-8000-000000000009"
CASES = [f"0192b6a0-0000-7000-8000-00000000000{number}" for number in (1, 2)]
SURVIVORS: dict[str, dict[str, str | None]] = {}
PAGES: dict[str, list[dict[str, str]]] = {
    "acknowledge-all": [{"case_id": one, "plan": "p", "number": "n", "person": "manager-a"} for one in CASES],
    "stop": [],
    "verify": [{"case_id": one, "plan": CONTACT_CHECK_PLAN, "number": "V", "person": "manager-a"} for one in CASES],
    "one-case": [],
}


class _Notifier(QuietHandler):
    """Answers like the notifier's doors for replies and for merged cases."""

    def do_GET(self) -> None:  # noqa: N802  # the name the library calls
        survivor = SURVIVORS.get(self.path.split("/")[3])
        self.send_response(404 if survivor is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(survivor or {}).encode())

    def do_POST(self) -> None:  # noqa: N802  # the name the library calls
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_known = asked["sender"] in {KNOWN, SHARED} and asked["org"] == "demo"
        self.send_response(200 if is_known else 404)
        self.end_headers()
        pages = PAGES[asked["wish"]]
        if asked["sender"] == SHARED:
            pages = [one | {"person": f"duty-{at}"} for at, one in enumerate(pages)]
        if asked["number"] == "2026-11-W00012":
            pages = [{"case_id": WARNING, "plan": "p", "number": asked["number"], "person": "manager-b"}]
        self.wfile.write(json.dumps({"person": "manager-a", "pages": pages}).encode())


@pytest.fixture
def notifier() -> Iterator[str]:
    with answering(_Notifier) as url:
        yield url


async def _by_kannel(register: Register, text: str, sender: str = "+8613800000001") -> Any:
    query = urlencode({"from": sender, "text": text, "id": text})
    return await register.client.get(f"/v1/sms/kannel?{query}")


async def _by_twilio(register: Register, text: str, sender: str = "+8613800000001") -> Any:
    body = urlencode({"From": sender, "Body": text, "MessageSid": text})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await register.client.post("/v1/hooks/twilio", content=body, headers=headers)


async def _commands(register: Register) -> list[tuple[str, CommandIssuedV1]]:
    events = await register.published()
    return [(str(one.case_id), one.data) for one in events if isinstance(one.data, CommandIssuedV1)]


DOORS = pytest.mark.parametrize("say", [_by_kannel, _by_twilio], ids=["kannel", "twilio"])


@DOORS
async def test_acknowledging_all_answers_every_page_that_waits_in_the_persons_name(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        assert (await say(register, "全部签收")).status_code == 200
        commands = await _commands(register)
        assert [case for case, _ in commands] == CASES
        assert {(one.command, one.actor.kind, one.actor.ref, one.plan) for _, one in commands} == {
            (CommandKind.ACKNOWLEDGE, ActorKind.SMS, "manager-a", "p")
        }


@DOORS
async def test_only_a_telephone_of_the_roster_answers_for_a_case_and_in_its_owners_name(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        case = (await register.post("/v1/complaints", complaint())).json()
        for _ in range(2):
            stranger = await say(register, f"收到 {case['number']}", "+8613800000009")
            assert stranger.status_code == 202
        assert await _commands(register) == []
        reasons = await register.rows("SELECT field, reason FROM quarantine")
        assert {(one["field"], one["reason"]) for one in reasons} == {("from", "is nobody of the roster")}
        for _ in range(2):
            assert (await say(register, f"收到，{case['number']}，马上到")).status_code == 200
        [(of, command)] = await _commands(register)
        assert (of, command.actor.kind, command.actor.ref) == (case["case_id"], ActorKind.SMS, "manager-a")
        assert command.reason == "马上到"


@DOORS
async def test_a_group_warning_is_answered_by_its_own_number(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        assert (await say(register, "1 2026-11-w00012")).status_code == 200
        [(of, command)] = await _commands(register)
        assert (of, command.command, command.actor.ref) == (WARNING, CommandKind.ACKNOWLEDGE, "manager-b")
        assert (await say(register, "1 2026-11-W00013")).status_code == 202


@DOORS
async def test_a_telephone_that_several_share_answers_for_each_of_them(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        assert (await say(register, "全部签收", "+8613800000002")).status_code == 200
        assert [one.actor.ref for _, one in await _commands(register)] == ["duty-0", "duty-1"]
        assert (await say(register, "验证 012345", "+8613800000002")).status_code == 200
        codes = [(of, one.actor.ref) for of, one in await _commands(register) if one.plan == CONTACT_CHECK_PLAN]
        assert sorted(codes) == [(CASES[0], "duty-0"), (CASES[1], "duty-1")]


@DOORS
async def test_a_code_goes_back_once_to_one_of_the_checks_that_wait(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        assert (await say(register, "验证 012345")).status_code == 200
        [(case, command)] = await _commands(register)
        assert (case, command.plan, command.arguments) == (CASES[0], CONTACT_CHECK_PLAN, {"code": "012345"})
        assert (command.actor.kind, command.actor.ref) == (ActorKind.SMS, "manager-a")


@DOORS
async def test_asking_for_quiet_commands_nothing_and_no_complaint_is_made_of_it(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        assert (await say(register, "停")).status_code == 200
        assert await register.published() == []


@DOORS
async def test_a_number_that_nobody_has_is_kept_in_quarantine(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        assert (await say(register, "全部签收", "+8613800000009")).status_code == 202
        assert await register.published() == []
        [kept] = await register.rows("SELECT field, reason FROM quarantine")
        assert (kept["field"], kept["reason"]) == ("from", "is nobody of the roster")


@DOORS
@pytest.mark.parametrize("text", ["全部签收", "签收 2026-11-000001"])
async def test_while_the_notifier_is_away_the_gateway_is_told_to_come_again(
    intake_database: Database, say: Any, text: str
) -> None:
    async with register_with(intake_database, "http://127.0.0.1:9") as register:
        assert (await say(register, text)).status_code == 503
        assert await register.published() == []
        assert await register.rows("SELECT 1 FROM quarantine") == []


@DOORS
async def test_one_message_answers_for_each_case_it_names_and_only_once(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        first, second, third = [
            (await register.post("/v1/complaints", complaint(f"R{place}", id=f"e{place}"))).json() for place in range(3)
        ]
        text = f"签收 {first['number']}、{second['number']}，无法处理 {third['number']} 不在本地"
        answers = [await say(register, text) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200]
        commands = await _commands(register)
        assert [(of, one.command, one.reason) for of, one in commands] == [
            (first["case_id"], CommandKind.ACKNOWLEDGE, None),
            (second["case_id"], CommandKind.ACKNOWLEDGE, None),
            (third["case_id"], CommandKind.CANNOT_HANDLE, "不在本地"),
        ]


@DOORS
async def test_a_number_that_no_case_has_keeps_none_of_the_others_from_being_answered(
    intake_database: Database, notifier: str, say: Any
) -> None:
    async with register_with(intake_database, notifier) as register:
        known = (await register.post("/v1/complaints", complaint())).json()
        await say(register, f"签收 2026-11-000999、{known['number']}")
        assert [of for of, _ in await _commands(register)] == [known["case_id"]]
        [kept] = await register.rows("SELECT field, reason FROM quarantine")
        assert (kept["field"], kept["reason"]) == ("text", "there is no case 2026-11-000999")


async def test_one_answer_says_what_happened_to_each_case(intake_database: Database, notifier: str) -> None:
    async with register_with(intake_database, notifier) as register:
        known = (await register.post("/v1/complaints", complaint())).json()
        answer = await _by_kannel(register, f"签收 {known['number']}、2026-11-000999，与 2026-11-000998 无关")
        assert answer.status_code == 200
        assert answer.headers["x-kannel-coding"] == "2", "else Kannel asks of Chinese to fit the GSM alphabet"
        assert answer.text.splitlines() == [
            f"已确认 {known['number']} / acknowledged",
            "没有案件 2026-11-000999 / no such case",
            "2026-11-000998 未处理，请单独回复 / nothing done: reply to it by itself",
        ]
        none = await _by_kannel(register, "签收 2026-11-000999")
        assert (none.status_code, none.text) == (202, "没有案件 2026-11-000999 / no such case")


async def test_whoever_answers_for_a_merged_case_is_told_which_one_goes_on(
    intake_database: Database, notifier: str
) -> None:
    async with register_with(intake_database, notifier) as register:
        old, new = [
            (await register.post("/v1/complaints", complaint(f"R{place}", id=f"e{place}"))).json() for place in range(2)
        ]
        SURVIVORS[old["case_id"]] = {"case_id": new["case_id"], "number": None}
        told = await _by_kannel(register, f"签收 {old['number']}")
        assert told.text == (
            f"已确认 {old['number']} / acknowledged; 已并入 {new['number']}，确认计入该案 / "
            f"merged, counts for {new['number']}"
        )
        told = await _by_kannel(register, f"已解决 {old['number']}")
        assert told.text == f"{old['number']} 已并入 {new['number']}，请回复该编号 / merged: reply with {new['number']}"
        issued = await register.post(f"/v1/cases/{old['case_id']}/commands", {"command": "acknowledge"})
        assert (issued.status_code, issued.json()["survivor"]) == (202, new["number"])
        issued = await register.post(f"/v1/cases/{new['case_id']}/commands", {"command": "acknowledge"})
        assert "survivor" not in issued.json()


async def test_the_page_behind_a_link_of_a_merged_case_names_the_one_that_goes_on(
    intake_database: Database, notifier: str
) -> None:
    async with register_with(intake_database, notifier) as register:
        old = (await register.post("/v1/complaints", complaint())).json()
        SURVIVORS[old["case_id"]] = {"case_id": WARNING, "number": "2026-11-W00012"}
        link = AcknowledgementLink(
            UUID(old["case_id"]), uuid4(), "demo", "p", "manager-a", datetime.now(UTC) + timedelta(hours=1)
        )
        path = f"/a/{sign_acknowledgement(link, LINK_SECRET.encode())}"
        for answer in (
            await register.client.get(path),
            await register.client.post(path),
            await register.client.post(path),
        ):
            assert answer.status_code == 200
            assert old["number"] in answer.text
            assert "已并入 2026-11-W00012" in answer.text
        assert [of for of, _ in await _commands(register)] == [old["case_id"]]
