"""What each way of failing at a socket means: not sent, not known, or not HTTP. And never a second call by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.notifier.channels.http_client import (
    READ_AT_MOST,
    HttpClient,
    NoAnswerError,
    NotSentError,
    UnusableAnswerError,
)
from shared.embedded.processes import free_port

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    """A server that says what it likes, byte by byte."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/x"


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient(timeout=timedelta(seconds=0.3), connections=1)
    yield made
    await made.close()


async def test_an_answer_is_read_with_its_headers_and_its_beginning(client: HttpClient) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nRetry-After: 7\r\nContent-Length: 200000\r\n\r\n")
        writer.write(b"x" * 200_000)
        await writer.drain()

    async with server(talk) as url:
        said = await client.get(url, params={"dlr-url": "http://a/b?type=%d&text=%A", "text": "全市+无法"})
    assert (said.status, said.headers["location"], said.headers["retry-after"]) == (302, "/y", "7")
    assert len(said.content) == READ_AT_MOST
    line = asked[0].split(b" ")[1].decode()
    assert "%25d" in line
    assert "%2B" in line, "a plus sign of the text must not become a space"
    assert len(asked) == 1, "a redirect is not followed"


async def test_nobody_listening_means_not_sent(client: HttpClient) -> None:
    with pytest.raises(NotSentError, match="cannot connect"):
        await client.get(f"http://127.0.0.1:{free_port()}/x", params={})


async def test_silence_means_not_known(client: HttpClient) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(talk) as url:
        with pytest.raises(NoAnswerError, match="in time"):
            await client.get(url, params={})


async def test_every_place_taken_means_not_sent(client: HttpClient) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.1)
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.write(OK)

    async with server(talk) as url:
        first = asyncio.create_task(client.get(url, params={}))
        await asyncio.sleep(0.05)
        with pytest.raises(NotSentError):
            await client.get(url, params={})
        assert (await first).status == 200


async def test_a_kept_connection_that_breaks_is_not_known_and_not_tried_again(client: HttpClient) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if len(asked) == 1:
            writer.write(OK)
            asked.append(await reader.readuntil(b"\r\n\r\n"))

    async with server(talk) as url:
        assert (await client.get(url, params={})).content == b"ok"
        with pytest.raises(NoAnswerError):
            await client.get(url, params={})
        await asyncio.sleep(0.05)
        assert len(asked) == 2


@pytest.mark.parametrize("said", [b"220 mail ready\r\n", b"\x16\x03\x01\x00\x00", b"HTTP/1.1 abc\r\n\r\n"])
async def test_another_protocol_is_unusable(client: HttpClient, said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        await reader.read()

    async with server(talk) as url:
        with pytest.raises(UnusableAnswerError):
            await client.post(url, content=b"{}", headers={"content-type": "application/json"})


async def test_an_answer_that_breaks_off_is_not_known(client: HttpClient) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")
        await writer.drain()

    async with server(talk) as url:
        with pytest.raises(NoAnswerError):
            await client.get(url, params={})
