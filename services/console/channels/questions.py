"""Another service, asked with the console's key for what only it knows. Nothing is changed from here."""

from typing import Any, Final

import httpx

_TIMEOUT_S: Final = 10.0
_NOT_FOUND: Final = 404


class AwayError(Exception):
    """The service does not answer, or not with what was asked for."""


class Questions:
    """Asks one service. `service` is what its errors call it."""

    def __init__(self, service: str, base_url: str, key: str) -> None:
        self._service = service
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S
        )

    async def get(self, path: str, **params: int | str) -> dict[str, Any] | None:
        """None when the service has no such thing. Raises AwayError."""
        return await self._ask(self._http.build_request("GET", path, params=params or None))

    async def needed(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What has to be there; with a body it is asked by POST. Raises AwayError."""
        found = await self._ask(self._http.build_request("GET" if body is None else "POST", path, json=body))
        if found is None:
            raise AwayError(f"the {self._service} has no {path}")
        return found

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, request: httpx.Request) -> dict[str, Any] | None:
        try:
            response = await self._http.send(request)
            if response.status_code == _NOT_FOUND:
                return None
            response.raise_for_status()
            content = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise AwayError(f"the {self._service} does not answer: {type(error).__name__}") from error
        if not isinstance(content, dict):
            raise AwayError(f"the {self._service} answered something that is no object")
        return content
