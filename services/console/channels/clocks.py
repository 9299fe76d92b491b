"""Where clocks are explained: the escalator, which owns them. Nothing is changed from here."""

from typing import Any, Final
from uuid import UUID

import httpx

_TIMEOUT_S: Final = 10.0
_NOT_FOUND: Final = 404


class ClocksAwayError(Exception):
    """The escalator does not answer, or not with an explanation."""


class ClockReader:
    """Reads explanations with the console's key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S
        )

    async def explain(self, case_id: UUID) -> list[dict[str, Any]]:
        """The case under each plan with its clocks; empty when the key's organisation has none.

        Raises ClocksAwayError.
        """
        try:
            response = await self._http.get(f"/v1/cases/{case_id}/clocks")
            if response.status_code == _NOT_FOUND:
                return []
            response.raise_for_status()
            content = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ClocksAwayError(f"the escalator does not answer: {type(error).__name__}") from error
        found = content.get("cases") if isinstance(content, dict) else None
        if not isinstance(found, list):
            raise ClocksAwayError("the escalator answered something that is no explanation")
        return found

    async def close(self) -> None:
        await self._http.aclose()
