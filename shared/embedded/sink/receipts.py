"""Delivery receipts and replies from phones: calls to addresses with Kannel's %-escapes filled in."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote_plus

import aiohttp
from pydantic import BaseModel
from yarl import URL

from shared.embedded.sink.behaviour import Behaviour, Conduct
from shared.embedded.sink.store import Message
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

DELIVERED: Final = 1
UNDELIVERED: Final = 2
ACCEPTED: Final = 8
REJECTED: Final = 16
_REPLIES: Final[Mapping[int, str]] = {
    DELIVERED: "",
    UNDELIVERED: "NACK/UNDELIVERABLE",
    ACCEPTED: "ACK/",
    REJECTED: "NACK/REJECTED",
}
_CENTRE: Final = "sink"
_ESCAPE: Final = re.compile(r"%(.)", re.DOTALL)
_ATTEMPTS: Final = 20
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_SUCCESS: Final = range(200, 300)
_CONNECTIONS: Final = 50
_TIMEOUT_S: Final = 10
_SHOWN: Final = 1000
_log = get_logger(__name__)


class CallError(Exception):
    """The address could not be called; the cause says why."""


class ReplyAnswer(BaseModel):
    """What the called service said."""

    status: int
    body: str


@dataclass(frozen=True)
class ReceiptWish:
    """What the sender wants to hear: an address and a mask of types."""

    url: str
    mask: int


def filled(template: str, values: Mapping[str, str]) -> str:
    """The address with every known escape replaced by its URL-encoded value; `%%` is a percent sign, others stay."""
    known = {**values, "%": "%"}
    return _ESCAPE.sub(lambda found: _fill(found, known), template)


def _fill(found: re.Match[str], known: Mapping[str, str]) -> str:
    value = known.get(found[1])
    if value is None:
        return found[0]
    return value if found[1] == "%" else quote_plus(value)


class ReceiptCaller:
    """Calls back in the background, again and again for a while when the other side is down.

    Parameters
    ----------
    delay
        Seconds from acceptance to the receipts.
    user
        The account, for `%n`.
    """

    def __init__(self, clock: Clock, ids: Ids, *, delay: float, user: str) -> None:
        self._clock = clock
        self._ids = ids
        self._delay = delay
        self._user = user
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[None]] = set()

    def promise(self, message: Message, wish: ReceiptWish, rule: Behaviour) -> None:
        """Send the receipts that this conduct gives, later. Of those of one message, either may come first."""
        task = asyncio.create_task(self._send_all(message, wish, rule))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def reply(self, url: str, *, sender: str, to: str, text: str) -> ReplyAnswer:
        """Call the address of the reply service once, as for an SMS sent by a phone. Raises CallError."""
        values = self._values(self._clock.now(), sender=sender, to=to) | {
            "a": text,
            "b": text,
            "k": text.split(" ", 1)[0],
            "C": "UTF-8",
            "c": "0",
        }
        return await self._call(filled(url, values))

    async def close(self) -> None:
        """Drop what was not delivered yet."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _send_all(self, message: Message, wish: ReceiptWish, rule: Behaviour) -> None:
        await asyncio.sleep(self._delay + (rule.seconds if rule.do is Conduct.QUEUED else 0.0))
        for kind in _types(message, rule):
            if wish.mask & kind:
                await self._send(message, wish, kind)

    async def _send(self, message: Message, wish: ReceiptWish, kind: int) -> None:
        reply = _REPLIES[kind]
        values = self._values(self._clock.now(), sender=message.to, to=message.sender) | {
            "d": str(kind),
            "A": reply,
            "a": reply,
            "b": reply,
            "k": reply,
            "F": message.message_id,
            "R": wish.url,
            "n": self._user,
        }
        url = filled(wish.url, values)
        pause = _FIRST_PAUSE
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._call(url)
            except CallError as error:
                reason = repr(error.__cause__)
            else:
                if answer.status in _SUCCESS:
                    message.receipts.append(kind)
                    return
                reason = f"HTTP {answer.status}"
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        _log.warning("receipt.undeliverable", seq=message.seq, receipt=kind, reason=reason)

    async def _call(self, url: str) -> ReplyAnswer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
            )
        try:
            # The address is escaped already; escaping it again would change what it says.
            async with self._session.get(URL(url, encoded=True), allow_redirects=False) as answer:
                return ReplyAnswer(status=answer.status, body=(await answer.text(errors="replace"))[:_SHOWN])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise CallError(type(error).__name__) from error

    def _values(self, now: datetime, *, sender: str, to: str) -> dict[str, str]:
        # A receipt and a reply both travel from the phone, so the phone is their sender.
        return {
            "p": sender,
            "P": to,
            "q": sender,
            "Q": to,
            "i": _CENTRE,
            "I": str(self._ids.new()),
            "t": now.strftime("%Y-%m-%d %H:%M:%S"),
            "T": str(int(now.timestamp())),
        }


def _types(message: Message, rule: Behaviour) -> tuple[int, ...]:
    # Kannel promises no order between the two; here every second message has them reversed.
    usual = (ACCEPTED, DELIVERED) if message.seq % 2 else (DELIVERED, ACCEPTED)
    by_conduct = {
        Conduct.NO_RECEIPT: (),
        Conduct.UNDELIVERED: (ACCEPTED, UNDELIVERED),
        Conduct.REJECTED: (REJECTED,),
        Conduct.DUPLICATE_RECEIPTS: (ACCEPTED, DELIVERED, ACCEPTED, DELIVERED),
        Conduct.REVERSED_RECEIPTS: (DELIVERED, ACCEPTED),
    }
    return by_conduct.get(rule.do, usual)
