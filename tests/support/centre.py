"""A short message centre by another hand's SMPP implementation (the `smpp34` package), told how to behave by number."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import smpp34

from shared.embedded.processes import free_port

_NOT_NOW = 0x64


@dataclass(frozen=True)
class Submitted:
    """One message part as the centre read it."""

    to: str
    sender: str
    content: bytes
    coding: int
    esm_class: int
    receipt: int
    tlvs: dict[int, bytes]
    message_id: str

    @property
    def text(self) -> str:
        body = self.tlvs.get(0x0424) or self.content
        if self.esm_class & 0x40:
            body = body[body[0] + 1 :]
        return body.decode("utf-16-be") if self.coding == 8 else body.decode("ascii")


@dataclass
class Centre:
    """`refuse` and `mute` by destination; `report` is the state in receipts, None for no receipts."""

    port: int
    refuse: dict[str, list[int]] = field(default_factory=dict)
    mute: set[str] = field(default_factory=set)
    report: str | None = "DELIVRD"
    report_by: str = "text"
    submitted: list[Submitted] = field(default_factory=list)
    reported: list[int] = field(default_factory=list)
    sessions: dict[str, Any] = field(default_factory=dict)
    unbound: int = 0
    _held: list[Any] = field(default_factory=list)
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _server: Any = None
    _inner: int = field(default_factory=free_port)
    _wire: asyncio.Server | None = None
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self._server = smpp34.Server(host="127.0.0.1", port=self._inner, system_id="centre")
        await self._server.start()
        self._spawn(self._serve(self._server))
        await self.connect()

    async def stop(self) -> None:
        await self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._held.clear()
        await self._server.stop()

    async def connect(self) -> None:
        """The network between gateway and us works (again)."""
        self._wire = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Every connection ends without a word and none can be made."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        for writer in list(self._ends):
            writer.close()
        self.sessions.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner)
        ends = {writer, inner_writer}
        self._ends |= ends
        await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
        self._ends -= ends

    async def say(self, *, source: str, to: str, content: bytes, coding: int = 0, esm_class: int = 0) -> int:
        """A deliver_sm on the newest session; the status of its response."""
        session = list(self.sessions.values())[-1]
        answer = await session.deliver_sm(
            destination_addr=to, short_message=content, source_addr=source, data_coding=coding, esm_class=esm_class
        )
        return int(answer.command_status)

    async def report_on(self, one: Submitted, state: str) -> int:
        """A receipt; the status of its response."""
        session = list(self.sessions.values())[-1]
        states = {"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5, "REJECTD": 8}
        text, tlvs = b"", []
        if self.report_by == "text":
            line = (
                f"id:{one.message_id} sub:001 dlvrd:001 submit date:2611220900 done date:2611220900 stat:{state} err:0"
            )
            text = f"{line} text:stat:UNDELIV".encode()
        else:
            tlvs = [
                smpp34.Tlv(0x001E, one.message_id.encode() + b"\x00"),
                smpp34.Tlv(0x0427, bytes((states[state],))),
            ]
        answer = await session.deliver_sm(
            destination_addr=one.sender, short_message=text, source_addr=one.to, esm_class=0x04, tlvs=tlvs
        )
        self.reported.append(int(answer.command_status))
        return int(answer.command_status)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, server: Any) -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
            elif isinstance(event, smpp34.Unbound):
                self.sessions.pop(event.session_id, None)
                self.unbound += 1
            else:
                self._submit(event)

    def _submit(self, event: Any) -> None:
        to = event.destination_addr
        refusals = self.refuse.get(to)
        if refusals:
            event.reject(refusals.pop(0))
            return
        one = Submitted(
            to=to,
            sender=event.source_addr,
            content=event.short_message,
            coding=event.data_coding,
            esm_class=event.esm_class,
            receipt=event.registered_delivery,
            tlvs={tlv.tag: tlv.value for tlv in event.tlvs},
            message_id=f"{next(self._ids):08x}",
        )
        self.submitted.append(one)
        if to in self.mute:
            self._held.append(event)
            return
        event.accept(one.message_id)
        if self.report is not None and one.receipt == 1:
            self._spawn(self._report_soon(one, self.report))

    async def _report_soon(self, one: Submitted, state: str) -> None:
        await asyncio.sleep(0.05)  # the response to the message itself goes first
        for _ in range(50):
            if await self.report_on(one, state) != _NOT_NOW:
                return
            await asyncio.sleep(0.1)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def centre() -> AsyncIterator[Centre]:
    made = Centre(free_port())
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
