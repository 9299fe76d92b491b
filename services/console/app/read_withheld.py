"""Messages that waited, came in one with others or were left out, and the silences that were made."""

from dataclasses import dataclass
from typing import Any, Literal

from services.console.channels.duty import DutyReader
from services.console.channels.questions import AwayError


@dataclass(frozen=True, slots=True)
class WithheldView:
    """`problem`: why there is nothing to show."""

    messages: tuple[dict[str, Any], ...] = ()
    silences: tuple[dict[str, Any], ...] = ()
    problem: Literal["none", "away"] | None = None


async def read_withheld(org: str, duty: DutyReader | None) -> WithheldView:
    """What the notifier answers, the newest first; nothing of another organisation than `org` is ever shown."""
    if duty is None:
        return WithheldView(problem="none")
    try:
        withheld, silences = await duty.withheld(), await duty.silences()
    except AwayError:
        return WithheldView(problem="away")
    if withheld.get("organisation") != org or silences.get("organisation") != org:
        return WithheldView()
    return WithheldView(tuple(withheld["withheld"]), tuple(silences["silences"]))
