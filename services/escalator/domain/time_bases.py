"""In what a clock counts. A calendar plugs in here as another base; nothing else of a clock has to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from shared.plans.compiled import CompiledPlan
from shared.plans.limits import Limit, LimitBase

_MICROSECOND: Final = timedelta(microseconds=1)


class NeedsCalendarError(ValueError):
    """A plan counts in working time, working days or months, and nothing here can count in them."""


class TimeBase(Protocol):
    """Counts amounts in its own whole units between UTC instants.

    Whoever implements it guarantees: `due(s, spent(s, e))` is never after `e`; both grow with their arguments;
    `spent(s, s)` is 0; and splitting a span loses nothing, `spent(a, b) + spent(b, c) == spent(a, c)`.
    """

    def amount(self, limit: Limit) -> int:
        """A limit in units of this base."""
        ...

    def lead(self, lead: timedelta) -> int:
        """How many units before the end a warning with this lead stands."""
        ...

    def due(self, start: datetime, amount: int) -> datetime:
        """The instant at which `amount` units have passed since `start`."""
        ...

    def spent(self, start: datetime, end: datetime) -> int:
        """Units between two instants; 0 when `end` is not after `start`."""
        ...


class Elapsed:
    """The wall clock in microseconds. Sums are done in UTC, so no daylight-saving change can bend them."""

    def amount(self, limit: Limit) -> int:
        return limit.elapsed // _MICROSECOND

    def lead(self, lead: timedelta) -> int:
        return lead // _MICROSECOND

    def due(self, start: datetime, amount: int) -> datetime:
        return start.astimezone(UTC) + amount * _MICROSECOND

    def spent(self, start: datetime, end: datetime) -> int:
        return max(0, (end.astimezone(UTC) - start.astimezone(UTC)) // _MICROSECOND)


ELAPSED_ONLY: Final[Mapping[LimitBase, TimeBase]] = MappingProxyType({LimitBase.ELAPSED: Elapsed()})


@dataclass(frozen=True, slots=True)
class Rules:
    """A plan together with the ways of counting that are at hand: what every decision is made by."""

    plan: CompiledPlan
    bases: Mapping[LimitBase, TimeBase] = field(default_factory=lambda: ELAPSED_ONLY)

    def base(self, limit: Limit) -> TimeBase:
        """How this limit is counted. Raises NeedsCalendarError when nothing here can."""
        found = self.bases.get(limit.base)
        if found is None:
            raise NeedsCalendarError(
                f"plan '{self.plan.name}' has a limit in {limit.base} ({limit.amount}), which needs a calendar"
            )
        return found
