"""Clocks and tiers with their parameters put in and their lengths typed: what the escalator runs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from shared.contracts.values import ChannelKind
from shared.plans.expressions import Test
from shared.plans.limits import Limit, Threshold
from shared.plans.time_spec import Basis, LatePolicy, Retarget
from shared.plans.words import Words
from shared.plans.written import Breach

_PLAIN: Final = Basis()


@dataclass(frozen=True, slots=True)
class CompiledExtension:
    """More time, agreed by one of `approve_by` (never the one who asked) or with the complainant.

    `by` is what is granted by default, None when whoever asks must say; `to` caps the whole limit from the clock's own
    start; `count` is how often. `request_by` empty: whoever handles the case.
    """

    request_by: tuple[str, ...]
    approve_by: tuple[str, ...]
    with_complainant: bool
    by: Limit | None
    to: Limit
    count: int
    tell_complainant: bool
    basis: Basis


@dataclass(frozen=True, slots=True)
class CompiledOverrun:
    """After the breach it is said again every so long, so many times."""

    every: timedelta
    count: int


@dataclass(frozen=True, slots=True)
class CompiledClock:
    """A limit between two milestones. `start` is the `from` of the file.

    Milestones are occurred, received, classified, acknowledged, resolved, closed, or one of the plan's own. When the
    stop has happened by the time the case is opened, the clock is judged at once by the two instants.
    `notify_roles` empty: the roles of the tier that is paged at the time.

    `limit_fact`: the fact that brings the limit (a length, or the instant at which it ends); `limit` counts while that
    fact is not known. `before`: the clock ends `limit` before the instant this fact holds, and does not run while the
    fact is not known. `raises`: the level a breach raises the case to.
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
    basis: Basis = _PLAIN
    limit_fact: str | None = None
    before: str | None = None
    raises: str | None = None
    overrun: CompiledOverrun | None = None
    extension: CompiledExtension | None = None
    retarget: Retarget = "keep-elapsed"
    late: LatePolicy = "judge"


@dataclass(frozen=True, slots=True)
class CompiledTier:
    """Who is paged. `repeat` is how many more times the tier is paged, each after another `acknowledge_within`.

    `off_hours`: the roles outside the working hours of the plan's calendar, empty: the same ones. `hours` working: the
    ladder waits for working hours. `wait`: paged this long after the ladder reaches it. `repeat_from`: after this tier
    the ladder begins again at the named one. `when`: only where it holds.
    """

    id: str
    label: Words
    roles: tuple[str, ...]
    channels: tuple[ChannelKind, ...]
    all_channels: bool
    acknowledge_within: timedelta
    repeat: int
    levels: frozenset[str]
    off_hours: tuple[str, ...] = ()
    hours: Literal["any", "working"] = "any"
    wait: timedelta = timedelta()
    repeat_from: str | None = None
    when: Test | None = None
