"""What a handler may say about an event. One place, the consumer, acts on it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Done:
    """Applied: state and outgoing events are durable."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to do, and rightly so: a duplicate, or older than what is known."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now: hold the partition and offer the event again. Bounded; then it becomes Dead."""

    after: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Never: to the dead-letter topic with its reason, from where it can be replayed."""

    reason: str


Outcome = Done | Skip | Retry | Dead

DUPLICATE = Skip("duplicate")
DONE = Done()
