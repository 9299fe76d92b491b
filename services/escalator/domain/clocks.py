"""A clock is a fold over an append-only log: what its row says can be rebuilt from the entries at any time.

The live state is advanced by the very function that rebuilds it, so the two cannot differ. Elapsed time is kept as
an amount in the clock's own time base; pausing adds to it, resuming goes on from it, and so
spent + remaining = target after any sequence of entries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Final, NamedTuple

from services.escalator.domain.time_bases import Rules, TimeBase
from shared.contracts.escalations import ClockState
from shared.plans.duties import CompiledClock
from shared.plans.limits import Limit, LimitBase, Threshold

BREACH: Final = "breach"
OVERRUN: Final = "overrun-"
"""Begins the thresholds after the end."""


class EntryKind(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"  # after a pause, or after a stop: what was spent stays spent
    RETARGET = "retarget"  # another limit; what was spent stays spent
    RECOUNT = "recount"  # the same limit by another edition of its calendar; everything that ran is counted again
    EXTEND = "extend"  # the limit grows by an amount
    EXCLUDE = "exclude"  # an amount that shall not count, such as an external appraisal
    RESTART = "restart"  # counts anew from `origin`
    ADOPT = "adopt"  # goes on as the same clock of a case that was merged in, whose end was nearer
    FIRE = "fire"  # a threshold was passed; `superseded` when a higher one spoke for it
    STOP = "stop"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a clock's log. `at` is when it takes effect, UTC; amounts are units of the clock's time base.

    `kept` are the thresholds that stay passed under a new target (`kept_thresholds`). `ran` are the spans that the
    clock of a merged case had counted. Beside another `limit`, `amount` is what had been granted beyond the one before.
    """

    clock: str
    kind: EntryKind
    at: datetime
    limit: Limit | None = None
    amount: int = 0
    origin: datetime | None = None
    threshold: str | None = None
    superseded: bool = False
    kept: tuple[str, ...] = ()
    reason: str | None = None
    ran: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock as it stands.

    `generation` rises with every entry that moves its due instant: a timer armed under an older one is void.
    `spent` was counted before `running_since`. `passed` are the thresholds that need no firing any more.
    `last_due_at` is when it would have run out, kept when it is stopped or cancelled.
    `counts_from` is when counting begins, later than the start where the first day is left out. `ran` are the spans
    that were counted before `running_since`. `calendar` is the identity of the calendar of the last entry;
    `provisional`: its due instant rests on a year whose official list was not published then. `expected_at`: the due
    instant as that calendar had it, the last one while paused. `adopted`: it was another case's, whose end was nearer.
    """

    id: str
    generation: int
    limit: Limit
    target: int
    started_at: datetime
    spent: int = 0
    running_since: datetime | None = None
    paused: bool = False
    stopped_at: datetime | None = None
    cancelled: bool = False
    passed: tuple[str, ...] = ()
    last_entry_at: datetime | None = None
    last_due_at: datetime | None = None
    counts_from: datetime | None = None
    ran: tuple[tuple[datetime, datetime], ...] = ()
    calendar: str | None = None
    provisional: bool = False
    expected_at: datetime | None = None
    adopted: bool = False

    @property
    def running(self) -> bool:
        return self.running_since is not None

    @property
    def live(self) -> bool:
        """Neither stopped nor cancelled: running, or paused for a while."""
        return self.stopped_at is None and not self.cancelled

    @property
    def breached(self) -> bool:
        """Its end was passed and fired; a breach is not undone by a pause."""
        return BREACH in self.passed


class Mark(NamedTuple):
    """A threshold of a clock as an amount after its start."""

    key: str
    amount: int


_AMOUNT: Final = attrgetter("amount")


def advance(clock: Clock | None, entry: Entry, rules: Rules) -> Clock:
    """The clock after one more entry. Raises ValueError for an entry that cannot follow.

    An entry older than the last one takes effect at the last one's instant: a log never runs backwards.
    """
    if clock is None:
        if entry.kind is not EntryKind.START or entry.limit is None:
            raise ValueError(f"clock '{entry.clock}' must begin with a start that has a limit")
        base = rules.base(entry.limit)
        begun = Clock(entry.clock, 1, entry.limit, 0, entry.at, running_since=entry.at, last_entry_at=entry.at)
        return _noted(_begun(begun, entry.limit, base), base)
    at = max(entry.at, clock.last_entry_at or entry.at)
    after = replace(_apply(clock, entry, at, rules), last_entry_at=at)
    return after if entry.kind is EntryKind.FIRE else _noted(after, rules.base(after.limit))


def _noted(clock: Clock, base: TimeBase) -> Clock:
    """The clock with the calendar it was counted by, and how sure that is."""
    if base.calendar is None:
        return clock if clock.calendar is None else replace(clock, calendar=None, provisional=False)
    if not clock.live:
        return replace(clock, calendar=base.calendar)
    due = due_at(clock, base)
    unsure = base.provisional(clock.started_at, due) if due is not None else clock.provisional
    return replace(clock, calendar=base.calendar, provisional=unsure, expected_at=due or clock.expected_at)


def fired(clock: Clock, threshold: str, at: datetime) -> Clock:
    """The clock after this threshold of it was passed; passing it again changes nothing but the instant."""
    passed = clock.passed if threshold in clock.passed else (*clock.passed, threshold)
    return replace(clock, passed=passed, last_entry_at=max(at, clock.last_entry_at or at))


def fold(entries: Iterable[Entry], rules: Rules) -> Clock:
    """The clock that a log describes. Raises ValueError for an empty or impossible log."""
    clock: Clock | None = None
    for entry in entries:
        clock = advance(clock, entry, rules)
    if clock is None:
        raise ValueError("a clock's log is empty")
    return clock


def _apply(clock: Clock, entry: Entry, at: datetime, rules: Rules) -> Clock:  # noqa: C901, PLR0911, PLR0912  # one arm for each kind of entry
    base = rules.base(clock.limit)
    moved = replace(clock, generation=clock.generation + 1)
    match entry.kind:
        case EntryKind.START:
            raise ValueError(f"clock '{clock.id}' was started before")
        case EntryKind.PAUSE:
            if not clock.running:
                return clock
            return replace(moved, spent=spent(clock, at, base), running_since=None, paused=True, ran=_ran(clock, at))
        case EntryKind.RESUME:
            if clock.running or clock.cancelled:
                return clock
            return replace(moved, running_since=at, paused=False, stopped_at=None)
        case EntryKind.RETARGET:
            limit = entry.limit or clock.limit
            moved = (
                _recounted(moved, limit, rules.base(limit)) if limit_kind(limit) != limit_kind(clock.limit) else moved
            )
            return _with_target(moved, entry, limit, rules.base(limit).amount(limit, clock.started_at) + entry.amount)
        case EntryKind.RECOUNT:
            return _with_target(_recounted(moved, clock.limit, base), entry, clock.limit, clock.target)
        case EntryKind.EXTEND | EntryKind.EXCLUDE:
            # What is excluded is given back as target, so that spent time itself is never rewritten.
            return _with_target(moved, entry, clock.limit, clock.target + entry.amount)
        case EntryKind.RESTART:
            return _restarted(moved, entry, entry.origin or at, rules)
        case EntryKind.ADOPT:
            return _adopted(moved, entry, at, rules)
        case EntryKind.FIRE:
            return fired(clock, entry.threshold or BREACH, at)
        case EntryKind.STOP:
            if not clock.live:
                return clock
            # A stop tells of an earlier instant when news of it comes late: the time until then is what counts.
            ended = max(entry.at, clock.running_since) if clock.running_since else at
            return replace(
                moved,
                spent=spent(clock, ended, base),
                running_since=None,
                paused=False,
                stopped_at=ended,
                last_due_at=due_at(clock, base),
                ran=_ran(clock, ended),
            )
        case EntryKind.CANCEL:
            if not clock.live:
                return clock
            return replace(
                moved,
                spent=spent(clock, at, base),
                running_since=None,
                paused=False,
                cancelled=True,
                last_due_at=due_at(clock, base),
                ran=_ran(clock, at),
            )


def limit_kind(limit: Limit) -> tuple[LimitBase, str, str]:
    """What two limits must have in common for their amounts to be of one kind."""
    return limit.base, limit.day_zero, limit.ends


def _ran(clock: Clock, until: datetime) -> tuple[tuple[datetime, datetime], ...]:
    since = clock.running_since
    return (*clock.ran, (since, until)) if since is not None and until > since else clock.ran


def _begun(clock: Clock, limit: Limit, base: TimeBase) -> Clock:
    """The clock with nothing counted since its start but what the day of the start counts for beforehand."""
    counts_from = base.counts_from(clock.started_at)
    return replace(
        clock,
        limit=limit,
        target=base.amount(limit, clock.started_at),
        spent=base.spent(counts_from, clock.started_at),
        counts_from=counts_from if counts_from > clock.started_at else None,
    )


def _recounted(clock: Clock, limit: Limit, base: TimeBase) -> Clock:
    """The clock with everything that ran so far counted in this base; its target is the whole limit."""
    begun = _begun(clock, limit, base)
    spans = ((max(start, begun.counts_from or start), end) for start, end in clock.ran)
    return replace(begun, spent=begun.spent + sum(base.spent(*span) for span in spans))


def _restarted(clock: Clock, entry: Entry, origin: datetime, rules: Rules) -> Clock:
    """Counting anew from `origin`; what was granted beyond the limit stays granted."""
    limit = entry.limit or clock.limit
    base = rules.base(limit)
    granted = entry.amount if entry.limit else clock.target - base.amount(limit, clock.started_at)
    passed = tuple(key for key in clock.passed if key in entry.kept)
    begun = _begun(replace(clock, started_at=origin, passed=passed, ran=()), limit, base)
    return replace(
        begun,
        target=begun.target + granted,
        running_since=origin,
        paused=False,
        stopped_at=None,
        cancelled=False,
        adopted=False,
    )


def _adopted(clock: Clock, entry: Entry, at: datetime, rules: Rules) -> Clock:
    """Another clock from now on: started at `origin`, with what it had counted, its target and what it had fired."""
    limit = entry.limit or clock.limit
    other = Clock(clock.id, clock.generation, limit, 0, entry.origin or at, ran=entry.ran)
    counted = _recounted(other, limit, rules.base(limit))
    return replace(counted, target=entry.amount, running_since=at, passed=entry.kept, adopted=True)


def _with_target(clock: Clock, entry: Entry, limit: Limit, target: int) -> Clock:
    return replace(clock, limit=limit, target=target, passed=tuple(key for key in clock.passed if key in entry.kept))


def granted(clock: Clock, limit: Limit, before: TimeBase, base: TimeBase) -> int:
    """What the clock was given beyond its own limit, in units of `base`, by which `limit` is counted.

    Amounts of another kind are as long on the wall as they would have been at the end of the old limit.
    """
    own = before.amount(clock.limit, clock.started_at)
    beyond = clock.target - own
    if beyond == 0 or limit_kind(limit) == limit_kind(clock.limit):
        return beyond
    since = clock.counts_from or clock.started_at
    first, last = sorted((before.due(since, max(0, own)), before.due(since, max(0, clock.target))))
    length = base.spent(first, last)
    return length if beyond > 0 else -length


def kept_thresholds(clock: Clock, spec: CompiledClock, target: int, now: datetime, base: TimeBase) -> tuple[str, ...]:
    """Passed thresholds that lie behind `now` under a new target too, and so are not fired a second time."""
    used = spent(clock, now, base)
    behind = {mark.key for mark in marks(replace(clock, target=target), spec, base) if mark.amount <= used}
    return tuple(key for key in clock.passed if key in behind)


def spent(clock: Clock, now: datetime, base: TimeBase) -> int:
    """Units counted until `now`."""
    since = _counting_since(clock)
    return clock.spent + (base.spent(since, now) if since is not None else 0)


def _counting_since(clock: Clock) -> datetime | None:
    since = clock.running_since
    return since if since is None or clock.counts_from is None else max(since, clock.counts_from)


def remaining(clock: Clock, now: datetime, base: TimeBase) -> int:
    """Units left; negative after the end."""
    return clock.target - spent(clock, now, base)


def due_at(clock: Clock, base: TimeBase) -> datetime | None:
    """When it runs out, UTC, or would have when it was stopped; None while it is paused."""
    return instant_of(clock, clock.target, base) if clock.live else clock.last_due_at


def instant_of(clock: Clock, amount: int, base: TimeBase) -> datetime | None:
    """When a running clock has counted `amount` units; never before it began to run."""
    since = _counting_since(clock)
    return base.due(since, max(0, amount - clock.spent)) if since is not None else None


def marks(clock: Clock, spec: CompiledClock, base: TimeBase) -> tuple[Mark, ...]:
    """Warnings, the end, and what is said again after it, earliest first, in the clock's own time base."""
    end = Mark(BREACH, clock.target)
    found = [Mark(warning.text, amount_of(warning, clock.target, base)) for warning in spec.warn]
    if not found and spec.overrun is None:
        return (end,)
    again: tuple[Mark, ...] = ()
    if spec.overrun is not None:
        every = base.lead(spec.overrun.every)
        again = tuple(
            Mark(f"{OVERRUN}{count}", clock.target + every * count) for count in range(1, spec.overrun.count + 1)
        )
    return (*sorted(found, key=_AMOUNT), end, *again)


def amount_of(threshold: Threshold, target: int, base: TimeBase) -> int:
    """How much of a target has been spent when this threshold is passed."""
    if threshold.percent is not None:
        return target * threshold.percent // 100
    return max(0, target - (base.lead(threshold.lead) if threshold.lead else 0))


def upcoming(clock: Clock, spec: CompiledClock, base: TimeBase) -> list[tuple[str, datetime]]:
    """The open thresholds of a clock with the instants at which they pass, earliest first; none unless it runs."""
    since = _counting_since(clock)
    if since is None:
        return []
    return [(mark.key, base.due(since, max(0, mark.amount - clock.spent))) for mark in open_marks(clock, spec, base)]


def open_marks(clock: Clock, spec: CompiledClock, base: TimeBase) -> tuple[Mark, ...]:
    """Thresholds still to come or to be fired: after the end only those that say it again."""
    if not clock.running:
        return ()
    found = marks(clock, spec, base)
    passed = clock.passed
    if not passed:
        return found
    left = (mark for mark in found if mark.key not in passed)
    return tuple(mark for mark in left if not clock.breached or mark.key.startswith(OVERRUN))


def passed_marks(clock: Clock, open_ones: Sequence[Mark], now: datetime, base: TimeBase) -> tuple[Mark, ...]:
    """Those of the open thresholds whose instant is not after `now`."""
    used = spent(clock, now, base)
    return tuple(mark for mark in open_ones if mark.amount <= used)


def state_of(clock: Clock, now: datetime, base: TimeBase) -> ClockState:
    """What people see. A breach shows through a pause; a stop in time is met even if news of it came late."""
    if clock.cancelled:
        return ClockState.CANCELLED
    if clock.stopped_at is not None:
        # Between the end and the next working day nothing is counted, and yet it is too late.
        too_late = clock.last_due_at is not None and clock.stopped_at > clock.last_due_at
        return ClockState.MISSED if too_late or clock.spent > clock.target else ClockState.MET
    if clock.breached or remaining(clock, now, base) < 0:
        return ClockState.BREACHED
    return ClockState.PAUSED if clock.paused else ClockState.RUNNING
