"""Clocks and tiers with their parameters put in and their lengths typed: what the escalator runs."""

from dataclasses import dataclass
from datetime import timedelta

from shared.contracts.values import ChannelKind
from shared.plans.expressions import Test
from shared.plans.limits import Limit, Threshold
from shared.plans.model import Breach
from shared.plans.words import Words


@dataclass(frozen=True, slots=True)
class CompiledClock:
    """A limit between two milestones. `start` is the `from` of the file.

    Milestones are occurred, received, classified, acknowledged, resolved, closed, or one of the plan's own. When the
    stop has happened by the time the case is opened, the clock is judged at once by the two instants.
    `notify_roles` empty: the roles of the tier that is paged at the time.
    """

    id: str
    label: Words
    start: str
    until: str
    limit: Limit
    warn: tuple[Threshold, ...]
    breach: Breach
    levels: frozenset[str]
    when: Test | None
    notify_roles: tuple[str, ...]
    source: str | None


@dataclass(frozen=True, slots=True)
class CompiledTier:
    """Who is paged. `repeat` is how many more times the tier is paged, each after another `acknowledge_within`."""

    id: str
    label: Words
    roles: tuple[str, ...]
    channels: tuple[ChannelKind, ...]
    all_channels: bool
    acknowledge_within: timedelta
    repeat: int
    levels: frozenset[str]
