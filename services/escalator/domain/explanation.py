"""Why a clock is due when it is, and why each of its thresholds fired or did not: from its log alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.escalator.domain import clocks, wording
from services.escalator.domain.case import Case, Extension
from services.escalator.domain.clocks import BREACH, Clock, Entry, EntryKind
from services.escalator.domain.decision import Timer, clock_subject
from services.escalator.domain.time_bases import Rules, TimeBase, basis_of
from shared.calendars.business import BusinessCalendar, Due
from shared.calendars.days import DayKind
from shared.calendars.explanation import counted_days, counted_spans
from shared.calendars.model import YearStatus
from shared.contracts.escalations import ClockState
from shared.plans.duties import CompiledClock
from shared.plans.limits import LimitBase

_CHANGING: Final = frozenset(
    {EntryKind.RETARGET, EntryKind.RECOUNT, EntryKind.EXTEND, EntryKind.EXCLUDE, EntryKind.RESTART, EntryKind.ADOPT}
)
_BY_DAYS: Final = frozenset({LimitBase.WORKING_DAYS, LimitBase.WORKING_TIME})


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """A line of a clock's log with what brought it about: an event's id, or the timer that fired."""

    entry: Entry
    cause: str


@dataclass(frozen=True, slots=True)
class FiredThreshold:
    """A threshold as it was recorded when it fired."""

    threshold: str
    generation: int
    due_at: datetime
    fired_at: datetime
    superseded: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the clock's life. `counted` is in units of its base, 0 while it stood still; `why` for those."""

    start: datetime
    end: datetime
    running: bool
    counted: int
    why: str | None


@dataclass(frozen=True, slots=True)
class Milepost:
    """One threshold: when it is or would be reached, what became of it (`outcome`), and a sentence that says why."""

    threshold: str
    at: datetime | None
    outcome: str
    late_by: timedelta | None
    why: str


@dataclass(frozen=True, slots=True)
class Days:
    """Successive days alike in the calendar. `numbers`: which working days of the limit they are; None: uncounted."""

    first: date
    last: date
    kind: DayKind
    name: str | None
    status: YearStatus
    numbers: tuple[int, int] | None
    worked: timedelta


@dataclass(frozen=True, slots=True)
class ClockExplanation:
    """All that decides about one clock.

    `gross` is the time on the wall since its start, `net` that of it in which it ran and, where it counts by a list of
    days, there was work. Amounts are shares of `target`: `spent_share` 1.0 is the end. `armed_at` is when the table
    will fire it next. `days` are those from the start to the end, where a list of days decides.
    """

    id: str
    label: str
    state: ClockState
    limit: str
    calendar: str | None
    provisional: bool
    started_at: datetime
    counts_from: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    gross: timedelta
    net: timedelta
    stood_still: timedelta
    spent_share: float
    spans: tuple[Span, ...]
    changes: tuple[LoggedEntry, ...]
    extensions: tuple[Extension, ...]
    mileposts: tuple[Milepost, ...]
    armed_at: datetime | None
    source: str | None
    days: tuple[Days, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """What is stored about one clock."""

    log: Sequence[LoggedEntry]
    fires: Sequence[FiredThreshold]
    armed: Timer | None


def explain_clock(rules: Rules, case: Case, clock: Clock, records: Records, now: datetime) -> ClockExplanation:
    """The clock as it stands at `now`, with everything that made it so."""
    rules = rules.of(case.org)
    spec = next(spec for spec in rules.plan.clocks if spec.id == clock.id)
    base = rules.base(clock.limit)
    end = clock.stopped_at or now
    spans = tuple(_spans(clock, [one.entry for one in records.log], base, end))
    used = clocks.spent(clock, end, base)
    return ClockExplanation(
        id=clock.id,
        label=wording.words(spec.label, case.language),
        state=clocks.state_of(clock, now, base),
        limit=clock.limit.text,
        calendar=clock.calendar,
        provisional=clock.provisional,
        started_at=clock.started_at,
        counts_from=clock.counts_from,
        due_at=clocks.due_at(clock, base),
        stopped_at=clock.stopped_at,
        gross=max(timedelta(), end - clock.started_at),
        net=_net(rules, clock, spans),
        stood_still=sum((span.end - span.start for span in spans if not span.running), timedelta()),
        spent_share=used / clock.target if clock.target else 1.0,
        spans=spans,
        changes=tuple(one for one in records.log if one.entry.kind in _CHANGING),
        extensions=tuple(one for one in case.extensions if one.clock == clock.id),
        mileposts=tuple(_mileposts(clock, spec, base, records, now)),
        armed_at=records.armed.due_at if records.armed is not None else None,
        source=spec.source,
        days=tuple(_days(rules, clock, base)),
    )


def _by_calendar(rules: Rules, clock: Clock) -> BusinessCalendar | None:
    return rules.calendar() if clock.limit.base in _BY_DAYS else None


def _net(rules: Rules, clock: Clock, spans: Sequence[Span]) -> timedelta:
    calendar = _by_calendar(rules, clock)
    ran = [(max(span.start, clock.counts_from or span.start), span.end) for span in spans if span.running]
    lengths = (
        (end - start) if calendar is None else calendar.working_time(max(start, calendar.begins), end)
        for start, end in ran
        if end > start
    )
    return sum(lengths, timedelta())


def _days(rules: Rules, clock: Clock, base: TimeBase) -> Iterable[Days]:
    """The days between start and end as the calendar has them; none while there is no end."""
    calendar, due = _by_calendar(rules, clock), clocks.due_at(clock, base)
    if calendar is None or due is None or due <= clock.started_at:
        return
    basis = basis_of(clock.limit) if clock.limit.base is LimitBase.WORKING_DAYS else None
    start = max(clock.started_at, calendar.begins)
    for span in counted_spans(counted_days(calendar, start, Due(due, provisional=clock.provisional), basis)):
        first, last = span.first, span.last
        yield Days(
            first.date,
            last.date,
            first.day.kind,
            first.day.name,
            first.day.status,
            (first.number, last.number) if first.number is not None and last.number is not None else None,
            sum((day.worked for day in span.days), timedelta()),
        )


def _spans(clock: Clock, log: Sequence[Entry], base: TimeBase, end: datetime) -> Iterable[Span]:
    """Running and standing spans from the start to `end`, in order."""
    since, running, why = clock.started_at, True, None
    begins = {EntryKind.RESTART, EntryKind.ADOPT}
    begun = max((index for index, one in enumerate(log) if one.kind in begins), default=-1)
    if begun >= 0 and log[begun].kind is EntryKind.ADOPT:
        for start, stop in log[begun].ran:
            if start > since:
                yield Span(since, start, running=False, counted=0, why=log[begun].reason)
            yield Span(start, stop, running=True, counted=base.spent(start, stop), why=None)
            since = stop
        if log[begun].at > since:
            yield Span(since, log[begun].at, running=False, counted=0, why=log[begun].reason)
            since = log[begun].at
    for entry in log[begun + 1 :]:
        stops = entry.kind in {EntryKind.PAUSE, EntryKind.STOP, EntryKind.CANCEL}
        if not (stops and running) and not (entry.kind is EntryKind.RESUME and not running):
            continue
        at = min(max(entry.at, since), end)
        if at > since:
            yield Span(since, at, running, base.spent(since, at) if running else 0, why)
        since, running = at, not stops
        why = (entry.reason or entry.kind.value) if stops else None
    if end > since:
        yield Span(since, end, running, base.spent(since, end) if running else 0, why)


def _mileposts(
    clock: Clock, spec: CompiledClock, base: TimeBase, records: Records, now: datetime
) -> Iterable[Milepost]:
    fired: Mapping[str, FiredThreshold] = {one.threshold: one for one in records.fires}
    armed = records.armed if records.armed is not None and records.armed.subject == clock_subject(clock.id) else None
    for mark in clocks.marks(clock, spec, base):
        known = fired.get(mark.key)
        at = clocks.instant_of(clock, mark.amount, base)
        if known is not None and mark.key in clock.passed:
            outcome = "superseded" if known.superseded else "fired"
            why = (
                "a higher threshold had passed by then and spoke for it"
                if known.superseded
                else f"reached at {known.due_at.isoformat(timespec='seconds')}"
            )
            yield Milepost(mark.key, known.due_at, outcome, known.fired_at - known.due_at, why)
        elif armed is not None and armed.threshold == mark.key:
            overdue = armed.due_at <= now
            yield Milepost(mark.key, armed.due_at, "overdue" if overdue else "armed", None, "the next to fire")
        else:
            yield Milepost(mark.key, at, *_why_not(clock, mark.key, armed))


def _why_not(clock: Clock, threshold: str, armed: Timer | None) -> tuple[str, None, str]:
    if clock.cancelled:
        return "void", None, "the clock no longer applies"
    if clock.stopped_at is not None:
        return "void", None, f"the clock was stopped at {clock.stopped_at.isoformat(timespec='seconds')}, before it"
    if clock.paused:
        return "held", None, "the clock stands still"
    if clock.breached and threshold != BREACH:
        return "void", None, "the clock had run out"
    if armed is not None:
        return "ahead", None, f"{armed.threshold} comes first; only the next threshold is armed"
    return "unarmed", None, "nothing is armed for a clock that runs: the auditor reports this"
