"""What a crash, a slow worker or a second sender may not do: lose a message, or send it twice without need."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from asyncpg import UniqueViolationError

from services.notifier.app.begin_attempts import Begun
from services.notifier.app.call_provider import call_provider
from services.notifier.domain.delivery import Answer, Outcome
from services.notifier.domain.ledger import RecordedAnswer
from services.notifier.store import ledger
from shared.access.links import ReceiptAddress
from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import ChannelKind
from shared.kafka.outcome import Dead, Skip
from shared.runtime.metrics import DELIVERY_DOUBTFUL
from tests.integration.notifier.desk import CLOCK, IDS, Desk, request
from tests.support.sink import Sink

PHONE = "13800000001"


def _doubtful(channel: str) -> float:
    return float(DELIVERY_DOUBTFUL.labels(channel)._value.get())


async def test_the_attempt_is_durable_before_the_call(still_desk: Desk) -> None:
    await still_desk.accept(request("liaison"))
    begun = await still_desk.begin()

    [attempt] = await still_desk.attempts()
    assert (attempt["attempt_id"], attempt["answer"]) == (begun.calls[0].message.attempt_id, None)
    assert attempt["address"] == "138****0001", "the ledger holds no whole phone number"


async def test_a_crash_after_the_call_sends_again_with_the_same_token_and_counts_it(
    still_desk: Desk, sink: Sink
) -> None:
    """The process dies between the provider's answer and the note about it."""
    before = _doubtful("email")
    await still_desk.accept(request("clerk", channels=(ChannelKind.EMAIL,)))
    begun = await still_desk.begin()
    await call_provider(begun.calls[0], providers=still_desk.providers)

    still_desk.start()

    await still_desk.settled("sent")
    first, second = await still_desk.attempts()
    assert (first["answer"], second["answer"], second["doubtful"]) == ("unknown", "accepted", True)
    assert first["token"] == second["token"]
    mails = sink.messages("clerk@example.org")
    assert len(mails) == 2
    assert len({mail["message_id"] for mail in mails}) == 1, "a mailbox can see that it is the same message"
    assert _doubtful("email") == before + 1


async def test_a_crash_before_the_call_loses_nothing(still_desk: Desk, sink: Sink) -> None:
    await still_desk.accept(request("liaison"))
    await still_desk.begin()

    still_desk.start()

    await still_desk.settled("sent", "delivered")
    assert len(sink.messages(PHONE)) == 1


async def test_while_a_call_may_still_be_answered_nobody_else_makes_it(still_desk: Desk) -> None:
    await still_desk.accept(request("liaison"))
    begun = await still_desk.begin()
    again = await still_desk.begin()

    assert (len(begun.calls), again.claimed) == (1, 0)


async def test_a_worker_whose_time_is_over_overwrites_nothing(still_desk: Desk) -> None:
    await still_desk.accept(request("clerk", channels=(ChannelKind.EMAIL,)))
    slow = (await still_desk.begin()).calls[0]
    await asyncio.sleep(1.6)
    taken_over = (await still_desk.begin()).calls[0]
    await still_desk.record([await call_provider(taken_over, providers=still_desk.providers)])

    late = RecordedAnswer(slow.message.attempt_id, Outcome(Answer.PERMANENT, CLOCK.now(), "too late"))
    await still_desk.record([late])

    assert [one["answer"] for one in await still_desk.attempts()] == ["unknown", "accepted"]
    assert [one.settlement.value for one in await still_desk.settlements()] == ["sent"]


async def test_two_senders_share_the_work_and_never_send_double(
    notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]
) -> None:
    pair = [Desk(notifier_url, sink, receipts_url, timeout=5.0) for _ in range(2)]
    desks += pair
    work: Counter[int] = Counter()
    for number, desk in enumerate(pair):
        _count_calls(desk, number, work)
    events = [request("everybody") for _ in range(60)]
    await pair[0].accept(*events)
    for desk in pair:
        desk.start()

    async def all_delivered() -> bool:
        found = await pair[0].settlements()
        return sum(one.settlement.value == "delivered" for one in found) == 2 * len(events)

    await pair[0].eventually(all_delivered, what=lambda: "every delivery", within=40)
    messages = Counter((message["to"], message["text"]) for message in sink.messages())
    assert len(messages) == 2 * len(events)
    assert set(messages.values()) == {1}
    assert len(await pair[0].attempts()) == 2 * len(events)
    assert min(work[0], work[1]) > 0, f"one of them did everything: {work}"
    for desk in pair:
        await desk.stop()


def _count_calls(desk: Desk, number: int, work: Counter[int]) -> None:
    begin = desk.sender._begin

    async def counted(*places: Mapping[ChannelKind, int]) -> Begun:
        begun = await begin(*places)
        work[number] += len(begun.calls)
        return begun

    desk.sender._begin = counted


async def test_claiming_without_the_row_lock_would_collide(still_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard behind the guard: were the claim's lock removed, the second attempt breaks on the ledger's key."""
    await still_desk.accept(request("liaison"))
    await still_desk.rows("SELECT 1")
    async with still_desk.database.transaction() as tx:
        stale = await ledger.lock(tx, [row["intent_id"] for row in await tx.fetch("SELECT intent_id FROM intents")])
    await still_desk.begin()

    async def unlocked(*_: object, **__: object) -> object:
        return stale

    monkeypatch.setattr(ledger, "claim_due", unlocked)
    with pytest.raises(UniqueViolationError, match="uq_attempts_intent_id_number"):
        await still_desk.begin()


async def test_the_database_away_while_noting_an_answer_does_not_lose_it(still_desk: Desk, sink: Sink) -> None:
    failures = 3
    record = still_desk.sender._record

    async def flaky(answers: Sequence[RecordedAnswer]) -> datetime | None:
        nonlocal failures
        if failures:
            failures -= 1
            raise ConnectionRefusedError
        return await record(answers)

    still_desk.sender._record = flaky
    await still_desk.accept(request("clerk", channels=(ChannelKind.EMAIL,)))
    still_desk.start()

    await still_desk.settled("sent")
    assert len(sink.messages("clerk@example.org")) == 1


async def test_stopping_finishes_the_calls_in_hand(still_desk: Desk, sink: Sink) -> None:
    sink.behave("clerk@example.org", "slow", seconds=0.5)
    await still_desk.accept(request("clerk", channels=(ChannelKind.EMAIL,)))
    still_desk.start()
    await asyncio.sleep(0.2)
    still_desk._stop.set()
    assert still_desk._loop is not None
    await still_desk._loop

    assert [one["answer"] for one in await still_desk.attempts()] == ["accepted"]


async def test_a_receipt_seen_twice_is_applied_once_and_one_for_nothing_is_dead(still_desk: Desk) -> None:
    event = request("liaison")
    await still_desk.accept(event)
    attempt = (await still_desk.begin()).calls[0].message.attempt_id
    address = ReceiptAddress(event.case_id, attempt, "demo", "sms-http")
    same = IDS.new()

    await still_desk.receipt(address, ReceiptStatus.DELIVERED, event_id=same)
    again = await still_desk.receipt(address, ReceiptStatus.DELIVERED, event_id=same)
    unknown = await still_desk.receipt(
        ReceiptAddress(event.case_id, IDS.new(), "demo", "sms-http"), ReceiptStatus.DELIVERED
    )

    assert isinstance(again, Skip)
    assert isinstance(unknown, Dead)
    assert [one.settlement.value for one in await still_desk.settlements()] == ["delivered"]


async def test_delivered_is_never_taken_back(still_desk: Desk) -> None:
    event = request("liaison")
    await still_desk.accept(event)
    attempt = (await still_desk.begin()).calls[0].message.attempt_id
    address = ReceiptAddress(event.case_id, attempt, "demo", "sms-http")
    for status in (ReceiptStatus.DELIVERED, ReceiptStatus.UNDELIVERED, ReceiptStatus.ACCEPTED):
        await still_desk.receipt(address, status)

    assert [one.settlement.value for one in await still_desk.settlements()] == ["delivered"]
    assert (await still_desk.begin()).claimed == 0


async def test_the_first_page_of_a_case_goes_before_everything_and_then_the_higher_level(still_desk: Desk) -> None:
    inform = request("head", purpose="inform")
    first = request("liaison")
    mild = first.data.subject.model_copy(update={"level_rank": 1, "number": "mild"})
    await still_desk.accept(inform, request("liaison", subject=mild), first, request("head", case_id=first.case_id))

    order = []
    for _ in range(4):
        [call] = (await still_desk.begin(fresh={ChannelKind.SMS: 1}, retries={})).calls
        order.append((call.message.text.headline, call.message.to))
    assert [to for _, to in order] == [PHONE, PHONE, "13800000002", "13800000002"]
    assert "mild" in order[1][0], "a first page of a mild case goes before what follows up a red one"


async def test_retries_have_their_own_places(still_desk: Desk, sink: Sink) -> None:
    sink.behave(PHONE, "busy")
    await still_desk.accept(request("liaison"))
    call = (await still_desk.begin()).calls[0]
    await still_desk.record([await call_provider(call, providers=still_desk.providers)])
    await asyncio.sleep(timedelta(milliseconds=80).total_seconds())
    await still_desk.accept(request("head"))

    fresh = await still_desk.begin(fresh={ChannelKind.SMS: 5}, retries={})
    retried = await still_desk.begin(fresh={}, retries={ChannelKind.SMS: 5})

    assert [one.message.to for one in fresh.calls] == ["13800000002"]
    assert [(one.message.to, one.is_retry) for one in retried.calls] == [(PHONE, True)]
