"""What a simulation shows: everything that happens, and everybody who would be told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.drill.domain.asked import Asked
from services.escalator.domain.case import Case
from shared.contracts.escalations import ChangeKind, ClockStatus
from shared.contracts.notifications import Purpose
from shared.contracts.values import ChannelKind

Which = Literal["case", "warning"]
Resolve = Callable[[str, datetime], tuple[str, ...]]
"""Who has a role at an instant; empty when it is not known here."""


@dataclass(frozen=True, slots=True)
class Told:
    """One role would be told. `people` is empty where no roster was given."""

    at: datetime
    on: Which
    number: str
    purpose: Purpose
    role: str
    people: tuple[str, ...]
    channels: tuple[ChannelKind, ...]
    because: str | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """One change of one case."""

    at: datetime
    on: Which
    number: str
    kind: ChangeKind
    because: str
    level: str | None
    criterion: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A case when the time is up."""

    case: Case
    clocks: tuple[ClockStatus, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything in order of time. `case` is the first reported one, `warning` the highest warning case.

    `refused` are commands for a case that was not there. `warning_ended` is when the warning case ended by itself.
    """

    start: datetime
    end: datetime
    timeline: tuple[Told | Happened, ...]
    case: Ended | None
    warning: Ended | None
    refused: tuple[str, ...] = field(default=())
    asked: Asked = field(default_factory=Asked)
    warning_ended: datetime | None = None

    @property
    def told(self) -> tuple[Told, ...]:
        return tuple(entry for entry in self.timeline if isinstance(entry, Told))

    def climbs(self, on: Which) -> tuple[tuple[datetime, str], ...]:
        """Every rise of the level, the first included, of the case or the highest warning case."""
        ended = self.case if on == "case" else self.warning
        number = ended.case.number if ended else None
        return tuple(
            (entry.at, entry.level)
            for entry in self.timeline
            if isinstance(entry, Happened)
            and entry.number == number
            and entry.kind in {ChangeKind.OPENED, ChangeKind.LEVEL_RAISED}
            and entry.level is not None
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """Many cases together. `levels` are what the criteria gave last, `ended` every case at the end, by name.

    Warning cases are among `ended` only.
    """

    timeline: tuple[Told | Happened, ...]
    levels: Mapping[str, str | None]
    ended: Mapping[str, Ended]
