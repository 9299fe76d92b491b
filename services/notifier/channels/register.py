"""The register, asked where a complainant wants to be told."""

from typing import Final
from uuid import UUID

import httpx

from services.notifier.domain.complainant_notices import Address
from shared.contracts.values import ChannelKind

_TIMEOUT_S: Final = 5.0
_NOT_FOUND: Final = 404


class RegisterAwayError(Exception):
    """Intake does not answer, or not in its form."""


class Register:
    """Asks intake with a key of the scope `address`. No retries, nothing is kept."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}

    async def address(self, case_id: UUID) -> Address | None:
        """None when the complainant did not ask to be told. Raises RegisterAwayError."""
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, headers=self._headers) as client:
                answer = await client.get(f"{self._base}/v1/cases/{case_id}/complainant-address")
            if answer.status_code == _NOT_FOUND:
                return None
            answer.raise_for_status()
            found = answer.json()
            return Address(ChannelKind(found["channel"]), str(found["to"]), "en" if found["language"] == "en" else "zh")
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise RegisterAwayError(type(error).__name__) from error
