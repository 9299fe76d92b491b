"""What has arrived, newest kept, in memory and optionally appended to a file."""

import asyncio
import re
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.runtime.clock import Clock

NEWEST_KEPT: Final = 10_000
BYTES_KEPT: Final = 64 * 1024 * 1024
_TEXT_KEPT: Final = 100_000
_LINK: Final = re.compile(r"https?://[^\s<>\"'，。；！？、）】》]+")
_TRAILING: Final = ".,;:!?)]}"

Kind = Literal["mail", "sms"]


class Message(BaseModel):
    """One message for one recipient. `seq` grows by one with each and is never used twice by a running sink.

    `receipts` holds the delivery reports answered with a 2xx so far, as Kannel's types: 1 delivered, 2 undelivered,
    8 accepted by the message centre, 16 rejected by it.
    """

    model_config = ConfigDict(populate_by_name=True)

    seq: int
    kind: Kind
    to: str
    sender: Annotated[str, Field(alias="from")]
    subject: str | None
    text: str
    html: str | None
    received_at: datetime
    links: list[str]
    message_id: str
    receipts: list[int] = Field(default_factory=list)


class MessageStore:
    """Keeps the newest 10 000 messages, fewer when they are very large; older ones are dropped.

    Parameters
    ----------
    clock
        Stamps `received_at`, aware and in UTC.
    journal
        A file to which each message is appended as one line of JSON before it counts as received.
    """

    def __init__(self, clock: Clock, journal: Path | None = None) -> None:
        self._clock = clock
        self._journal = journal.open("a", encoding="utf-8") if journal is not None else None
        self._kept: deque[Message] = deque()
        self._bytes = 0
        self._last = 0
        self._arrived = asyncio.Condition()

    async def add(
        self,
        kind: Kind,
        *,
        to: str,
        sender: str,
        text: str,
        message_id: str,
        subject: str | None = None,
        html: str | None = None,
    ) -> Message:
        """Keep a message; texts are cut at 100 000 characters. Raises OSError when the journal cannot be written."""
        message = Message(
            seq=self._last + 1,
            kind=kind,
            to=to,
            sender=sender,
            subject=subject,
            text=text[:_TEXT_KEPT],
            html=html[:_TEXT_KEPT] if html is not None else None,
            received_at=self._clock.now(),
            links=links_in(text, html or ""),
            message_id=message_id,
        )
        if self._journal is not None:
            self._journal.write(f"{message.model_dump_json(by_alias=True, exclude={'receipts'})}\n")
            self._journal.flush()
        self._last = message.seq
        self._kept.append(message)
        self._bytes += _size(message)
        while len(self._kept) > NEWEST_KEPT or self._bytes > BYTES_KEPT:
            self._bytes -= _size(self._kept.popleft())
        async with self._arrived:
            self._arrived.notify_all()
        return message

    def since(self, seq: int = 0, *, to: str | None = None, limit: int = 1000) -> list[Message]:
        """Messages after `seq`, oldest first, at most `limit`, of one recipient when asked."""
        found: list[Message] = []
        for message in self._kept:
            if len(found) == limit:
                break
            if message.seq > seq and (to is None or message.to == to):
                found.append(message)
        return found

    async def wait_since(self, seq: int, seconds: float, *, to: str | None = None, limit: int = 1000) -> list[Message]:
        """As `since`, but waits up to this long for the first message."""
        found = self.since(seq, to=to, limit=limit)
        if found or seconds <= 0:
            return found
        try:
            async with asyncio.timeout(seconds), self._arrived:
                await self._arrived.wait_for(lambda: bool(self.since(seq, to=to, limit=1)))
        except TimeoutError:
            return []
        return self.since(seq, to=to, limit=limit)

    def clear(self) -> None:
        """Forget all messages; numbering goes on."""
        self._kept.clear()
        self._bytes = 0

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()


def links_in(*texts: str) -> list[str]:
    """Web addresses in order of appearance, each once, without the punctuation of the sentence around them."""
    found = [match.rstrip(_TRAILING) for text in texts for match in _LINK.findall(text.replace("&amp;", "&"))]
    return list(dict.fromkeys(found))


def _size(message: Message) -> int:
    return 4 * (len(message.text) + len(message.html or "")) + 1000
