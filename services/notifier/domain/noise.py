"""Whether a message goes out now, waits, or is left out. Pure: all that is known stands in the arguments.

The highest level of a plan is never delayed and never left out, whatever is set. Of the rest, in this order: a silence
or quiet hours let it wait until they end; a warning case of the same plan and topic that the same person was told of
stands for its single cases up to its own level; and after so many messages to one person by one channel within the
window, the others wait until the window is over and come in one message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.notifier.domain.silences import Afterwards, Silence
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import Bilingual


class NoiseRule(StrEnum):
    MAINTENANCE = "maintenance"
    SILENCE = "silence"
    QUIET_HOURS = "quiet-hours"
    INHIBITED = "inhibited"
    THROTTLED = "throttled"
    BUNDLED = "bundled"
    ANSWERED = "answered"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most `messages` to one person by one channel within `window`; 0: no limit."""

    messages: int = 0
    window: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning case, not over, that the person was told of."""

    number: str
    level_rank: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """Not now. `until` is when to decide again; without it the message is left out for good."""

    rule: NoiseRule
    words: Bilingual
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one message: `recent` are the instants of messages to the person by the channel."""

    subject: Subject
    purpose: Purpose
    person: str
    was_held: bool = False
    warned: Warned | None = None
    recent: Sequence[datetime] = ()


def is_highest(subject: Subject) -> bool:
    """True for the highest level of its plan: nothing here touches it."""
    return subject.level_rank >= subject.highest_rank


def ruling(facts: Facts, silences: Iterable[Silence], throttle: Throttle, now: datetime) -> Ruling | None:
    """Why the message does not go out at `now`, or None: it goes."""
    if is_highest(facts.subject):
        return None
    return _silenced(facts, silences, now) or _inhibited(facts) or _throttled(facts, throttle, now)


def _silenced(facts: Facts, silences: Iterable[Silence], now: datetime) -> Ruling | None:
    """Of several silences the one that ends last; one that drops comes first."""
    found = [
        (one, until)
        for one in silences
        if one.filter.fits(facts.subject, facts.purpose, facts.person) and (until := one.runs_until(now)) is not None
    ]
    if not found:
        return None
    one, until = max(found, key=lambda pair: (pair[0].afterwards is Afterwards.DROP, pair[1]))
    return Ruling(NoiseRule(one.kind.value), one.words, until if one.afterwards is Afterwards.TELL else None)


def _inhibited(facts: Facts) -> Ruling | None:
    warned = facts.warned
    if warned is None or facts.purpose is Purpose.STAND_DOWN or facts.subject.level_rank > warned.level_rank:
        return None
    words = Bilingual(
        zh=f"群体预警 {warned.number} 已告知此人，同主题单件不再另发",
        en=f"the person was told of the group warning {warned.number}, which stands for this case",
    )
    return Ruling(NoiseRule.INHIBITED, words, None)


def _throttled(facts: Facts, throttle: Throttle, now: datetime) -> Ruling | None:
    if throttle.messages == 0 or facts.was_held:
        return None
    within = sorted(at for at in facts.recent if at > now - throttle.window)
    if len(within) < throttle.messages:
        return None
    seconds = int(throttle.window.total_seconds())
    words = Bilingual(
        zh=f"此人 {seconds} 秒内已收到 {len(within)} 条，其余合并为一条",
        en=f"{len(within)} messages to this person within {seconds} s; the others come in one",
    )
    return Ruling(NoiseRule.THROTTLED, words, within[0] + throttle.window)
