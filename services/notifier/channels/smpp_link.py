"""One bound connection to a message centre: requests with their answers in a window, deliveries, signs of life.

The link knows no messages; it ends by raising, and whoever owns it opens the next one.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

from services.notifier.domain.smpp_pdu import (
    BIND_TRANSCEIVER,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    HEADER,
    INVALID_COMMAND,
    INVALID_LENGTH,
    NOT_NOW,
    RESPONSE,
    UNBIND,
    Delivery,
    Pdu,
    SmppFormatError,
    read_delivery,
    read_header,
)
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_MAX_SEQUENCE: Final = 0x7FFFFFFF
_DELIVERIES_AT_ONCE: Final = 50
_MOST_AWAITED: Final = 10_000

Take = Callable[[Delivery], Awaitable[int]]


class LinkLostError(Exception):
    """The connection is gone. What was written and not answered may have been taken."""


class BindRefusedError(Exception):
    """The centre does not let us in; `status` is its reason."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused with 0x{status:08X}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Centre:
    """Where a centre listens and how often it is asked whether it is still there."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    enquire_every_s: float
    answer_within_s: float


class SmppLink:
    """`take` decides about each delivery and returns the status of its response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, centre: Centre, take: Take) -> None:
        self._reader = reader
        self._writer = writer
        self._centre = centre
        self._take = take
        self._sequences = count(1)
        self._awaited: dict[int, asyncio.Future[Pdu]] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_DELIVERIES_AT_ONCE)
        self.lost = False

    @classmethod
    async def bound(cls, centre: Centre, bind: bytes, take: Take) -> tuple["SmppLink", asyncio.Task[None]]:
        """A bound link and the task that serves it. Raises BindRefusedError, LinkLostError, OSError, TimeoutError."""
        async with asyncio.timeout(centre.answer_within_s):
            reader, writer = await asyncio.open_connection(centre.host, centre.port, ssl=centre.tls)
        link = cls(reader, writer, centre, take)
        serving = asyncio.create_task(link.serve())
        try:
            async with asyncio.timeout(centre.answer_within_s):
                await link._enter(bind)  # our own link
        except BaseException:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            raise
        return link, serving

    async def _enter(self, bind: bytes) -> None:
        answer = await self.request(BIND_TRANSCEIVER, bind)
        if answer.status:
            raise BindRefusedError(answer.status)

    async def request(self, command: int, body: bytes = b"") -> Pdu:
        """The response. Raises LinkLostError; waits as long as the link lives, so callers set their own limit."""
        answer = self.submit(command, body)
        await self.flushed()
        return await answer

    def submit(self, command: int, body: bytes) -> asyncio.Future[Pdu]:
        """Written to the connection when this returns; the future gets the response or LinkLostError."""
        if self.lost:
            raise LinkLostError("the connection is closed")
        if len(self._awaited) >= _MOST_AWAITED:
            self._end()
            raise LinkLostError("the centre does not answer")
        sequence = next(self._sequences)
        if sequence >= _MAX_SEQUENCE:
            self._sequences = count(1)
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._awaited[sequence] = answer
        self._writer.write(Pdu(command, sequence, body=body).encoded())
        return answer

    async def flushed(self) -> None:
        """When the connection's buffer has room. Raises LinkLostError."""
        try:
            await self._writer.drain()
        except OSError as error:
            raise LinkLostError(type(error).__name__) from error

    async def serve(self) -> None:
        """Read until the connection ends; then every open request fails with LinkLostError."""
        asking = asyncio.create_task(self._stay_alive())
        try:
            while True:
                length, command, status, sequence = read_header(await self._reader.readexactly(HEADER.size))
                await self._received(Pdu(command, sequence, status, await self._reader.readexactly(length)))
        except (OSError, asyncio.IncompleteReadError, SmppFormatError, LinkLostError) as error:
            _log.info("smpp.link_ended", host=self._centre.host, reason=repr(error))
        finally:
            self.lost = True
            asking.cancel()
            for task in self._deliveries:
                task.cancel()
            await asyncio.gather(asking, *self._deliveries, return_exceptions=True)
            for answer in self._awaited.values():
                if not answer.done():
                    answer.set_exception(LinkLostError("the connection ended before the answer"))
                    answer.exception()  # nobody may be waiting any more
            self._awaited.clear()
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def unbind(self) -> None:
        """Say goodbye; whether anybody answers does not matter."""
        with suppress(LinkLostError, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self.request(UNBIND)

    async def _received(self, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            answer = self._awaited.pop(pdu.sequence, None)
            if answer is not None and not answer.done():
                answer.set_result(pdu)
        elif pdu.command == ENQUIRE_LINK:
            self._respond(pdu)
        elif pdu.command == DELIVER_SM:
            # Beyond this many the centre is not read from: it waits, as its own window wants.
            await self._room.acquire()
            task = asyncio.create_task(self._deliver(pdu))
            self._deliveries.add(task)
            task.add_done_callback(self._delivered)
        elif pdu.command == UNBIND:
            self._respond(pdu)
            raise LinkLostError("the centre ended the session")
        else:
            self._writer.write(Pdu(GENERIC_NACK, pdu.sequence, INVALID_COMMAND).encoded())

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        self._room.release()

    async def _deliver(self, pdu: Pdu) -> None:
        try:
            status = await self._take(read_delivery(pdu.body))
        except SmppFormatError:
            status = INVALID_LENGTH
        except Exception:  # noqa: BLE001  # one delivery must not end the link for all; the centre brings it again
            _log.exception("smpp.delivery_failed")
            status = NOT_NOW
        self._respond(pdu, status, b"\x00")

    def _respond(self, pdu: Pdu, status: int = 0, body: bytes = b"") -> None:
        if not self.lost:
            self._writer.write(Pdu(pdu.command | RESPONSE, pdu.sequence, status, body).encoded())

    def _end(self) -> None:
        """The reader sees the closed connection and ends the link."""
        self.lost = True
        self._writer.close()

    async def _stay_alive(self) -> None:
        while True:
            await asyncio.sleep(self._centre.enquire_every_s)
            try:
                async with asyncio.timeout(self._centre.answer_within_s):
                    await self.request(ENQUIRE_LINK)
            except (TimeoutError, LinkLostError):
                _log.warning("smpp.no_sign_of_life", host=self._centre.host)
                self._end()
                return
