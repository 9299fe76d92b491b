"""The door people's decisions leave through: intake, the one place where anything enters."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx

_TIMEOUT_S: Final = 10.0


class IntakeAwayError(Exception):
    """Intake does not answer. Whether it registered the request is not known."""


@dataclass(frozen=True, slots=True)
class IntakeAnswer:
    """What intake said. `body` is its JSON, empty when it sent none."""

    status: int
    body: dict[str, Any]

    @property
    def accepted(self) -> bool:
        return self.status < 300  # noqa: PLR2004  # HTTP's own boundary of success


class Intake:
    """Posts to intake with the console's key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S
        )

    async def command(self, case_id: UUID, body: dict[str, Any]) -> IntakeAnswer:
        """Raises IntakeAwayError."""
        return await self._post(f"/v1/cases/{case_id}/commands", body)

    async def replay(self, body: dict[str, Any]) -> IntakeAnswer:
        """Raises IntakeAwayError."""
        return await self._post("/v1/replays", body)

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, path: str, body: dict[str, Any]) -> IntakeAnswer:
        try:
            response = await self._http.post(path, json=body)
        except httpx.HTTPError as error:
            raise IntakeAwayError(f"intake does not answer: {type(error).__name__}") from error
        try:
            content = response.json()
        except ValueError:
            content = {}
        return IntakeAnswer(response.status_code, content if isinstance(content, dict) else {})
