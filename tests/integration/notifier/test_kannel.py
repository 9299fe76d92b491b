"""The notifier and a real Kannel with its fake message centre: what arrives, what comes back, what a restart leaves."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.contracts.values import ChannelKind
from tests.integration.notifier.desk import Desk, request, with_policy
from tests.support.kannel import KannelGateway
from tests.support.sink import Sink

PHONE, MAIL = "13800000001", "manager-a@example.org"
BURST = 60


@dataclass(frozen=True)
class _Peers:
    smtp_port: int
    send_url: str
    user: str
    password: str


@pytest.fixture
async def desk(
    notifier_url: str, kannel: KannelGateway, sink: Sink, receipts_url: str, desks: list[Desk]
) -> AsyncIterator[Desk]:
    """A notifier whose SMS go through Kannel and whose mail goes to the sink."""
    peers = _Peers(sink.smtp_port, kannel.send_url, kannel.user, kannel.password)
    policy = with_policy(receipt_within={"sms-http": timedelta(seconds=4)}, give_up_after=timedelta(seconds=60))
    made = Desk(notifier_url, peers, receipts_url, policy=policy, timeout=2.0)
    desks.append(made)
    made.start()
    yield made
    await made.stop()


def _arrived(kannel: KannelGateway, numbers: set[str]) -> Counter[str]:
    """How often each case number came out at a phone."""
    # The parts of a long SMS come out as they are on the wire: two bytes a sign.
    firsts = [one for one in kannel.received() if one.to == PHONE and one.part == 1]
    texts = [one.text.encode("latin-1").decode("utf-16-be") if one.parts > 1 else one.text for one in firsts]
    return Counter(number for text in texts for number in numbers if f"红色预警 {number}" in text)


async def test_a_page_comes_out_at_the_phone_in_chinese_and_its_receipt_settles_it(
    desk: Desk, kannel: KannelGateway
) -> None:
    page = request("liaison", channels=(ChannelKind.SMS,))
    await desk.accept(page)
    await desk.settled("sent", "delivered")

    async def shown() -> bool:
        return _arrived(kannel, {page.data.subject.number}).total() == 1

    await desk.eventually(shown, what=lambda: f"the message at the phone: {kannel.received()[-6:]}")


async def test_a_gateway_restarted_in_the_middle_of_a_burst_loses_nothing_and_repeats_only_the_doubtful(
    desk: Desk, kannel: KannelGateway, sink: Sink
) -> None:
    burst = [request("liaison") for _ in range(BURST)]
    numbers = {one.data.subject.number for one in burst}
    await desk.accept(*burst[: BURST // 2])

    async def some() -> bool:
        return _arrived(kannel, numbers).total() >= BURST // 6

    await desk.eventually(some, what=lambda: "the beginning of the burst")
    stopping = asyncio.to_thread(kannel.stop)
    try:
        await asyncio.gather(stopping, desk.accept(*burst[BURST // 2 :]))
    finally:
        await asyncio.to_thread(kannel.start)

    async def all_told() -> bool:
        mails = {number for one in sink.messages(MAIL) for number in numbers if number in one["subject"]}
        return mails | set(_arrived(kannel, numbers)) == numbers

    await desk.eventually(all_told, what=lambda: "everybody told by SMS or mail", within=40.0)
    doubtful = sum(one["doubtful"] for one in await desk.attempts())
    assert _arrived(kannel, numbers).total() - len(_arrived(kannel, numbers)) <= doubtful
