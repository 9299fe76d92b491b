"""Which messages to one person become one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.notifier.domain.ledger import Intent
from services.notifier.domain.noise import is_highest
from shared.contracts.values import ChannelKind


@dataclass(frozen=True, slots=True)
class Ready:
    """An intent whose first message could go out now by this channel."""

    intent: Intent
    channel: ChannelKind


def carriers(ready: Sequence[Ready]) -> dict[UUID, UUID]:
    """Intent → the intent that carries it, for all that go together; the carrier is named too.

    Only what had to wait is bundled, never the highest level and never what goes by every channel at once. The most
    urgent one carries, of equals the oldest.
    """
    groups: dict[tuple[object, ...], list[Intent]] = defaultdict(list)
    for one in ready:
        request = one.intent.request
        fits = one.intent.held_at is not None and not request.body.all_channels
        if fits and one.intent.attempts == 0 and not is_highest(request.body.subject):
            groups[request.org, one.intent.person, one.channel, request.body.language, request.body.drill].append(
                one.intent
            )
    found: dict[UUID, UUID] = {}
    for group in groups.values():
        if len(group) > 1:
            first = min(group, key=lambda one: (-one.urgency, one.request.accepted_at, one.id))
            found |= dict.fromkeys((one.id for one in group), first.id)
    return found
