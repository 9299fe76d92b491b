"""Complainants who asked for it are told by the real gateway and mail server; nobody else ever is."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.notifier.app.note_complainant_notices import note_complainant_notices
from services.notifier.app.tell_complainants import tell_complainants
from services.notifier.channels.register import RegisterAwayError
from services.notifier.domain.complainant_notices import Address
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseEscalatedV1, CaseState, Change, ChangeKind
from shared.contracts.notifications import COMPLAINANT, NotificationSettledV1, Settlement, notice_id
from shared.contracts.values import CaseKind, ChannelKind, PlanRef
from tests.integration.notifier.desk import CLOCK, IDS, Desk
from tests.support.sink import Sink

PLAN = "telecom-service-quality"
PHONE = "13800009999"


class _Register:
    """Knows one address, or is away."""

    def __init__(self, address: Address | None = None) -> None:
        self.found = address
        self.is_away = False
        self.asked = 0

    async def address(self, _: UUID) -> Address | None:
        self.asked += 1
        if self.is_away:
            raise RegisterAwayError("away")
        return self.found


def _case(*notices: str, drill: bool = False, **details: Any) -> Event[CaseEscalatedV1]:
    now = CLOCK.now()
    said: dict[str, Any] = {"text": "办理时限延长。", "by_itself": True, "language": "zh", "opt_in": False} | details
    case = CaseEscalatedV1(
        number="2026-11-000007",
        kind=CaseKind.COMPLAINT,
        plan=PlanRef(name=PLAN, version=1, sha256="0" * 64),
        revision=2,
        state=CaseState.CLASSIFIED,
        level="yellow",
        level_rank=1,
        highest_rank=3,
        opened_at=now,
        changed_at=now,
        changes=tuple(
            Change(kind=ChangeKind.COMPLAINANT_NOTICE, at=now, because="请告知", details=said | {"notice": one})
            for one in notices
        ),
        drill=drill,
    )
    return Event(IDS.new(), "/fenghuo/escalator", now, "demo", IDS.new(), case)


async def _tell(desk: Desk, register: _Register) -> int:
    return await tell_complainants(
        addresses=register, providers=desk.providers, rules=desk.rules, database=desk.database, ids=IDS
    )


async def _settled(desk: Desk, *expected: Settlement) -> list[NotificationSettledV1]:
    return await desk.settled(*(one.value for one in expected))


async def test_how_it_came_out_is_told_with_numbers_of_people_blacked_out(desk: Desk, sink: Sink) -> None:
    register = _Register(Address(ChannelKind.SMS, PHONE, "zh"))
    event = _case(
        "settled", text="您的投诉已处理完毕，结果见附。", outcome="已更换光猫，退费30元。\n经办13800001234【某】"
    )
    await note_complainant_notices([event], database=desk.database)
    assert await _tell(desk, register) == 1
    [message] = sink.messages()
    assert message["to"] == PHONE
    assert "您的投诉已处理完毕，结果见附。处理结果：已更换光猫，退费30元。" in message["text"]
    assert "13800001234" not in message["text"]
    assert "【某】" not in message["text"]


async def test_who_asked_is_told_once_with_the_reason_and_the_receipt_settles_it(desk: Desk, sink: Sink) -> None:
    register = _Register(Address(ChannelKind.SMS, PHONE, "zh"))
    event = _case("longer", reason="需外地核实，联系 13800001234\n【烽火】")
    for _ in range(2):
        await note_complainant_notices([event], database=desk.database)
    assert [await _tell(desk, register), await _tell(desk, register)] == [1, 0]
    sent, delivered = await _settled(desk, Settlement.SENT, Settlement.DELIVERED)
    (message,) = sink.messages(PHONE)
    assert message["text"].startswith(
        "【烽火】您反映的事项（编号2026-11-000007）：办理时限延长。原因：需外地核实，联系 "
    )
    assert "13800001234" not in message["text"]
    assert message["text"].count("【") == 1
    wanted = notice_id(event.case_id, PLAN, "longer", event.data.changes[0].at)
    assert {(one.request_id, one.role, one.person) for one in (sent, delivered)} == {(wanted, COMPLAINANT, None)}
    kept = await desk.rows("SELECT * FROM complainant_notices")
    assert PHONE not in str(kept)
    assert PHONE not in str(await desk.rows("SELECT convert_from(value, 'UTF8') AS value FROM outbox"))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (_case("by-a-person", by_itself=False), 0),
        (_case("in-a-drill", drill=True), 0),
        (_case("nobody-asked"), 1),
    ],
)
async def test_who_did_not_ask_is_left_to_people(desk: Desk, sink: Sink, event: Any, told: int) -> None:
    await note_complainant_notices([event], database=desk.database)
    assert await _tell(desk, _Register(None)) == told
    assert await _tell(desk, _Register(None)) == 0
    assert await desk.settlements() == []
    assert sink.messages() == []


async def test_a_bad_receipt_is_tried_again_and_what_never_works_is_given_back_to_people(
    desk: Desk, sink: Sink
) -> None:
    sink.behave(PHONE, "undelivered")
    await note_complainant_notices([_case("result")], database=desk.database)
    register = _Register(Address(ChannelKind.SMS, PHONE, "zh"))

    async def failed() -> bool:
        await _tell(desk, register)
        return Settlement.FAILED in {one.settlement for one in await desk.settlements()}

    await desk.eventually(failed, what=lambda: "failed after every try")
    assert [one.settlement for one in await desk.settlements()].count(Settlement.FAILED) == 1
    assert len(sink.messages(PHONE)) == 6
    assert await _tell(desk, register) == 0


async def test_while_the_register_is_away_nothing_is_lost_and_nothing_counts(desk: Desk, sink: Sink) -> None:
    register = _Register(Address(ChannelKind.EMAIL, "who@example.org", "zh"))
    register.is_away = True
    await note_complainant_notices([_case("accepted")], database=desk.database)
    assert [await _tell(desk, register), await _tell(desk, register)] == [1, 0]
    register.is_away = False
    (row,) = await desk.rows("UPDATE complainant_notices SET due_at = now() RETURNING attempts")
    assert row["attempts"] == 0
    await _tell(desk, register)
    await _settled(desk, Settlement.SENT)
    (mail,) = sink.messages("who@example.org")
    assert "您反映的事项" in mail["subject"]


async def test_a_crash_after_the_claim_leaves_it_due_again(desk: Desk, sink: Sink) -> None:
    await note_complainant_notices([_case("accepted")], database=desk.database)
    register = _Register(Address(ChannelKind.SMS, PHONE, "zh"))

    class _Dies(_Register):
        async def address(self, _: UUID) -> Address | None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await _tell(desk, _Dies())
    assert await _tell(desk, register) == 0
    (row,) = await desk.rows(
        "UPDATE complainant_notices SET due_at = due_at - interval '3 minutes' RETURNING due_at, attempts"
    )
    assert (row["due_at"] < CLOCK.now(), row["attempts"]) == (True, 1)
    assert await _tell(desk, register) == 1
    await _settled(desk, Settlement.SENT, Settlement.DELIVERED)
    assert len(sink.messages(PHONE)) == 1
