"""What a scenario must bring about, and whether it did: read from the sinks and the console like any visitor."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from services.line.whole_line import RunningLine
from shared.runtime.clock import monotonic

_POLL_S: Final = 0.1


@dataclass
class Outcome:
    """One expectation and how it ended. `seconds` from when it was first asked for."""

    what: str
    met: bool
    seconds: float
    seen: str = ""


@dataclass
class Watcher:
    """Asks the line over HTTP only: sinks for messages, console for cases."""

    line: RunningLine
    console: httpx.AsyncClient
    intake: httpx.AsyncClient
    sink: httpx.AsyncClient
    notifier: httpx.AsyncClient
    outcomes: list[Outcome] = field(default_factory=list)
    _messages: list[dict[str, Any]] = field(default_factory=list)
    _read: int | None = None

    @classmethod
    def of(cls, line: RunningLine) -> "Watcher":
        headers = {"Authorization": f"Bearer {line.values.operator_key}"}
        layout = line.layout

        def client(url: str) -> httpx.AsyncClient:
            return httpx.AsyncClient(base_url=url, headers=headers, timeout=20.0)

        return cls(
            line,
            client(layout.url_of("console")),
            client(layout.url_of("intake")),
            client(layout.sink_url),
            client(layout.url_of("notifier")),
        )

    async def skip_old_messages(self) -> None:
        """Count only what arrives from now on: an earlier run's messages may still be in the sink."""
        await self._read_messages()
        self._messages.clear()

    async def messages(self, *needles: str) -> list[dict[str, Any]]:
        """Messages that carry all these texts, oldest first."""
        await self._read_messages()
        return [m for m in self._messages if all(needle in f"{m['subject']} {m['text']}" for needle in needles)]

    async def _read_messages(self) -> None:
        while page := (await self.sink.get("/messages", params={"since": self._read or 0, "limit": 1000})).json():
            self._messages.extend(page)
            self._read = page[-1]["seq"]

    async def case(self, number: str) -> dict[str, Any] | None:
        answer = await self.console.get("/v1/cases", params={"q": number})
        answer.raise_for_status()
        return next((case for case in answer.json()["cases"] if case["number"] == number), None)

    async def warning_on(self, topic: str) -> dict[str, Any] | None:
        """The newest warning case about a topic."""
        answer = await self.console.get("/v1/cases", params={"kind": "warning", "q": topic})
        answer.raise_for_status()
        found = [case for case in answer.json()["cases"] if case["topic"] == topic]
        return max(found, key=lambda case: str(case["opened_at"]), default=None)

    async def on_duty(self, role: str) -> set[str]:
        """Telephone numbers and mail addresses of the people on duty in a role now."""
        answer = await self.notifier.get("/v1/roster/on-duty", params={"role": role})
        answer.raise_for_status()
        return {address for person in answer.json()["on_duty"] for address in person["contacts"].values()}

    async def expect(self, what: str, condition: Callable[[], Awaitable[Any]], *, within: float = 20.0) -> Any:
        """Wait for the condition and note the outcome; its first true answer, or None when the time was over."""
        began = monotonic()
        while True:
            found = await condition()
            seconds = monotonic() - began
            if found or seconds > within:
                self.outcomes.append(Outcome(what, bool(found), seconds))
                return found
            await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        for client in (self.console, self.intake, self.sink, self.notifier):
            await client.aclose()
