"""Where rosters are read: the notifier, which owns them."""

from typing import Any

from services.console.channels.questions import Questions


class DutyReader:
    """Reads timetables, findings and previews with the console's key. Everything raises AwayError."""

    def __init__(self, base_url: str, key: str) -> None:
        self._notifier = Questions("notifier", base_url, key)

    async def timetable(self, days: int) -> dict[str, Any] | None:
        """None when the organisation has no roster."""
        return await self._notifier.get("/v1/roster/timetable", days=days)

    async def findings(self, days: int) -> dict[str, Any] | None:
        """None when the organisation has no roster."""
        return await self._notifier.get("/v1/roster/findings", days=days)

    async def unverified_contacts(self) -> dict[str, Any] | None:
        """Contact points that nobody verified yet; None when the organisation has no roster."""
        return await self._notifier.get("/v1/roster/contacts", unverified="true")

    async def withheld(self) -> dict[str, Any]:
        """Messages that were kept back."""
        return await self._notifier.needed("/v1/withheld")

    async def silences(self) -> dict[str, Any]:
        """Silences planned, running and past."""
        return await self._notifier.needed("/v1/silences")

    async def preview(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """A message as it would be sent now, and who would get it."""
        return await self._notifier.needed("/v1/messages/preview", wanted)

    async def close(self) -> None:
        await self._notifier.close()
