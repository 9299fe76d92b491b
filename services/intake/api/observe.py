"""Counts requests by route and status, as one thin ASGI layer."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.metrics import HTTP_REQUESTS

_NAMED: Final = frozenset(
    {"complaints", "complaints:batch", "incidents", "incidents:batch", "events", "hooks", "cases", "receipts"}
    | {"quarantine", "replays", "sms"}
)


class CountRequests:
    """Wraps the application. Routes are known by their first words: ids and tokens never become labels."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                HTTP_REQUESTS.labels(_route_of(scope["path"]), message["status"]).inc()
            await send(message)

        await self._app(scope, receive, counted)


def _route_of(path: str) -> str:
    words = path.split("/", 3)
    if len(words) > 2 and words[1] == "v1" and words[2] in _NAMED:  # noqa: PLR2004  # "", "v1", name
        return words[2]
    return "acknowledge" if path.startswith("/a/") else "other"
