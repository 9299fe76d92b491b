"""The ways by which one person can be reached for one request, and why other ways are not among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.notifier.domain.delivery import Route
from services.notifier.domain.roster import Person
from shared.contracts.values import ChannelKind

_NO_PROVIDER = "no provider is configured"


@dataclass(frozen=True, slots=True)
class Reach:
    """Routes in order: channel by preference, then address (verified ones first), then provider."""

    routes: tuple[Route, ...]
    skipped: tuple[str, ...]


def reach(
    person: Person,
    channels: Sequence[ChannelKind],
    providers: Mapping[ChannelKind, Sequence[str]],
    *,
    only: str | None = None,
    unverified: bool = True,
) -> Reach:
    """How to reach `person` by `channels` in that order; `providers` are those in use, best first.

    `only`: by this contact point, verified or not. Without `unverified` others that nobody verified are not used.
    """
    routes: list[Route] = []
    skipped: list[str] = []
    for channel in dict.fromkeys(channels):
        known = [one for one in person.contacts if one.channel is channel and only in {None, one.id}]
        found = [one for one in known if one.verified or unverified or one.id == only]
        contacts = [contact.id for contact in sorted(found, key=lambda one: not one.verified)]
        in_use = providers.get(channel, ())
        if not in_use:
            skipped.append(f"{channel.value}: {_NO_PROVIDER}")
        elif not contacts and known:
            skipped.append(f"{channel.value}: {person.id} has no verified contact point")
        elif not contacts:
            skipped.append(f"{channel.value}: {person.id} has no contact point")
        routes += [Route(channel, provider, contact) for contact in contacts for provider in in_use]
    return Reach(tuple(routes), tuple(skipped))
