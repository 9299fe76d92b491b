"""Where receipts go whose reports carry only the provider's own ids."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from services.intake.channels.desk import DeskAwayError

_AGAIN_AFTER_S: Final = 1.0


class AddressDesk(Protocol):
    """Knows the messages that were sent."""

    async def addresses(self, provider: str, message_ids: Sequence[str]) -> dict[str, str]: ...


async def find_addresses(
    desk: AddressDesk, provider: str, message_ids: Sequence[str], *, again_after_s: float = _AGAIN_AFTER_S
) -> dict[str, str]:
    """Signed address by message id. What the desk raises is passed on.

    A report may come before the answer to the sending is written down: what is not known is asked for once more.
    """
    wanted = tuple(dict.fromkeys(message_ids))
    if not wanted:
        return {}
    found = await desk.addresses(provider, wanted)
    missing = [one for one in wanted if one not in found]
    if missing:
        await asyncio.sleep(again_after_s)
        found |= await desk.addresses(provider, missing)
    return found


__all__ = ["AddressDesk", "DeskAwayError", "find_addresses"]
