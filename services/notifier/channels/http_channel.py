"""A provider that is called by one HTTP request a message: the dialect writes the request and reads the answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from services.notifier.channels.channel import Accepted, OutgoingMessage, Reject, Reply, Retry
from services.notifier.channels.http_client import HttpAnswer, HttpClient
from services.notifier.channels.http_reply import answered
from services.notifier.domain.delivery import Answer
from services.notifier.domain.words import clean
from shared.contracts.values import ChannelKind

_MAX_ID: Final = 200
_SHOWN: Final = 200
_MAX_CODE: Final = 60


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A POST. `query` is sent as it stands, already encoded."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


class Dialect(Protocol):
    """What one provider wants to be asked, and what its answers mean."""

    @property
    def kind(self) -> ChannelKind: ...

    def call(self, message: OutgoingMessage) -> HttpCall | Reject: ...

    def judge(self, response: HttpAnswer) -> Reply: ...


class HttpChannel:
    """One provider under one name."""

    def __init__(self, name: str, dialect: Dialect, *, timeout: timedelta, connections: int) -> None:
        self._name = name
        self._dialect = dialect
        self._http = HttpClient(timeout=timeout, connections=connections)

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> ChannelKind:
        return self._dialect.kind

    async def send(self, message: OutgoingMessage) -> Reply:
        """The dialect's judgement; a message it cannot put into words is rejected without a call."""
        call = self._dialect.call(message)
        if isinstance(call, Reject):
            return call
        url = f"{call.url}?{call.query}" if call.query else call.url
        return await answered(self._http.post(url, content=call.body, headers=call.headers), self._dialect.judge)

    async def close(self) -> None:
        await self._http.close()


def json_body(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


def object_of(response: HttpAnswer) -> dict[str, Any]:
    """The JSON object in the answer; an empty one for anything else."""
    try:
        said = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def accepted(identifier: object, code: object) -> Accepted:
    """Accepted with the provider's id, when it is usable as one."""
    usable = isinstance(identifier, str | int) and not isinstance(identifier, bool) and str(identifier).isprintable()
    return Accepted(str(identifier)[:_MAX_ID] if usable and identifier != "" else None, str(code)[:_MAX_CODE])


def not_accepted(answer: Answer, code: object, words: object, *, after: timedelta = timedelta()) -> Retry | Reject:
    """Retry or Reject with the provider's code and words, made harmless."""
    shown_code = clean(str(code), _MAX_CODE)
    why = f"{shown_code} {clean(str(words or ''), _SHOWN)}".strip()
    if answer is Answer.PERMANENT:
        return Reject(why, shown_code)
    return Retry(after, why, shown_code, answer)
