"""The sinks of a demonstration or test installation: what would have gone to phones and mailboxes."""

from typing import Any, Final

import httpx

_TIMEOUT_S: Final = 5.0


class SinkAwayError(Exception):
    """The sinks do not answer, or not with messages."""


class Sink:
    """Reads what the sinks received."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=base_url.rstrip("/"), timeout=_TIMEOUT_S)

    async def messages(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Messages with a `seq` above `since`. Raises SinkAwayError."""
        try:
            response = await self._http.get("/messages", params={"since": since, "limit": limit})
            response.raise_for_status()
            content = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SinkAwayError(f"the sinks do not answer: {type(error).__name__}") from error
        found = content.get("messages", []) if isinstance(content, dict) else content
        if not isinstance(found, list):
            raise SinkAwayError("the sinks answered something that is not a list of messages")
        return [message for message in found if isinstance(message, dict)]

    async def close(self) -> None:
        await self._http.aclose()
