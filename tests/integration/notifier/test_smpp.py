"""SMPP against a message centre of another implementation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from services.notifier.channels.channel import Accepted, Reject, Retry
from services.notifier.channels.smpp import SmppChannel, SmppOptions
from services.notifier.channels.smpp_link import Centre as Address
from services.notifier.domain.delivery import Answer
from services.notifier.domain.smpp_pdu import NEVER, NOT_NOW
from services.notifier.domain.smpp_text import LongTexts
from shared.contracts.values import Language
from shared.runtime.clock import monotonic
from tests.support.centre import Centre, centre
from tests.support.outgoing import LINK, outgoing

TO = "13800000001"


class Box:
    """Notes what comes in; `status` is what the centre hears."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str | None, str, str | None]] = []
        self.texts: list[tuple[str, str, str]] = []
        self.status = [0]

    async def receipt(self, address: str | None, ids: tuple[str, ...], status: str, code: str | None) -> int:
        self.receipts.append((address, status, code))
        return self.status[0] if len(self.status) == 1 else self.status.pop(0)

    async def text(self, sender: str, receiver: str, text: str) -> int:
        self.texts.append((sender, receiver, text))
        return self.status[0]


class Running:
    """A channel whose link is kept."""

    def __init__(
        self, port: int, box: Box, *, timeout: float = 2.0, enquire: float = 0.3, long_texts: LongTexts = LongTexts.UDH
    ) -> None:
        options = SmppOptions(
            Address("127.0.0.1", port, None, enquire, 1.0), "fenghuo", "secret", "10690000", long_texts=long_texts
        )
        self.channel = SmppChannel("sms-a", options, box, timeout=timedelta(seconds=timeout))
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self.channel.run(self._stop))

    async def stop(self) -> None:
        self._stop.set()
        await self._task


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def there() -> AsyncIterator[Centre]:
    async with centre() as made:
        yield made


@pytest.fixture
async def running(there: Centre, box: Box) -> AsyncIterator[Running]:
    made = Running(there.port, box)
    yield made
    await made.stop()


async def _until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("report_by", ["text", "parameters"])
async def test_a_message_is_taken_and_its_receipt_finds_the_attempt(
    there: Centre, running: Running, box: Box, report_by: str
) -> None:
    there.report_by = report_by
    reply = await running.channel.send(outgoing(link=None, title="断网"))

    await _until(lambda: box.receipts)
    [one] = there.submitted
    assert reply == Accepted(one.message_id, "0")
    assert (one.to, one.sender, one.coding, one.receipt) == (TO, "10690000", 8, 1)
    assert "断网" in one.text
    assert box.receipts[0][:2] == ("http://127.0.0.1:8601/v1/receipts/a.b", "delivered")
    await _until(lambda: there.reported == [0])


@pytest.mark.parametrize("long_texts", list(LongTexts))
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_long_text_arrives_whole_with_its_link(
    there: Centre, box: Box, long_texts: LongTexts, language: Language
) -> None:
    running = Running(there.port, box, long_texts=long_texts)
    title = "长话" * 40 + "🔥" if language == "zh" else "A [long] story {of} trouble " * 9
    message = outgoing(title=title, language=language, because="x" * 200)
    assert isinstance(await running.channel.send(message), Accepted)
    await running.stop()

    parts = there.submitted
    assert (len(parts) == 1) is (long_texts is LongTexts.PAYLOAD)
    if long_texts is LongTexts.UDH:
        assert [part.content[4:6] for part in parts] == [bytes((len(parts), n + 1)) for n in range(len(parts))]
        assert len({part.content[3] for part in parts}) == 1
    if long_texts is LongTexts.SAR:
        assert [part.tlvs[0x020F][0] for part in parts] == list(range(1, len(parts) + 1))
    assert [part.receipt for part in parts] == [2] * (len(parts) - 1) + [1]
    coding = 8 if any(ord(char) > 0xFF for char in message.text.sms) else 0
    assert {part.coding for part in parts} == {coding}
    whole = "".join(part.text for part in parts)
    assert LINK in whole
    if coding == 8:
        assert whole == message.text.sms


async def test_six_hundred_at_once_are_all_answered_within_the_window(there: Centre, running: Running) -> None:
    there.report = None
    replies = await asyncio.gather(*(running.channel.send(outgoing(link=None, to=str(n + 1))) for n in range(600)))
    assert len({reply.provider_id for reply in replies if isinstance(reply, Accepted)}) == 600


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (0x0B, Answer.PERMANENT),
        (0x0A, Answer.UNAVAILABLE),
        (0x08, Answer.TRANSIENT),
        (0x14, Answer.TRANSIENT),
    ],
)
async def test_every_refusal_means_one_thing(there: Centre, running: Running, status: int, answer: Answer) -> None:
    there.refuse[TO] = [status]
    reply = await running.channel.send(outgoing(link=None))
    assert isinstance(reply, Reject if answer is Answer.PERMANENT else Retry)
    assert not isinstance(reply, Retry) or reply.answer is answer


async def test_a_throttling_centre_gets_a_pause_before_the_next_message(there: Centre, running: Running) -> None:
    there.refuse[TO] = [0x58]
    first = await running.channel.send(outgoing(link=None))
    second = await running.channel.send(outgoing(link=None, to="2"))

    assert isinstance(first, Retry)
    assert first.after > timedelta(seconds=0.5)
    # A second is more than a message may wait, so it is told to come back instead of being pushed in.
    assert isinstance(second, Retry)
    assert (second.answer, there.submitted) == (Answer.TRANSIENT, [])
    await asyncio.sleep(1.0)
    assert isinstance(await running.channel.send(outgoing(link=None)), Accepted)


async def test_silence_after_the_message_was_written_is_not_known(there: Centre, running: Running) -> None:
    there.mute.add(TO)
    reply = await running.channel.send(outgoing(link=None))
    assert isinstance(reply, Retry)
    assert reply.answer is Answer.UNKNOWN
    assert isinstance(await running.channel.send(outgoing(link=None, to="2")), Accepted)


async def test_a_centre_that_is_away_loses_nothing_and_is_found_again(
    there: Centre, running: Running, box: Box
) -> None:
    assert isinstance(await running.channel.send(outgoing(link=None)), Accepted)
    await there.cut()
    await _until(lambda: not running.channel.bound)
    away = await running.channel.send(outgoing(link=None))
    assert isinstance(away, Retry)
    assert away.answer is Answer.TRANSIENT

    await there.connect()
    await _until(lambda: running.channel.bound, 10)
    assert isinstance(await running.channel.send(outgoing(link=None)), Accepted)


async def test_a_gateway_restarted_in_the_middle_of_a_burst_answers_or_leaves_doubt(
    there: Centre, running: Running
) -> None:
    there.report = None
    numbers = [str(100 + n) for n in range(200)]
    there.mute.update(numbers[50:70])
    sending = [asyncio.create_task(running.channel.send(outgoing(link=None, to=number))) for number in numbers]
    await _until(lambda: len(there.submitted) >= 55)
    await there.cut()
    await there.connect()
    replies = await asyncio.gather(*sending)

    taken = {one.to for one in there.submitted}
    for number, reply in zip(numbers, replies, strict=True):
        if isinstance(reply, Accepted):
            assert number in taken
        else:
            assert isinstance(reply, Retry)
            # Never "nothing was sent" about a message the gateway had in its hands.
            assert reply.answer is Answer.UNKNOWN or number not in taken


async def test_a_receipt_is_brought_again_while_nobody_takes_it(there: Centre, running: Running, box: Box) -> None:
    box.status = [NOT_NOW, NOT_NOW, 0]
    await running.channel.send(outgoing(link=None))
    await _until(lambda: there.reported == [NOT_NOW, NOT_NOW, 0])
    assert len(box.receipts) == 3


async def test_an_undelivered_part_is_reported_with_its_reason(there: Centre, running: Running, box: Box) -> None:
    there.report = "UNDELIV"
    await running.channel.send(outgoing(link=None))
    await _until(lambda: box.receipts)
    assert box.receipts[0][1:] == ("undelivered", "0")


async def test_a_reply_of_a_person_is_handed_on_as_text(there: Centre, running: Running, box: Box) -> None:
    await _until(lambda: there.sessions)
    said = "确认 2026-11-000123"
    assert await there.say(source="13800000002", to="10690000", content=said.encode("utf-16-be"), coding=8) == 0
    assert await there.say(source="13800000002", to="10690000", content=b"1 2026-11-000123") == 0
    box.status = [NEVER]
    assert await there.say(source="13800000002", to="10690000", content=b"?") == NEVER
    assert box.texts[:2] == [("13800000002", "10690000", said), ("13800000002", "10690000", "1 2026-11-000123")]


async def test_a_receipt_about_nothing_is_refused_for_good(there: Centre, running: Running, box: Box) -> None:
    await _until(lambda: there.sessions)
    assert await there.say(source="1", to="2", content=b"stat:DELIVRD", esm_class=4) == NEVER
    assert box.receipts == []


@pytest.mark.parametrize("to", ["1" * 30, "138\x00", "一三八"])
async def test_an_address_that_is_none_never_reaches_the_wire(there: Centre, running: Running, to: str) -> None:
    assert isinstance(await running.channel.send(outgoing(link=None, to=to)), Reject)
    assert there.submitted == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\x00\x00\x04\x80\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01",
        b"\x7f\xff\xff\xff\x80\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01",
        b"\x00\x00\x00\x10\x80\x00\x00\x09\x00\x00\x00\x0d\x00\x00\x00\x01",
        b"",
    ],
)
async def test_a_peer_that_is_no_centre_or_refuses_us_is_left_and_nothing_was_sent(answer: bytes, box: Box) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    running = Running(server.sockets[0].getsockname()[1], box, timeout=0.5)
    reply = await running.channel.send(outgoing(link=None))
    assert isinstance(reply, Retry)
    assert reply.answer is Answer.TRANSIENT
    await running.stop()
    server.close()


async def test_a_mute_peer_is_noticed_by_its_missing_sign_of_life(box: Box) -> None:
    bound = b"\x00\x00\x00\x12\x80\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01x\x00"
    connections = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read(100)
        writer.write(bound)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    running = Running(server.sockets[0].getsockname()[1], box, enquire=0.1)
    await _until(lambda: len(connections) >= 2)
    await running.stop()
    server.close()
