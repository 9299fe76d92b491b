"""Requests become messages at a real mail server and a real SMS gateway, and every answer moves the ledger on."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.notifier.app.list_withheld import list_withheld
from services.notifier.domain.delivery import Bar
from services.notifier.domain.reach import Reach
from services.notifier.domain.templates import Templates
from services.notifier.domain.texts import Message, Rendered
from services.notifier.jobs import send_due
from services.notifier.store.deliveries import deliveries_of
from services.notifier.store.provider_days import without_a_way
from shared.access.links import read_acknowledgement
from shared.contracts.notifications import Purpose
from shared.contracts.values import ChannelKind
from shared.kafka.outcome import Done, Skip
from shared.runtime.metrics import DELIVERY_DOUBTFUL
from tests.integration.notifier.desk import CLOCK, SECRET, Desk, request, with_policy
from tests.support.sink import Sink

SMS, EMAIL, VOICE = ChannelKind.SMS, ChannelKind.EMAIL, ChannelKind.VOICE
PHONE, MAIL = "13800000001", "manager-a@example.org"


async def test_a_page_reaches_the_phone_and_is_settled_as_delivered_by_its_receipt(desk: Desk, sink: Sink) -> None:
    event = request("liaison")
    await desk.accept(event)

    sent, delivered = await desk.settled("sent", "delivered")

    [message] = sink.messages(PHONE)
    number = event.data.subject.number
    assert number in message["text"]
    assert "红色预警" in message["text"]
    link = next(word for word in message["text"].split("：") if word.startswith("http"))
    assert link.startswith("http://127.0.0.1:8601/a/")
    acknowledgement = read_acknowledgement(link.rpartition("/")[2], SECRET, CLOCK.now())
    assert (acknowledgement.case_id, acknowledgement.person) == (event.case_id, "manager-a")
    assert acknowledgement.intent_id == delivered.intent_id
    assert (sent.person, sent.channel, sent.provider) == ("manager-a", SMS, "sms-http")
    assert sink.messages(MAIL) == []


async def test_the_same_request_twice_tells_nobody_twice(desk: Desk, sink: Sink) -> None:
    event = request("liaison")
    again = request("liaison", case_id=event.case_id, request_id=event.data.request_id)
    first = await desk.accept(event, event)
    second = await desk.accept(event, again)

    await desk.settled("sent", "delivered")
    assert [type(one) for one in first] == [Done, Done]
    assert [type(one) for one in second] == [Skip, Done]
    assert len(sink.messages(PHONE)) == 1


async def test_mail_carries_both_forms_a_stable_id_and_a_readable_subject(desk: Desk, sink: Sink) -> None:
    await desk.accept(request("clerk", channels=(EMAIL,), drill=True, language="zh"))
    [sent] = await desk.settled("sent")

    [mail] = sink.messages("clerk@example.org")
    assert mail["subject"].startswith("【DRILL】【Fenghuo】")
    assert mail["message_id"] == f"<{sent.intent_id}.smtp.email-1@example.org>"
    assert "This is a drill" in mail["text"]
    assert "全市无法上网" in mail["html"]


async def test_a_role_without_anybody_is_settled_as_nobody_at_once(desk: Desk) -> None:
    await desk.accept(request("empty", "unheard-of"))

    empty, unknown = await desk.settled("nobody", "nobody")
    assert (empty.role, empty.person) == ("empty", None)
    assert "unheard-of" in unknown.reason


async def test_somebody_with_two_of_the_roles_is_told_once(desk: Desk, sink: Sink) -> None:
    await desk.accept(request("liaison", "everybody"))

    await desk.eventually(lambda: _two_messages(sink), what=lambda: "two messages")
    assert len(sink.messages(PHONE)) == 1


async def _two_messages(sink: Sink) -> bool:
    return len(sink.messages()) == 2


async def test_all_channels_go_out_together(desk: Desk, sink: Sink) -> None:
    await desk.accept(request("liaison", channels=(SMS, VOICE, EMAIL), all_channels=True))

    await desk.eventually(lambda: _two_messages(sink), what=lambda: "SMS and mail")
    assert {message["kind"] for message in sink.messages()} == {"sms", "mail"}


@pytest.mark.parametrize("conduct", ["undelivered", "rejected"])
async def test_a_bad_receipt_moves_to_the_next_channel(desk: Desk, sink: Sink, conduct: str) -> None:
    sink.behave(PHONE, conduct)
    await desk.accept(request("liaison"))

    _, by_mail = await desk.settled("sent", "sent")
    assert (by_mail.channel, by_mail.attempts) == (EMAIL, 2)
    assert len(sink.messages(MAIL)) == 1


async def test_a_missing_receipt_moves_to_the_next_channel(
    notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]
) -> None:
    desk = Desk(
        notifier_url, sink, receipts_url, policy=with_policy(receipt_within={"sms-http": timedelta(seconds=0.3)})
    )
    desks.append(desk)
    desk.start()
    sink.behave(PHONE, "no-receipt")
    await desk.accept(request("liaison"))

    first, second = await desk.settled("sent", "sent")
    assert (first.channel, second.channel) == (SMS, EMAIL)
    await desk.stop()


@pytest.mark.parametrize("conduct", ["duplicate-receipts", "reversed-receipts"])
async def test_receipts_in_any_order_and_number_end_in_one_delivery(desk: Desk, sink: Sink, conduct: str) -> None:
    sink.behave(PHONE, conduct)
    await desk.accept(request("liaison"))

    await desk.settled("sent", "delivered")
    await asyncio.sleep(0.3)
    assert len(await desk.settlements()) == 2
    assert sink.messages(MAIL) == []


async def test_a_busy_gateway_is_tried_again_and_then_left_for_the_next_channel(desk: Desk, sink: Sink) -> None:
    sink.behave(PHONE, "busy", kind="sms", code=503)
    await desk.accept(request("liaison"))

    [settled] = await desk.settled("sent")
    assert (settled.channel, settled.attempts) == (EMAIL, 3)
    assert [one["answer"] for one in await desk.attempts()] == ["transient", "transient", "accepted"]


async def test_a_gateway_that_refuses_us_is_left_at_once(desk: Desk, sink: Sink) -> None:
    sink.behave(PHONE, "refuse", kind="sms", code=403)
    await desk.accept(request("liaison"))

    [settled] = await desk.settled("sent")
    assert (settled.channel, settled.attempts) == (EMAIL, 2)


async def test_a_hanging_gateway_is_left_after_its_time_and_counted_as_doubtful(desk: Desk, sink: Sink) -> None:
    sink.behave(PHONE, "hang", seconds=3)
    counted = {channel: DELIVERY_DOUBTFUL.labels(channel)._value.get() for channel in ("sms", "email")}
    await desk.accept(request("liaison"))

    [settled] = await desk.settled("sent")
    attempts = await desk.attempts()
    assert settled.channel is EMAIL
    assert [(one["answer"], one["doubtful"]) for one in attempts] == [
        ("unknown", False),
        ("unknown", True),
        ("accepted", True),
    ], "the mail may be the second message that arrives"
    for channel, before in counted.items():
        assert DELIVERY_DOUBTFUL.labels(channel)._value.get() == before + 1
    assert attempts[0]["token"] == attempts[1]["token"]


async def test_an_answer_that_came_too_late_is_made_good_by_the_receipt(desk: Desk, sink: Sink) -> None:
    sink.behave(PHONE, "slow", seconds=2)
    await desk.accept(request("liaison"))

    [settled] = await desk.settled("delivered")
    assert settled.channel is SMS
    await asyncio.sleep(0.5)
    assert len(sink.messages()) == 1, "the receipt proves that it was sent: nothing goes out again"


async def test_nobody_reachable_is_failed_with_each_reason_and_tried_on_until_it_works(desk: Desk, sink: Sink) -> None:
    sink.behave(PHONE, "busy", kind="sms")
    sink.behave(MAIL, "busy", kind="mail")
    await desk.accept(request("liaison", channels=(SMS, EMAIL, VOICE)))
    [failed] = await desk.settled("failed")
    assert "sms via sms-http" in failed.reason
    assert "voice: no provider is configured" in failed.reason

    sink.forget()
    await desk.eventually(lambda: _settled_as(desk, "delivered", "sent"), what=lambda: "a better settlement")


async def test_an_address_that_does_not_exist_is_never_tried_again(desk: Desk, sink: Sink) -> None:
    sink.behave("clerk@example.org", "refuse", kind="mail")
    await desk.accept(request("clerk", channels=(EMAIL,)))

    [failed] = await desk.settled("failed")
    await asyncio.sleep(0.5)
    assert "550" in failed.reason
    assert len(await desk.attempts()) == 1


async def test_a_later_step_takes_the_place_of_one_that_is_still_on_its_way(
    notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]
) -> None:
    patient = with_policy(tries=1, first_wait=timedelta(seconds=30), longest_wait=timedelta(seconds=30))
    desk = Desk(notifier_url, sink, receipts_url, policy=patient)
    desks.append(desk)
    desk.start()
    sink.behave("*", "busy")
    first = request("liaison", step=1)
    await desk.accept(first)
    await desk.settled("failed")
    sink.forget()
    await desk.accept(request("liaison", case_id=first.case_id, step=2))

    _, suppressed, _, delivered = await desk.settled("failed", "suppressed", "sent", "delivered")
    assert (suppressed.step, suppressed.reason) == (1, "superseded by step 2 (page)")
    assert delivered.step == 2
    assert len(sink.messages()) == 1
    await desk.stop()


async def _settled_as(desk: Desk, *settlements: str) -> bool:
    return any(one.settlement.value in settlements for one in await desk.settlements())


async def test_an_information_does_not_take_the_place_of_a_page(desk: Desk, sink: Sink) -> None:
    page = request("liaison", step=1)
    inform = request("liaison", case_id=page.case_id, step=2, purpose=Purpose.INFORM, acknowledge=False)
    await desk.accept(page, inform)

    await desk.eventually(lambda: _two_messages(sink), what=lambda: "both messages")
    assert sum("/a/" in message["text"] for message in sink.messages()) == 1


async def test_a_stale_message_says_how_late_it_is(desk: Desk, sink: Sink) -> None:
    asked = CLOCK.now() - timedelta(minutes=83)
    await desk.accept(request("liaison", requested_at=asked, stale_after=asked + timedelta(minutes=10)))

    await desk.settled("sent", "delivered")
    assert "本消息迟到：1小时23分钟" in sink.messages(PHONE)[0]["text"]


async def test_an_accepted_request_and_a_receipt_wake_the_sender_without_a_poll(
    still_desk: Desk, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_due, "_LOOK_AT_LEAST_EVERY_S", 3600)
    sink.behave(PHONE, "undelivered")
    still_desk.start()
    await asyncio.sleep(0.2)
    await still_desk.accept(request("liaison"))

    _, by_mail = await still_desk.settled("sent", "sent")
    assert by_mail.channel is EMAIL


class _Barred:
    """A choice that bars the gateway until an instant."""

    def __init__(self, until: datetime) -> None:
        self._bar = Bar(until, "not called after 5 failures in a row")

    def routed(self, ways: Reach, addresses: Mapping[str, str]) -> Reach:
        return ways

    def barred(self, now: datetime) -> Mapping[str, Bar]:
        return {"sms-http": self._bar} if now < self._bar.until else {}


async def test_a_page_that_finds_its_only_provider_barred_goes_when_the_bar_ends(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, choice=_Barred(CLOCK.now() + timedelta(seconds=1)))
    await desk.accept(request("liaison", channels=(SMS,)))
    [failed, *_] = await desk.settled("failed", "sent", "delivered")
    assert "failures in a row" in failed.reason
    assert len(sink.messages(PHONE)) == 1


async def test_a_page_waits_visibly_for_its_only_gateway_instead_of_waking_the_next_tier(
    still_desk: Desk, sink: Sink
) -> None:
    policy = with_policy(outage=timedelta(seconds=30))
    still_desk.rules = replace(still_desk.rules, policy=policy, choice=_Barred(CLOCK.now() + timedelta(seconds=1.5)))
    event = request("liaison", channels=(SMS,))
    await still_desk.accept(event)
    assert await still_desk.settlements() == []
    [kept] = await list_withheld("demo", 10, database=still_desk.database)
    assert (kept["noise_rule"], kept["settlement"]) == ("no-way-out", None)
    assert "通道暂时不可用" in kept["zh"]
    assert "failures in a row" in kept["en"]
    async with still_desk.database.transaction() as tx:
        assert await without_a_way(tx) == 1
        [shown] = await deliveries_of(tx, "demo", event.case_id)
    assert "failures in a row" in shown["intents"][0]["reason"]
    assert shown["nobody_told"] is False

    still_desk.start()
    await still_desk.settled("sent", "delivered")
    assert len(sink.messages(PHONE)) == 1
    assert await list_withheld("demo", 10, database=still_desk.database) == []


async def test_a_message_that_cannot_be_made_is_listed_and_goes_out_once_it_can(still_desk: Desk, sink: Sink) -> None:
    class Broken(Templates):
        def render(self, message: Message, usual: Rendered, *, max_segments: int) -> Rendered:
            raise ValueError(max_segments)

    usual = still_desk.rules
    still_desk.rules = replace(usual, templates=Broken({}))
    await still_desk.accept(request("liaison"))
    assert (await still_desk.begin()).calls == ()
    [kept] = await list_withheld("demo", 10, database=still_desk.database)
    assert (kept["noise_rule"], kept["settlement"], "无法生成" in kept["zh"]) == ("no-way-out", None, True)

    still_desk.rules = usual
    async with still_desk.database.transaction() as tx:
        await tx.execute("UPDATE intents SET due_at = :now", now=tx.now)
    still_desk.start()
    await still_desk.settled("sent", "delivered")
    assert len(sink.messages(PHONE)) == 1


async def test_an_outage_that_lasts_is_told_after_its_patience(desk: Desk) -> None:
    policy = with_policy(outage=timedelta(seconds=0.5))
    desk.rules = replace(desk.rules, policy=policy, choice=_Barred(CLOCK.now() + timedelta(seconds=60)))
    asked = CLOCK.now()
    await desk.accept(request("liaison", channels=(SMS,)))
    [failed] = await desk.settled("failed")
    assert failed.settled_at >= asked + timedelta(seconds=0.5)
    assert "failures in a row" in failed.reason
