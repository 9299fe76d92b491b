"""Where rosters are read: the notifier, which owns them. Nothing is changed from here."""

from typing import Any, Final

import httpx

_TIMEOUT_S: Final = 10.0
_NOT_FOUND: Final = 404


class DutyAwayError(Exception):
    """The notifier does not answer, or not with a timetable."""


class DutyReader:
    """Reads timetables, findings and previews with the console's key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S
        )

    async def timetable(self, days: int) -> dict[str, Any] | None:
        """None when the organisation has no roster. Raises DutyAwayError."""
        return await self._get("/v1/roster/timetable", days)

    async def findings(self, days: int) -> dict[str, Any] | None:
        """None when the organisation has no roster. Raises DutyAwayError."""
        return await self._get("/v1/roster/findings", days)

    async def withheld(self) -> dict[str, Any]:
        """Messages that were kept back. Raises DutyAwayError."""
        return await self._needed("/v1/withheld")

    async def silences(self) -> dict[str, Any]:
        """Silences planned, running and past. Raises DutyAwayError."""
        return await self._needed("/v1/silences")

    async def preview(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """A message as it would be sent now, and who would get it. Raises DutyAwayError."""
        try:
            response = await self._http.post("/v1/messages/preview", json=wanted)
            response.raise_for_status()
            return _object(response.json())
        except (httpx.HTTPError, ValueError) as error:
            raise DutyAwayError(f"the notifier does not answer: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._http.aclose()

    async def _needed(self, path: str) -> dict[str, Any]:
        found = await self._get(path)
        if found is None:
            raise DutyAwayError(f"the notifier has no {path}")
        return found

    async def _get(self, path: str, days: int | None = None) -> dict[str, Any] | None:
        try:
            response = await self._http.get(path, params=None if days is None else {"days": days})
            if response.status_code == _NOT_FOUND:
                return None
            response.raise_for_status()
            content = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DutyAwayError(f"the notifier does not answer: {type(error).__name__}") from error
        return _object(content)


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise DutyAwayError("the notifier answered something that is no timetable")
    return content
