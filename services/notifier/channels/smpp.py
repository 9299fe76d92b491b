"""SMS through a message centre by SMPP 3.4 or 5.0, as a transceiver.

`run` keeps one link bound, also when nothing is sent: receipts come over it. A message waits a little for the link
and for a place in the window; once it was written, silence means "not known".
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from services.notifier.channels.channel import Accepted, OutgoingMessage, Reject, Reply, Retry
from services.notifier.channels.smpp_link import BindRefusedError, Centre, LinkLostError, SmppLink
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import smpp_answer
from services.notifier.domain.smpp_pdu import (
    NEVER,
    QUEUE_FULL,
    SUBMIT_SM,
    THROTTLED,
    Address,
    Delivery,
    Pdu,
    SmppFormatError,
    Submission,
    bind_body,
    read_message_id,
    submit_body,
)
from services.notifier.domain.smpp_receipt import ReceiptIds, read_receipt, submitted_ids
from services.notifier.domain.smpp_text import LongTexts, Part, decoded, parts_of
from shared.contracts.values import ChannelKind
from shared.runtime.clock import monotonic
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_EVERY_OUTCOME: Final = 1
_FAILURES: Final = 2
_REMEMBERED: Final = 100_000
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 30.0
_MAX_ID: Final = 200
# Of the time for one message: for the link and the window, and for everything.
_BEFORE_WRITING: Final = 0.4
_ALTOGETHER: Final = 0.9


@dataclass(frozen=True, slots=True)
class SmppOptions:
    """What a centre's operator tells. `window`: requests that may await their answers at once."""

    centre: Centre
    system_id: str
    password: str
    sender: str
    system_type: str = ""
    version: int = 0x34
    window: int = 10
    long_texts: LongTexts = LongTexts.UDH
    receipt_ids: ReceiptIds = ReceiptIds.SAME


class Inbox(Protocol):
    """Where what comes in is handed on. Both answer with the status of the response to the centre."""

    async def receipt(self, address: str | None, ids: tuple[str, ...], status: str, code: str | None) -> int: ...

    async def text(self, sender: str, receiver: str, text: str) -> int: ...


class _NotWrittenError(Exception):
    """Nothing of this request left."""


@dataclass(frozen=True, slots=True)
class _Patience:
    """What is left of the time for one message, in seconds."""

    limit: float
    since: float

    def before_writing(self) -> float:
        return max(0.0, self.limit * _BEFORE_WRITING - (monotonic() - self.since))

    def left(self) -> float:
        return max(0.0, self.limit * _ALTOGETHER - (monotonic() - self.since))


class SmppChannel:
    """One account at one centre."""

    def __init__(self, name: str, options: SmppOptions, inbox: Inbox, *, timeout: timedelta) -> None:
        self._name = name
        self._options = options
        self._inbox = inbox
        self._timeout = timeout.total_seconds()
        self._bind = bind_body(
            system_id=options.system_id,
            password=options.password,
            system_type=options.system_type,
            version=options.version,
        )
        self._window = asyncio.Semaphore(options.window)
        self._link: SmppLink | None = None
        self._is_bound = asyncio.Event()
        self._addresses: OrderedDict[str, str] = OrderedDict()
        self._paused_until = 0.0
        self._pause = 0.0
        self._reference = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.SMS

    @property
    def bound(self) -> bool:
        """True while the centre has us bound."""
        return self._is_bound.is_set()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the link until `stop`, opening it again ever more slowly while the centre is away."""
        wait = _FIRST_WAIT_S
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    link, serving = await SmppLink.bound(self._options.centre, self._bind, self._take)
                except (BindRefusedError, LinkLostError, OSError, TimeoutError) as error:
                    _log.warning("smpp.not_bound", provider=self._name, reason=repr(error), wait_s=wait)
                    await asyncio.wait([stopping], timeout=wait)
                    wait = min(wait * 2, _LONGEST_WAIT_S)
                    continue
                wait = _FIRST_WAIT_S
                await self._hold(link, serving, stopping)
        finally:
            stopping.cancel()

    async def _hold(self, link: SmppLink, serving: asyncio.Task[None], stopping: asyncio.Task[bool]) -> None:
        """Use this link until it ends or we do."""
        self._link = link
        self._is_bound.set()
        _log.info("smpp.bound", provider=self._name)
        try:
            await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                await link.unbind()
        finally:
            self._is_bound.clear()
            self._link = None
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def send(self, message: OutgoingMessage) -> Reply:
        """Accepted when the centre took every part; its id is that of the last one."""
        self._reference += 1
        try:
            parts = parts_of(message.text.sms, reference=self._reference, long_texts=self._options.long_texts)
            bodies = [self._body(message.to, part, is_last=part is parts[-1]) for part in parts]
        except (SmppFormatError, ValueError) as error:
            return Reject(f"no short message can be made of this: {error}")
        patience = _Patience(self._timeout, monotonic())
        waiting = self._paused_until - monotonic()
        if waiting > patience.before_writing():
            return Retry(timedelta(seconds=waiting), "the centre throttles us", answer=Answer.TRANSIENT)
        await asyncio.sleep(max(0.0, waiting))
        try:
            async with asyncio.timeout(patience.before_writing()):
                await self._is_bound.wait()
        except TimeoutError:
            return Retry(timedelta(), "not bound to the message centre", answer=Answer.TRANSIENT)
        return await self._submitted(bodies, message.receipt_url, patience)

    async def close(self) -> None:
        """The link ends with `run`."""

    async def _submitted(self, bodies: list[bytes], receipt_url: str, patience: _Patience) -> Reply:
        answers: list[Pdu] = []
        for body in bodies:
            try:
                answers.append(await self._submit(body, receipt_url, patience))
            except _NotWrittenError as error:
                if answers:
                    return _partly(str(error))
                return Retry(timedelta(), str(error), answer=Answer.TRANSIENT)
            except (LinkLostError, TimeoutError) as error:
                return Retry(timedelta(), f"no answer from the centre: {type(error).__name__}", answer=Answer.UNKNOWN)
            if answers[-1].status:
                refusal = self._refusal(answers[-1].status)
                return refusal if len(answers) == 1 else _partly(refusal.why)
        self._pause = 0.0
        return Accepted(_message_id(answers[-1]) or None, "0")

    async def _submit(self, body: bytes, receipt_url: str, patience: _Patience) -> Pdu:
        """The response, which is also noted for the receipt when it comes after our patience is over."""
        try:
            async with asyncio.timeout(patience.before_writing()):
                await self._window.acquire()
        except TimeoutError as error:
            raise _NotWrittenError("the window of the message centre stays full") from error
        try:
            link = self._link
            if link is None or link.lost:
                raise _NotWrittenError("the connection is closed")
            answer = link.submit(SUBMIT_SM, body)
            answer.add_done_callback(lambda done: self._note(done, receipt_url))
            await link.flushed()
            async with asyncio.timeout(patience.left()):
                return await asyncio.shield(answer)
        finally:
            self._window.release()

    def _note(self, answer: asyncio.Future[Pdu], receipt_url: str) -> None:
        if answer.cancelled() or answer.exception() is not None:
            return
        message_id = _message_id(answer.result())
        if message_id:
            self._addresses[message_id] = receipt_url
            if len(self._addresses) > _REMEMBERED:
                self._addresses.popitem(last=False)

    def _refusal(self, status: int) -> Retry | Reject:
        answer = smpp_answer(status)
        why, code = f"the centre answered 0x{status:08X}", f"0x{status:X}"
        if answer is Answer.PERMANENT:
            return Reject(why, code)
        after = timedelta()
        if status in {THROTTLED, QUEUE_FULL}:
            now = monotonic()
            if now >= self._paused_until:
                self._pause = min(max(self._pause * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                self._paused_until = now + self._pause
            after = timedelta(seconds=self._paused_until - now)
        return Retry(after, why, code, answer)

    def _body(self, to: str, part: Part, *, is_last: bool) -> bytes:
        # A failure of any part matters, success only of the last one.
        return submit_body(
            Submission(
                source=_address(self._options.sender),
                destination=_address(to),
                content=part.content,
                coding=part.coding,
                esm_class=part.esm_class,
                receipt=_EVERY_OUTCOME if is_last else _FAILURES,
                tlvs=dict(part.tlvs),
                payload=part.payload,
            )
        )

    async def _take(self, delivery: Delivery) -> int:
        if not delivery.is_receipt:
            return await self._inbox.text(
                delivery.source, delivery.destination, decoded(delivery.content, delivery.coding)
            )
        receipt = read_receipt(delivery)
        if receipt is None:
            _log.warning("smpp.receipt_without_id", provider=self._name)
            return NEVER
        ids = submitted_ids(receipt.message_id, self._options.receipt_ids)
        address = next((self._addresses[one] for one in ids if one in self._addresses), None)
        return await self._inbox.receipt(address, ids, receipt.status, receipt.code)


def _partly(why: str) -> Retry:
    return Retry(timedelta(), f"only some parts were taken: {why}", answer=Answer.UNKNOWN)


def _message_id(answer: Pdu) -> str:
    try:
        return read_message_id(answer.body)[:_MAX_ID] if not answer.status else ""
    except SmppFormatError:
        return ""


def _address(number: str) -> Address:
    """International with a plus; letters are a name; short numbers and national ones as they stand."""
    if number.startswith("+"):
        return Address(number[1:], 1, 1)
    return Address(number, 0, 1) if number.isdigit() else Address(number, 5, 0)
