"""The notifier, asked who has a telephone number, who is on duty, and which message a provider speaks of."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx

_TIMEOUT_S: Final = 5.0
_NOT_FOUND: Final = 404


class DeskAwayError(Exception):
    """The notifier does not answer, or not in its form."""


@dataclass(frozen=True, slots=True)
class Page:
    """A case that somebody was told of."""

    case_id: UUID
    plan: str
    person: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The first of the people who have a number, and what they all were told of."""

    person: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Survivor:
    """The case that goes on for one that was merged; its number where the notifier has told somebody of it."""

    case_id: UUID
    number: str | None


class NotifierDesk:
    """Asks with one key. No retries, nothing is kept."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        # Reading the certificates takes longer than a question.
        self._tls = httpx.create_ssl_context()

    async def addresses(self, provider: str, message_ids: Sequence[str]) -> dict[str, str]:
        """The signed address of each message that is known, by the provider's id. Raises DeskAwayError."""
        async with self._asking() as client:
            wanted = {"provider": provider, "message_ids": list(message_ids)}
            answer = await client.post("/v1/receipt-addresses", json=wanted)
            answer.raise_for_status()
            return {str(message): str(token) for message, token in answer.json()["addresses"].items()}

    async def fills(self, org: str, role: str, person: str) -> bool | None:
        """Whether the person is on duty for the role now; None where the roster cannot tell. Raises DeskAwayError."""
        async with self._asking() as client:
            answer = await client.get("/v1/roster/on-duty", params={"role": role})
            if answer.status_code == _NOT_FOUND:
                return None
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            on_duty = {str(one["person"]) for one in found["on_duty"] if one["person"] is not None}
            return person in on_duty if found["organisation"] == org and on_duty else None

    async def reply(
        self, org: str, sender: str, wish: str, *, number: str | None = None, case_id: UUID | None = None
    ) -> Owner | None:
        """Who has the number, and what they were paged for; None when nobody has it. Raises DeskAwayError.

        `wish` is what was asked about everything, or `one-case` for the case of `number` and `case_id`.
        """
        asked = {"org": org, "sender": sender, "wish": wish, "number": number}
        async with self._asking() as client:
            answer = await client.post("/v1/replies", json=asked | {"case_id": str(case_id) if case_id else None})
            if answer.status_code == _NOT_FOUND:
                return None
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            pages = tuple(Page(UUID(one["case_id"]), one["plan"], one["person"]) for one in found["pages"])
            return Owner(str(found["person"]), pages)

    async def survivor(self, case_id: UUID, plan: str | None) -> Survivor | None:
        """Which case goes on for a merged one; None for one that stands by itself. Raises DeskAwayError."""
        async with self._asking() as client:
            asked = {"plan": plan} if plan else {}
            answer = await client.get(f"/v1/cases/{case_id}/survivor", params=asked)
            if answer.status_code == _NOT_FOUND:
                return None
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            number = found["number"]
            return Survivor(UUID(found["case_id"]), str(number) if number is not None else None)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[httpx.AsyncClient]:
        """One question. What goes wrong with it or with reading its answer is a DeskAwayError."""
        try:
            async with httpx.AsyncClient(
                base_url=self._base, timeout=_TIMEOUT_S, headers=self._headers, verify=self._tls
            ) as client:
                yield client
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeskAwayError(type(error).__name__) from error
