"""What the sinks of a demonstration received, newest first, with the links that may be followed."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from services.console.channels.sink import Sink, SinkAwayError

_SHOWN: Final = 100
_FETCHED: Final = 1000


@dataclass(frozen=True, slots=True)
class Messages:
    """`problem` is "none" without sinks, else what they did wrong; None when all is well."""

    messages: list[dict[str, Any]]
    problem: str | None


async def read_messages(sink: Sink | None) -> Messages:
    """Reads everything the sinks keep, and shows the newest."""
    if sink is None:
        return Messages([], "none")
    found: list[dict[str, Any]] = []
    since = 0
    try:
        while True:
            page = await sink.messages(since, _FETCHED)
            found = (found + page)[-_SHOWN:]
            following = max((_number(message) for message in page), default=since)
            if len(page) < _FETCHED or following <= since:
                break
            since = following
    except SinkAwayError as error:
        return Messages([], str(error))
    return Messages([_safe(message) for message in sorted(found, key=_number, reverse=True)], None)


def _number(message: dict[str, Any]) -> int:
    seq = message.get("seq")
    return seq if isinstance(seq, int) else 0


def _safe(message: dict[str, Any]) -> dict[str, Any]:
    links = message.get("links")
    named = links if isinstance(links, list) else []
    return {
        "seq": _number(message),
        "kind": "mail" if message.get("kind") == "mail" else "sms",
        "to": _joined(message.get("to")),
        "from": _joined(message.get("from")),
        "subject": str(message.get("subject") or ""),
        "text": str(message.get("text") or ""),
        "received_at": str(message.get("received_at") or ""),
        "links": [link for link in named if isinstance(link, str) and _followable(link)],
    }


def _joined(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value or "")


def _followable(link: str) -> bool:
    try:
        return urlsplit(link).scheme in {"http", "https"}
    except ValueError:
        return False


__all__ = ["Messages", "Sink", "read_messages"]
