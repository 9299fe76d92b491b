"""Silences, bundles and answers on a real database, mail server and gateway: nothing is lost, everything is said."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.notifier.app.list_withheld import list_withheld
from services.notifier.app.stop_answered import stop_answered
from services.notifier.domain.noise import Throttle
from services.notifier.domain.silences import Filter, Silence, SilenceKind
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseEscalatedV1, CaseState, Change, ChangeKind
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.contracts.values import Actor, ActorKind, CaseKind, ChannelKind, PlanRef
from tests.integration.notifier.desk import CLOCK, IDS, Desk, request
from tests.support.sink import Sink

SMS = ChannelKind.SMS
PHONE = "13800000001"
PLAN = "telecom-service-quality"


class Fixed:
    """Silences given by a test."""

    def __init__(self, *silences: Silence) -> None:
        self.silences = silences

    def of(self, org: str) -> tuple[Silence, ...]:
        return self.silences if org == "demo" else ()


def mild(event: Event[NotificationRequestedV1], **changes: Any) -> Event[NotificationRequestedV1]:
    subject = event.data.subject.model_copy(
        update={"level": "yellow", "level_label": "黄色预警", "level_rank": 1} | changes
    )
    return replace(event, data=event.data.model_copy(update={"subject": subject}))


def _maintenance(seconds: float) -> Silence:
    now = CLOCK.now()
    return Silence(
        "s", SilenceKind.MAINTENANCE, Filter(), now - timedelta(seconds=1), now + timedelta(seconds=seconds), None,
        "割接", "operator",
    )  # fmt: skip


async def test_maintenance_holds_what_is_mild_and_lets_the_highest_level_through(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, silences=Fixed(_maintenance(1.5)), late_after=timedelta(seconds=1))
    gentle, red = mild(request("liaison")), request("liaison")
    await desk.accept(gentle, red)

    first = await desk.settled("sent", "delivered")
    assert {one.number for one in first} == {red.data.subject.number}
    [kept] = await list_withheld("demo", 10, database=desk.database)
    assert (kept["noise_rule"], kept["zh"]) == ("maintenance", "维护窗口：割接（operator）")

    await desk.settled("sent", "delivered", "sent", "delivered")
    texts = [message["text"] for message in sink.messages(PHONE)]
    assert gentle.data.subject.number in texts[1]
    assert "迟到" in texts[1]


async def test_what_a_later_step_supersedes_while_it_waits_is_never_sent(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, silences=Fixed(_maintenance(1.0)))
    first = mild(request("liaison"))
    await desk.accept(first)
    await desk.accept(mild(request("liaison", case_id=first.case_id, step=2)))

    await desk.settled("suppressed", "sent", "delivered")
    assert len(sink.messages(PHONE)) == 1


async def test_the_rest_of_a_storm_comes_in_one_message_and_each_is_settled(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, throttle=Throttle(2, timedelta(seconds=1.5)))
    storm = [mild(request("liaison")) for _ in range(6)]
    await desk.accept(*storm)

    async def all_told() -> bool:
        found = await desk.settlements()
        return {one.number for one in found if one.settlement == "delivered"} == {
            one.data.subject.number for one in storm
        }

    await desk.eventually(all_told, what=lambda: "six settled as delivered")
    messages = sink.messages(PHONE)
    assert len(messages) == 3
    bundle = messages[2]["text"]
    assert "合并告知 4 件事项" in bundle
    assert "回复“全部签收”" in bundle
    told = {
        number for number in (one.data.subject.number for one in storm) if any(number in m["text"] for m in messages)
    }
    assert len(told) == 6
    withheld = await list_withheld("demo", 10, database=desk.database)
    assert sorted(one["noise_rule"] for one in withheld) == ["bundled"] * 3 + ["throttled"]
    along = [one for one in await desk.settlements() if one.reason_words and "合并为一条" in one.reason_words.zh]
    assert len({one.intent_id for one in along}) == 3


async def test_a_warning_stands_for_single_cases_of_its_topic(desk: Desk, sink: Sink) -> None:
    warning = mild(request("liaison"), topic="宽带中断", kind=CaseKind.WARNING, level_rank=2)
    single = mild(request("liaison"), topic="宽带中断", kind=CaseKind.COMPLAINT)
    elsewhere = mild(request("liaison"), topic="话费", kind=CaseKind.COMPLAINT)
    await desk.accept(warning)
    await desk.accept(single, elsewhere)

    async def done() -> bool:
        settled = [one.settlement.value for one in await desk.settlements()]
        return settled.count("delivered") == 2 and "suppressed" in settled

    await desk.eventually(done, what=lambda: "two messages")
    [left_out] = [one for one in await desk.settlements() if one.settlement == "suppressed"]
    assert left_out.number == single.data.subject.number
    assert left_out.reason_words is not None
    assert "群体预警" in left_out.reason_words.zh


async def test_a_warning_that_reached_nobody_or_still_waits_stands_for_nothing(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, silences=Fixed(replace(_maintenance(30), filter=Filter(topics=("割接",)))))
    sink.behave(PHONE, "refuse")
    warnings = [
        mild(request("liaison", channels=(SMS,)), topic=topic, kind=CaseKind.WARNING, level_rank=2)
        for topic in ("宽带中断", "割接")
    ]
    await desk.accept(*warnings)
    await desk.settled("failed")
    sink.behave(PHONE, "deliver")
    desk.rules = replace(desk.rules, silences=None)
    singles = [mild(request("liaison", channels=(SMS,)), topic=topic) for topic in ("宽带中断", "割接")]
    await desk.accept(*singles)

    async def both_arrived() -> bool:
        found = {one.number for one in await desk.settlements() if one.settlement == "delivered"}
        return found == {one.data.subject.number for one in singles}

    await desk.eventually(both_arrived, what=lambda: "both single cases")


async def test_an_acknowledgement_stops_what_was_to_be_sent_and_what_comes_late(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, silences=Fixed(_maintenance(1.0)))
    waiting = mild(request("liaison"))
    late = mild(request("head", case_id=waiting.case_id))
    await desk.accept(waiting)
    answer = acknowledged(waiting)
    await stop_answered([answer], database=desk.database, rules=desk.rules, ids=IDS)
    await stop_answered([answer], database=desk.database, rules=desk.rules, ids=IDS)
    await desk.accept(late)

    first, second = await desk.settled("suppressed", "suppressed")
    assert first.reason == second.reason == "somebody acknowledged before"
    assert first.reason_words is not None
    assert first.reason_words.zh == "已有人签收，不再发送"
    again = mild(request("liaison", case_id=waiting.case_id, step=3))
    desk.rules = replace(desk.rules, silences=None)
    await desk.accept(again)
    await desk.settled("suppressed", "suppressed", "sent", "delivered")
    assert len(sink.messages(PHONE)) == 1


async def test_the_end_of_a_case_stops_warnings_but_is_itself_told(desk: Desk, sink: Sink) -> None:
    desk.rules = replace(desk.rules, silences=Fixed(_maintenance(0.8)))
    warn = mild(request("liaison", purpose=Purpose.WARN, acknowledge=False))
    down = mild(request("head", case_id=warn.case_id, purpose=Purpose.STAND_DOWN, acknowledge=False))
    await desk.accept(warn, down)
    await stop_answered([acknowledged(warn, CaseState.RESOLVED)], database=desk.database, rules=desk.rules, ids=IDS)

    await desk.settled("suppressed", "sent", "delivered")
    assert sink.messages(PHONE) == []


def acknowledged(
    event: Event[NotificationRequestedV1], state: CaseState = CaseState.ACKNOWLEDGED
) -> Event[CaseEscalatedV1]:
    now = CLOCK.now()
    case = CaseEscalatedV1(
        number=event.data.subject.number,
        kind=CaseKind.COMPLAINT,
        plan=PlanRef(name=PLAN, version=1, sha256="0" * 64),
        revision=2,
        state=state,
        level="yellow",
        level_rank=1,
        highest_rank=3,
        acknowledged_by=Actor(kind=ActorKind.LINK, ref="manager-a"),
        acknowledged_at=now,
        opened_at=now,
        changed_at=now,
        changes=(Change(kind=ChangeKind.STATE_CHANGED, at=now, because="acknowledged"),),
    )
    return Event(IDS.new(), "/fenghuo/escalator", now, "demo", event.case_id, case)


async def test_within_a_second_of_an_acknowledgement_nothing_further_is_sent(desk: Desk, sink: Sink) -> None:
    sink.behave("*", "busy")
    page = request("liaison")
    await desk.accept(page)

    async def tried_often() -> bool:
        return len(await desk.attempts()) >= 4

    await desk.eventually(tried_often, what=lambda: "four attempts")
    answered_at = CLOCK.now()
    await stop_answered([acknowledged(page)], database=desk.database, rules=desk.rules, ids=IDS)
    await asyncio.sleep(1.5)
    late = [one for one in await desk.attempts() if one["started_at"] > answered_at + timedelta(seconds=1)]
    assert late == []
    assert [one.settlement for one in await desk.settlements()][-1] == "suppressed"
