"""A signed JSON webhook, for voice, chat or any provider behind a small bridge.

The receiver checks `Fenghuo-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA-256 over `<t>.<body>` with the shared
secret, and drops what it has seen under the same `Idempotency-Key` and what is older than it likes. It reports to
`receipt_url` (`{"status": "delivered"}`) and, for a call, posts the pressed key to `key_url` (`{"key": "1"}`).
"""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Final

from services.notifier.channels.channel import Accepted, OutgoingMessage, Reply
from services.notifier.channels.http_channel import object_of
from services.notifier.channels.http_client import HttpAnswer, HttpClient
from services.notifier.channels.http_reply import answered, refused
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import http_answer
from shared.contracts.values import ChannelKind
from shared.runtime.clock import Clock

_MAX_ID: Final = 200


class Webhook:
    """One receiver for one channel."""

    def __init__(
        self,
        url: str,
        *,
        kind: ChannelKind,
        secret: bytes,
        clock: Clock,
        timeout: timedelta,
        connections: int,
        name: str | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("a webhook's address must begin with http:// or https://")
        self._url = url
        self._kind = kind
        self._secret = secret
        self._clock = clock
        self._name = name or f"{kind.value}-webhook"
        self._http = HttpClient(timeout=timeout, connections=connections)

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> ChannelKind:
        return self._kind

    async def send(self, message: OutgoingMessage) -> Reply:
        """Accepted on any 2xx, and on 409: the receiver has this key already."""
        body = json.dumps(
            {
                "id": message.token,
                "attempt": str(message.attempt_id),
                "case": str(message.case_id),
                "channel": self._kind.value,
                "to": message.to,
                "subject": message.text.headline,
                "text": message.text.spoken if self._kind is ChannelKind.VOICE else message.text.plain,
                "link": message.link,
                "receipt_url": message.receipt_url,
                "key_url": message.key_url,
                "drill": message.drill,
            },
            ensure_ascii=False,
        ).encode()
        at = str(int(self._clock.now().timestamp()))
        signature = hmac.new(self._secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "idempotency-key": message.token,
            "fenghuo-signature": f"t={at},v1={signature}",
        }
        return await answered(self._http.post(self._url, content=body, headers=headers), _judge)

    async def close(self) -> None:
        await self._http.close()


def _judge(response: HttpAnswer) -> Reply:
    answer = http_answer(response.status)
    if answer is not Answer.ACCEPTED:
        return refused(response, answer)
    return Accepted(provider_id=_identifier(response), code=str(response.status))


def _identifier(response: HttpAnswer) -> str | None:
    found = object_of(response).get("id")
    return found[:_MAX_ID] if isinstance(found, str) and found.isprintable() else None
