"""A provider behind its circuit, its rate and its money for the day, and the choice among such providers.

State is this process's own, except the money: what was spent is added up in the database by `take_spending` and
`put_total`, so that several replicas keep to one cap. Until the next exchange a replica knows only its own part, so
the cap can be passed by what all of them send in between.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.channels.channel import Accepted, Channel, OutgoingMessage, Reject, Reply, Retry
from services.notifier.domain.circuit import Circuit, CircuitPolicy, CircuitState
from services.notifier.domain.delivery import Answer, Bar
from services.notifier.domain.provider_choice import (
    Candidate,
    Health,
    Terms,
    cost,
    day_of,
    is_spent,
    next_day,
    routed,
)
from services.notifier.domain.reach import Reach
from shared.contracts.values import ChannelKind
from shared.plans.sms_segments import segments
from shared.runtime.clock import Clock, monotonic
from shared.runtime.logging import get_logger
from shared.runtime.metrics import PROVIDER_CIRCUIT, PROVIDER_HEALTH, PROVIDER_SPENT

_log = get_logger(__name__)
_MICRO: Final = 1_000_000
_SHARE_OF_WAITING: Final = 0.3
_PROBED_WITHIN: Final = timedelta(seconds=1)


@dataclass
class Standing:
    """How one provider stands. `spent` in millionths on `day`, by all replicas as far as known."""

    terms: Terms
    circuit: Circuit = field(default_factory=Circuit)
    health: Health = field(default_factory=Health)
    day: date | None = None
    spent: int = 0
    unreported: dict[date, int] = field(default_factory=dict)
    next_call: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds (monotonic) until the rate allows a call; bursts of one second's worth are fine."""
        return 0.0 if self.terms.per_second <= 0 else max(0.0, self.next_call - 1.0 - now)

    def take_place(self, now: float) -> None:
        """A call is made as soon as `wait` says."""
        if self.terms.per_second > 0:
            self.next_call = max(now, self.next_call) + 1.0 / self.terms.per_second


class GuardedChannel:
    """The same channel, called only when its circuit, rate and money allow it."""

    def __init__(
        self,
        inner: Channel,
        standing: Standing,
        *,
        clock: Clock,
        zone: ZoneInfo,
        timeout: timedelta,
        policy: CircuitPolicy,
    ) -> None:
        self._inner = inner
        self.standing = standing
        self._clock = clock
        self._zone = zone
        self._patience = timeout.total_seconds() * _SHARE_OF_WAITING
        self._policy = policy
        self._health = PROVIDER_HEALTH.labels(inner.name)
        self._health.set(1.0)
        PROVIDER_CIRCUIT.labels(inner.name).set(CircuitState.CLOSED)

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def kind(self) -> ChannelKind:
        return self._inner.kind

    async def send(self, message: OutgoingMessage) -> Reply:
        """The provider's reply, or at once that another one should be tried."""
        standing, now = self.standing, self._clock.now()
        bar = bar_of(standing, now, self._zone)
        if bar is not None:
            return Retry(bar.until - now, bar.why, "barred", Answer.UNAVAILABLE)
        wait = standing.wait(monotonic())
        if wait > self._patience:
            return Retry(
                timedelta(seconds=wait), "the rate agreed with the provider is used up", "rate", Answer.UNAVAILABLE
            )
        standing.take_place(monotonic())
        self._move(standing.circuit.begun())
        try:
            await asyncio.sleep(wait)
        except BaseException:
            self._move(standing.circuit.ended(now, self._policy, good=False))
            raise
        return await self._called(message)

    async def close(self) -> None:
        await self._inner.close()

    async def _called(self, message: OutgoingMessage) -> Reply:
        began = monotonic()
        try:
            reply = await self._inner.send(message)
        except BaseException:
            # Too slow, or a fault of the adapter: in doubt the message was sent, and the provider is not well.
            self._ended(message, good=False, charged=True, seconds=monotonic() - began)
            raise
        good = isinstance(reply, Accepted | Reject)
        charged = isinstance(reply, Accepted) or (isinstance(reply, Retry) and reply.answer is Answer.UNKNOWN)
        self._ended(message, good=good, charged=charged, seconds=monotonic() - began)
        return reply

    def _ended(self, message: OutgoingMessage, *, good: bool, charged: bool, seconds: float) -> None:
        standing, now = self.standing, self._clock.now()
        standing.health = standing.health.after(good=good, seconds=seconds)
        self._health.set(standing.health.score)
        self._move(standing.circuit.ended(now, self._policy, good=good))
        price = cost(standing.terms, segments(message.text.sms)) if charged and standing.terms.price else 0
        if price:
            today = day_of(now, self._zone)
            _new_day(standing, today)
            standing.spent += price
            standing.unreported[today] = standing.unreported.get(today, 0) + price
            PROVIDER_SPENT.labels(self.name).set(standing.spent / _MICRO)

    def _move(self, circuit: Circuit) -> None:
        if circuit.state is not self.standing.circuit.state:
            _log.warning("provider.circuit", provider=self.name, state=circuit.state.name.lower())
            PROVIDER_CIRCUIT.labels(self.name).set(circuit.state)
        self.standing.circuit = circuit


class ProviderChoice:
    """The providers in use, in the order of the configuration."""

    def __init__(self, standings: Sequence[Standing], *, country: str, zone: ZoneInfo) -> None:
        self._standings = tuple(standings)
        self._country = country
        self._zone = zone
        # Nothing to choose: the order of the configuration is the only one.
        self._trivial = not any(one.terms.prefixes for one in self._standings) and len(
            {one.terms.channel for one in self._standings}
        ) == len(self._standings)

    def routed(self, ways: Reach, addresses: Mapping[str, str]) -> Reach:
        """The ways with the providers of each address in their present order; `addresses` by contact."""
        if self._trivial:
            return ways
        now = monotonic()
        candidates = [Candidate(one.terms, one.health, busy=one.wait(now) > 0) for one in self._standings]
        return routed(ways, addresses, candidates, country=self._country)

    def barred(self, now: datetime) -> Mapping[str, Bar]:
        """Those that must not be called now."""
        bars = ((one.terms.name, bar_of(one, now, self._zone)) for one in self._standings)
        return {name: bar for name, bar in bars if bar is not None}

    def take_spending(self) -> dict[tuple[str, date], int]:
        """What was spent here since last asked, by provider and day; the caller must store it or put it back."""
        found = {(one.terms.name, day): spent for one in self._standings for day, spent in one.unreported.items()}
        for one in self._standings:
            one.unreported.clear()
        return found

    def put_back(self, spending: Mapping[tuple[str, date], int]) -> None:
        """It could not be stored."""
        for (name, day), spent in spending.items():
            for one in self._standings:
                if one.terms.name == name:
                    one.unreported[day] = one.unreported.get(day, 0) + spent

    def put_totals(self, totals: Mapping[str, int], today: date) -> None:
        """What all replicas together spent today."""
        for one in self._standings:
            _new_day(one, today)
            one.spent = totals.get(one.terms.name, 0) + one.unreported.get(today, 0)
            PROVIDER_SPENT.labels(one.terms.name).set(one.spent / _MICRO)

    def put_delivered(self, shares: Mapping[str, float]) -> None:
        """The share of accepted messages that arrived; providers without a number count as perfect."""
        for one in self._standings:
            one.health = replace(one.health, delivered=shares.get(one.terms.name, 1.0))
            PROVIDER_HEALTH.labels(one.terms.name).set(one.health.score)

    def receipts_within(self) -> dict[str, timedelta]:
        """The providers that give receipts, with the time they have for it."""
        return {one.terms.name: one.terms.receipt_within for one in self._standings if one.terms.receipt_within}

    def today(self, now: datetime) -> date:
        """The day that money is counted by."""
        return day_of(now, self._zone)


def bar_of(standing: Standing, now: datetime, zone: ZoneInfo) -> Bar | None:
    """Why the provider must not be called now, if so."""
    until = standing.circuit.until
    if standing.circuit.state is CircuitState.OPEN and until is not None and now < until:
        return Bar(until, f"not called after {standing.circuit.failures} failures in a row")
    if not standing.circuit.admits(now):
        return Bar(now + _PROBED_WITHIN, "a probe of this provider is on its way")
    if standing.day == day_of(now, zone) and is_spent(standing.terms, standing.spent):
        return Bar(next_day(now, zone), "the money for the day is spent")
    return None


def _new_day(standing: Standing, today: date) -> None:
    if standing.day != today:
        standing.day, standing.spent = today, 0
