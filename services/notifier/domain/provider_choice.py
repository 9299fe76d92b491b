"""Which providers of a channel may carry a message to one address, best first. Pure.

A provider that serves only some prefixes comes before those that serve everything, the longest prefix first; within
that the order is the one of the configuration. A weak or presently busy one goes behind the others, never away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.domain.delivery import Route
from services.notifier.domain.reach import Reach
from shared.contracts.values import ChannelKind

WEAK: Final = 0.5
_SHARE_OF_ONE_CALL: Final = 0.2
_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed with a provider. `price` in the file's currency for each SMS on the wire, else each message."""

    name: str
    channel: ChannelKind
    prefixes: tuple[str, ...] = ()
    per_second: float = 0.0
    price: float = 0.0
    most_per_day: float | None = None
    receipt_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Moving averages: `answers` is the share of calls that went well, `seconds` what one takes.

    `delivered` is the share of accepted messages whose receipts were good in time; 1 where there are no receipts.
    """

    answers: float = 1.0
    seconds: float = 0.0
    delivered: float = 1.0

    @property
    def score(self) -> float:
        """0 to 1."""
        return self.answers * self.delivered

    def after(self, *, good: bool, seconds: float) -> "Health":
        """One more call. Five failures in a row bring a perfect provider below the line."""
        answers = self.answers + _SHARE_OF_ONE_CALL * ((1.0 if good else 0.0) - self.answers)
        return replace(self, answers=answers, seconds=self.seconds + _SHARE_OF_ONE_CALL * (seconds - self.seconds))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider with how it stands now. `busy`: its rate is used up this second."""

    terms: Terms
    health: Health = Health()
    busy: bool = False


def in_order(candidates: Sequence[Candidate], channel: ChannelKind, to: str, *, country: str) -> tuple[str, ...]:
    """Names of those that serve this address, best first."""
    found: list[tuple[bool, bool, int, int, str]] = []
    for place, one in enumerate(candidates):
        served = _served(one.terms, to, country) if one.terms.channel is channel else None
        if served is not None:
            found.append((one.health.score < WEAK, one.busy, -served, place, one.terms.name))
    return tuple(name for *_, name in sorted(found))


def routed(ways: Reach, addresses: Mapping[str, str], candidates: Sequence[Candidate], *, country: str) -> Reach:
    """The same ways with the providers of each address in their order; `addresses` by contact."""
    routes: list[Route] = []
    skipped = list(ways.skipped)
    for (channel, contact), _ in groupby(ways.routes, key=lambda route: (route.channel, route.contact)):
        names = in_order(candidates, channel, addresses.get(contact, ""), country=country)
        if not names:
            skipped.append(f"{channel.value}: no provider serves the prefix of {contact}")
        routes += [Route(channel, name, contact) for name in names]
    return Reach(tuple(routes), tuple(skipped))


def international(number: str, country: str) -> str:
    """`+86138…` for `138…`, `0086138…` and `+86138…`; anything that is no number as it stands."""
    if number.startswith("00"):
        return f"+{number[2:]}"
    return f"+{country}{number}" if number.isdigit() else number


def cost(terms: Terms, sms: int) -> int:
    """Millionths of the currency for one message of that many SMS."""
    return round(terms.price * _MICRO) * (max(1, sms) if terms.channel is ChannelKind.SMS else 1)


def is_spent(terms: Terms, spent: int) -> bool:
    """True when the day's money is used up; `spent` in millionths."""
    return terms.most_per_day is not None and spent >= round(terms.most_per_day * _MICRO)


def day_of(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def next_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the next day begins there."""
    return datetime.combine(day_of(now, zone) + timedelta(days=1), time(), zone)


def _served(terms: Terms, to: str, country: str) -> int | None:
    """How well: the length of the longest prefix that fits, 0 for one that serves everything, None not at all."""
    if not terms.prefixes:
        return 0
    number = international(to, country)
    return max((len(prefix) for prefix in terms.prefixes if number.startswith(prefix)), default=None)
