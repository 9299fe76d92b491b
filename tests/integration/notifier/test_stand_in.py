"""Whoever cannot be reached is stood in for by the next person, before the next tier has to."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1, Purpose, Settlement
from shared.contracts.values import ChannelKind
from tests.integration.notifier.desk import IDS, Desk, request, with_policy
from tests.support.sink import Sink

SMS = ChannelKind.SMS


async def test_a_deputy_is_asked_when_no_way_leads_to_the_person(desk: Desk, sink: Sink) -> None:
    sink.behave("13800000008", "refuse")
    page = request("fragile", "liaison", channels=(SMS,))
    await desk.accept(page)

    async def failed() -> list[NotificationSettledV1]:
        return [one for one in await desk.settlements() if one.settlement is Settlement.FAILED]

    (news,) = await desk.eventually(failed, what=lambda: "somebody who cannot be reached")
    # The nearest deputy is on leave, the next one was told as the liaison.
    assert (news.person, news.stand_in, news.stand_in_label) == ("broken-phone", "manager-b", "值班经理乙")
    (row,) = await desk.rows("SELECT value FROM outbox WHERE topic = 'notifications-requested'")
    asked = NotificationRequestedV1.model_validate_json(bytes(row["value"]))
    assert (asked.people, asked.roles, asked.in_place_of) == (("manager-b",), ("fragile",), "broken-phone")
    await desk.accept(replace(page, id=IDS.new(), data=asked))

    async def told() -> list[dict[str, Any]]:
        return sink.messages("13800000002")

    (message,) = await desk.eventually(told, what=lambda: "the deputy's message")
    assert page.data.subject.number in message["text"]
    (intent,) = await desk.rows("SELECT role, because ->> 'zh' AS zh FROM intents WHERE person = 'manager-b'")
    assert (intent["role"], intent["zh"]) == ("fragile", "手机坏者无法联系，由其代理")
    assert len(await desk.rows("SELECT FROM intents")) == 3


@pytest.mark.parametrize("conduct", ["undelivered", "no-receipt"])
async def test_a_deputy_is_asked_when_the_provider_took_the_message_and_did_not_deliver_it(
    desk: Desk, sink: Sink, conduct: str
) -> None:
    desk.rules = replace(desk.rules, policy=with_policy(receipt_within={"sms-http": timedelta(seconds=0.8)}))
    sink.behave("13800000008", conduct)
    await desk.accept(request("fragile", channels=(SMS,)))

    _, news = await desk.settled("sent", "failed")
    assert (news.person, news.stand_in) == ("broken-phone", "manager-a")
    assert len(await desk.rows("SELECT FROM outbox WHERE topic = 'notifications-requested'")) == 1


async def test_nobody_is_asked_instead_for_what_is_only_information(desk: Desk, sink: Sink) -> None:
    for phone in ("13800000008", "13800000001", "13800000002"):
        sink.behave(phone, "refuse")
    await desk.accept(request("fragile", channels=(SMS,), purpose=Purpose.INFORM, acknowledge=False))
    await desk.settled("failed")
    assert await desk.rows("SELECT FROM outbox WHERE topic = 'notifications-requested'") == []
