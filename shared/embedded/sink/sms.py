"""The SMS door: `/cgi-bin/sendsms` as Kannel's smsbox answers it (checked against Kannel 1.4.5 by the same tests)."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from shared.embedded.sink.behaviour import Behaviour, Behaviours, Conduct
from shared.embedded.sink.gsm import shown_text
from shared.embedded.sink.receipts import ReceiptCaller, ReceiptWish
from shared.embedded.sink.store import MessageStore
from shared.runtime.ids import Ids

_DIALLABLE: Final = frozenset("0123456789+-")
_LARGEST_BODY: Final = 64 * 1024
_HEADER: Final = "x-kannel-"
_BODY_TYPES: Final = frozenset({"text/plain", "application/octet-stream"})


class _RefusedError(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class _Order:
    sender: str
    recipients: tuple[str, ...]
    text: str
    receipt: ReceiptWish | None


class SmsDoor:
    """Accepts messages of one account and promises receipts as the behaviours say."""

    def __init__(
        self,
        store: MessageStore,
        behaviours: Behaviours,
        receipts: ReceiptCaller,
        ids: Ids,
        *,
        user: str,
        password: str,
    ) -> None:
        self._store = store
        self._behaviours = behaviours
        self._receipts = receipts
        self._ids = ids
        self._user = user
        self._password = password

    async def send(self, request: Request) -> Response:
        """Answer a GET with a query, or a POST with `X-Kannel-*` headers and the text as `text/plain` body."""
        try:
            order = self._read(request.method, await _fields(request))
            words = [await self._accept(order, recipient) for recipient in order.recipients]
        except _RefusedError as refused:
            return _answer(refused.status, str(refused))
        return _answer(202, max(words))

    def _read(self, method: str, fields: Mapping[str, bytes]) -> _Order:
        def word(name: str) -> str:
            return fields.get(name, b"").decode("utf-8", errors="replace")

        known = hmac.compare_digest(fields.get("username", b""), self._user.encode())
        if not (hmac.compare_digest(fields.get("password", b""), self._password.encode()) and known):
            raise _RefusedError(403, "Authorization failed for sendsms")
        if "to" not in fields:
            raise _RefusedError(400, "Missing receiver number, rejected")
        recipients = tuple(word("to").split())
        if not recipients:
            raise _RefusedError(400, "Empty receiver number not allowed, rejected")
        if not word("from"):
            raise _RefusedError(400, "Sender missing and no global set, rejected")
        if any(not set(recipient) <= _DIALLABLE for recipient in recipients):
            raise _RefusedError(400, "Number(s) has/have been denied by white- and/or black-lists.")
        try:
            text = shown_text(fields.get("text", b""), int(word("coding") or 0), word("charset") or None)
            mask = int(word("dlr-mask") or 0)
        except (ValueError, LookupError) as error:
            raise _RefusedError(400, f"Charset or body misformed, rejected ({method})") from error
        url = word("dlr-url")
        return _Order(word("from"), recipients, text, ReceiptWish(url, mask) if url and mask else None)

    async def _accept(self, order: _Order, recipient: str) -> str:
        rule = self._behaviours.decide("sms", recipient)
        await _refuse_when_scripted(rule)
        message = await self._store.add(
            "sms", to=recipient, sender=order.sender, text=order.text, message_id=str(self._ids.new())
        )
        if order.receipt is not None:
            self._receipts.promise(message, order.receipt, rule)
        if rule.do is Conduct.SLOW:
            await asyncio.sleep(rule.seconds)
        return "3: Queued for later delivery" if rule.do is Conduct.QUEUED else "0: Accepted for delivery"


async def _refuse_when_scripted(rule: Behaviour) -> None:
    if rule.do is Conduct.HANG:
        await asyncio.sleep(rule.seconds)
        raise _RefusedError(503, "Temporal failure, try again later.")
    if rule.do is Conduct.BUSY:
        raise _RefusedError(rule.code or 503, "Temporal failure, try again later.")
    if rule.do is Conduct.REFUSE:
        raise _RefusedError(rule.code or 400, "Number(s) has/have been denied by white- and/or black-lists.")


async def _fields(request: Request) -> dict[str, bytes]:
    """The request's fields as bytes: their charset is one of the fields."""
    if request.method == "GET":
        pairs = parse_qsl(request.url.query, keep_blank_values=True, encoding="latin-1", max_num_fields=50)
        return {name: value.encode("latin-1") for name, value in pairs}
    content_type = Message()
    content_type["content-type"] = request.headers.get("content-type", "")
    if content_type.get_content_type() not in _BODY_TYPES or "content-type" not in request.headers:
        raise _RefusedError(400, "Invalid content-type")
    fields = {
        name.removeprefix(_HEADER): value.encode("latin-1")
        for name, value in request.headers.items()
        if name.startswith(_HEADER)
    }
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise _RefusedError(413, "Text too long, rejected")
    charset = content_type.get_content_charset()
    return fields | {"text": body} | ({"charset": charset.encode()} if charset else {})


def _answer(status: int, words: str) -> Response:
    return Response(words, status, media_type="text/html")
