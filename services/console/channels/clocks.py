"""Where clocks are explained: the escalator, which owns them."""

from typing import Any
from uuid import UUID

from services.console.channels.questions import AwayError, Questions


class ClockReader:
    """Reads explanations with the console's key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._escalator = Questions("escalator", base_url, key)

    async def explain(self, case_id: UUID) -> list[dict[str, Any]]:
        """The case under each plan with its clocks; empty when the key's organisation has none.

        Raises AwayError.
        """
        content = await self._escalator.get(f"/v1/cases/{case_id}/clocks")
        if content is None:
            return []
        found = content.get("cases")
        if not isinstance(found, list):
            raise AwayError("the escalator answered something that is no explanation")
        return found

    async def close(self) -> None:
        await self._escalator.close()
