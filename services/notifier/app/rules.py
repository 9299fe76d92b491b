"""What every use case of delivery needs to know: rosters, providers in use, limits, and how to make links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.notifier.domain.delivery import Bar, Policy
from services.notifier.domain.noise import Throttle
from services.notifier.domain.reach import Reach
from services.notifier.domain.roster import Roster, WorkingDays
from services.notifier.domain.roster_file import WrittenFile
from services.notifier.domain.silence_file import WrittenSilence
from services.notifier.domain.silences import Silence
from services.notifier.domain.templates import Templates
from services.notifier.domain.texts import Message, Rendered, render
from shared.contracts.values import ChannelKind


class Rosters(Protocol):
    """The rosters in force."""

    def of(self, org: str) -> Roster | None: ...


class Book(Rosters, Protocol):
    """Rosters that can be changed: `base` is what stands in the file or was imported, without changes beside it."""

    @property
    def calendars(self) -> Mapping[str, WorkingDays]: ...

    def base(self, org: str) -> WrittenFile | None: ...

    def organisations(self) -> tuple[str, ...]: ...

    async def refresh(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Links:
    """Signs what leaves. `receipts` is where providers call back, `public` where people open links."""

    secret: bytes
    public: str
    receipts: str
    valid_for: timedelta = timedelta(hours=24)


class Choice(Protocol):
    """How the providers stand at this moment."""

    def routed(self, ways: Reach, addresses: Mapping[str, str]) -> Reach: ...

    def barred(self, now: datetime) -> Mapping[str, Bar]: ...


class Silences(Protocol):
    """The silences and quiet hours in force."""

    def of(self, org: str) -> Sequence[Silence]: ...


class SilenceKeeper(Silences, Protocol):
    """Silences that can be made: `refresh` takes over what stands in the database."""

    def built(self, org: str, written: WrittenSilence, *, silence_id: UUID, by: str) -> Silence: ...

    async def refresh(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """`providers` by channel, best first; `choice` orders them for each address.

    A call that has no answer after `answer_within` counts as unknown. A message that begins later than `late_after`
    says how late it is, also where its request sets no such limit.
    """

    rosters: Rosters
    providers: Mapping[ChannelKind, Sequence[str]]
    policy: Policy
    links: Links
    answer_within: timedelta
    max_sms_segments: int
    choice: Choice | None = None
    silences: Silences | None = None
    throttle: Throttle = field(default_factory=Throttle)
    templates: Templates = field(default_factory=lambda: Templates({}))
    late_after: timedelta = timedelta(minutes=2)

    def routed(self, ways: Reach, addresses: Mapping[str, str]) -> Reach:
        """The ways with the providers of each address as they stand now; `addresses` by contact."""
        return ways if self.choice is None else self.choice.routed(ways, addresses)

    def rendered(self, message: Message) -> Rendered:
        """The message in all forms, by the templates in force."""
        most = self.max_sms_segments
        return self.templates.render(message, render(message, max_segments=most), max_segments=most)
