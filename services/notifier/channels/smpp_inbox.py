"""What a message centre brings over our own connection goes to intake's doors before the centre hears that we have it.

Everything from outside enters through intake; the connection, though, is the notifier's. So the notifier is a
gateway here, as any HTTP gateway would be: it calls the attempt's receipt address, or the door for text messages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from services.notifier.channels.http_channel import json_body
from services.notifier.channels.http_client import HttpClient, NoAnswerError, NotSentError, UnusableAnswerError
from services.notifier.domain.smpp_pdu import NEVER, NOT_NOW, OK
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_FOUND_OUT_WITHIN: Final = (0.0, 0.2, 1.0, 2.0)
_BAD_REQUEST: Final = 400
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500

FindAddress = Callable[[Sequence[str]], Awaitable[str | None]]


class SmppInbox:
    """`find_address` looks in the ledger for messages of an earlier process or another replica."""

    def __init__(
        self,
        provider: str,
        *,
        intake: str,
        key: str | None,
        find_address: FindAddress,
        timeout: timedelta,
        connections: int = 20,
    ) -> None:
        self._provider = provider
        self._texts = f"{intake}/v1/sms/kannel"
        self._key = key
        self._find_address = find_address
        self._http = HttpClient(timeout=timeout, connections=connections)

    async def receipt(self, address: str | None, ids: tuple[str, ...], status: str, code: str | None) -> int:
        """OK once intake has it; not now while intake is away, so that the centre brings it again."""
        # A receipt may overtake the record of its message's acceptance, when another replica sent it.
        for pause in _FOUND_OUT_WITHIN:
            if address is not None:
                break
            await asyncio.sleep(pause)
            address = await self._find_address(ids)
        if address is None:
            _log.warning("smpp.receipt_of_nothing_known", provider=self._provider, status=status)
            return NEVER
        fields = {"status": status, "message_id": ids[0], "channel": "sms"} | ({"code": code} if code else {})
        return await self._posted(address, json_body(fields), {"content-type": "application/json"})

    async def text(self, sender: str, receiver: str, text: str) -> int:
        """A text message of a person."""
        if self._key is None:
            _log.warning("smpp.no_key_for_texts", provider=self._provider)
            return NEVER
        query = urlencode({"from": sender, "to": receiver, "text": text})
        return await self._posted(f"{self._texts}?{query}", b"", {"authorization": f"Bearer {self._key}"})

    async def close(self) -> None:
        await self._http.close()

    async def _posted(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            answer = await self._http.post(url, content=body, headers=headers)
        except (NoAnswerError, NotSentError, UnusableAnswerError) as error:
            _log.warning("smpp.intake_away", provider=self._provider, reason=str(error))
            return NOT_NOW
        if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY:
            return NOT_NOW
        if answer.status >= _BAD_REQUEST:
            _log.warning("smpp.intake_refuses", provider=self._provider, status=answer.status)
            return NEVER
        return OK
