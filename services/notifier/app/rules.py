"""What every use case of delivery needs to know: rosters, providers in use, limits, and how to make links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.notifier.domain.delivery import Policy
from services.notifier.domain.roster import Roster
from shared.contracts.values import ChannelKind


class Rosters(Protocol):
    """The rosters in force."""

    def of(self, org: str) -> Roster | None: ...


@dataclass(frozen=True, slots=True)
class Links:
    """Signs what leaves. `receipts` is where providers call back, `public` where people open links."""

    secret: bytes
    public: str
    receipts: str
    valid_for: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Rules:
    """`providers` by channel, best first. A call that has no answer after `answer_within` counts as unknown."""

    rosters: Rosters
    providers: Mapping[ChannelKind, Sequence[str]]
    policy: Policy
    links: Links
    answer_within: timedelta
    max_sms_segments: int
