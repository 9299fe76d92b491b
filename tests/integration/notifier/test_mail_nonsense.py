"""A mail server that talks nonsense, too much or not at all: no mail is lost, none counts as refused by its address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import pytest

from services.notifier.channels.channel import Accepted, Reject, Reply
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.domain.delivery import Answer
from shared.contracts.values import ChannelKind
from tests.integration.notifier.desk import CLOCK
from tests.support.outgoing import outgoing

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _session(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    greeting: bytes = b"220 hello",
    mail: bytes = b"250 ok",
    rcpt: bytes = b"250 ok",
    data: bytes = b"354 go",
    end: bytes | None = b"250 2.0.0 queued as X",
) -> None:
    answers = {b"MAIL": mail, b"RCPT": rcpt, b"DATA": data}
    writer.write(greeting + b"\r\n")
    while line := await reader.readline():
        command = line[:4].upper()
        writer.write(answers.get(command, b"250 ok") + b"\r\n")
        if command == b"DATA" and data.startswith(b"354"):
            await reader.readuntil(b"\r\n.\r\n")
            if end is None:
                return
            writer.write(end + b"\r\n")
        await writer.drain()


async def _endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"220-" + b"x" * 65_536)
        await writer.drain()


@asynccontextmanager
async def _serving(script: Script) -> AsyncIterator[SmtpChannel]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await script(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.release()

    ended = asyncio.Semaphore(0)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?tls=none"
    channel = SmtpChannel(url, sender="f@example.org", clock=CLOCK, timeout=timedelta(seconds=2), connections=2)
    try:
        yield channel
    finally:
        await channel.close()
        server.close()
        await ended.acquire()


def _meaning(reply: Reply) -> Answer:
    if isinstance(reply, Accepted):
        return Answer.ACCEPTED
    return Answer.PERMANENT if isinstance(reply, Reject) else reply.answer


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (_session, Answer.ACCEPTED),
        (partial(_session, rcpt=b"251 forwarded"), Answer.ACCEPTED),
        (partial(_session, end=b"250 \x00\xff" + b"q" * 3000), Answer.ACCEPTED),
        (partial(_session, rcpt=b"550 5.1.1 \xff\x00\x1b[31m no"), Answer.PERMANENT),
        # nothing was handed over: the server's trouble, and nothing that is wrong with the address
        (_endless, Answer.UNAVAILABLE),
        (partial(_session, greeting=b"HTTP/1.1 400 Bad"), Answer.UNAVAILABLE),
        (partial(_session, rcpt=b"999 what"), Answer.UNAVAILABLE),
        (partial(_session, rcpt=b"yes, surely"), Answer.UNAVAILABLE),
        (partial(_session, rcpt=b"354 go"), Answer.UNAVAILABLE),
        (partial(_session, data=b"421 bye"), Answer.UNAVAILABLE),
        # the text was handed over: it may have been taken
        (partial(_session, end=b"yes, surely"), Answer.UNKNOWN),
        (partial(_session, end=b"999 what"), Answer.UNKNOWN),
        (partial(_session, end=b"354 again"), Answer.UNKNOWN),
        (partial(_session, end=None), Answer.UNKNOWN),
        (partial(_session, end=b"451 greylisted"), Answer.TRANSIENT),
    ],
)
async def test_what_a_mail_server_says_means_one_thing(script: Script, expected: Answer) -> None:
    async with _serving(script) as channel:
        reply = await channel.send(outgoing(ChannelKind.EMAIL, to="a@example.org"))
        assert _meaning(reply) is expected, reply
        if isinstance(reply, Accepted):
            assert reply.provider_id is None or reply.provider_id.isprintable()
        else:
            assert reply.why.isprintable()
