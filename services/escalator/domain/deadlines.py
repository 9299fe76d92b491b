"""The clocks of a case as duties: which ones run, when they start and stop, what happens at their thresholds."""

from datetime import datetime

from services.escalator.domain import (
    case_duties,
    checklist,
    clocks,
    informing,
    ladder,
    limits,
    notices,
    wording,
)
from services.escalator.domain.clocks import BREACH, OVERRUN, Clock, Entry, EntryKind
from services.escalator.domain.decision import Fire, Turn, clock_subject
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from shared.contracts.values import Bilingual
from shared.plans.duties import CompiledClock
from shared.plans.limits import Limit
from shared.plans.model import Breach


def refresh(turn: Turn) -> None:
    """Start what now applies and has its start, and end what no longer applies.

    A clock that ran out stays: a change of level does not undo a breach. While a gate waits for a decision no clock
    starts; one from `classified` that the gate held up counts from the decision.
    """
    case_duties.refresh(turn)
    wanted = {spec.id: spec for spec in turn.rules.plan.clocks_for(turn.case.level, turn.case.inputs)}
    for clock in turn.case.clocks:
        if clock.live and clock.id not in wanted and not clock.breached:
            _cancel(turn, clock)
    for spec in wanted.values():
        started_at = start_of(turn, spec)
        if started_at is None:
            continue
        known = turn.case.clock(spec.id)
        # An end that a fact names is the same instant, whenever this clock began.
        since = known.started_at if known is not None and known.live else started_at
        limit = limits.limit_of(turn, spec, since)
        if limit is None:
            if known is not None and known.live and not known.breached:
                _cancel(turn, known)
        elif known is None or known.cancelled:
            if not turn.case.held:
                _begin(turn, spec, limit, started_at, again=known is not None)
        elif known.live and limit != known.limit:
            retarget(turn, spec, known, limit)


def start_of(turn: Turn, spec: CompiledClock) -> datetime | None:
    """When the clock starts for this case; None while its milestone is not passed."""
    started_at = turn.case.milestones.get(spec.start)
    gate = turn.case.activation
    if started_at is None or spec.start != "classified" or gate is None or gate.decided_at is None:
        return started_at
    return max(started_at, gate.decided_at)


def _begin(turn: Turn, spec: CompiledClock, limit: Limit, started_at: datetime, *, again: bool) -> None:
    """Start a clock whose start may lie in the past, as the plan wants it judged; `again`: it had been cancelled."""
    if again:
        _start(turn, spec, Entry(spec.id, EntryKind.RESTART, turn.now, origin=started_at, limit=limit))
        return
    at = turn.now if spec.late == "from-now" else started_at
    _start(turn, spec, Entry(spec.id, EntryKind.START, at, limit=limit))
    clock = turn.case.clock(spec.id)
    if spec.late != "record" or clock is None or not clock.running:
        return
    base = turn.rules.base(limit)
    due_at = clocks.due_at(clock, base)
    if clocks.remaining(clock, turn.now, base) > 0 or due_at is None:
        return
    # It had run out before anybody could know of it: that is written down, and nobody is woken for it.
    turn.fire(Fire(clock_subject(clock.id), clock.generation, BREACH, due_at, superseded=True))
    turn.log(Entry(clock.id, EntryKind.FIRE, turn.now, threshold=BREACH, superseded=True))
    because = turn.both("clock_breach", clock=spec.label, due=due_at)
    turn.note(ChangeKind.CLOCK_BREACHED, because, clock=spec.id, due_at=_iso(due_at), action=Breach.RECORD)


def retarget(turn: Turn, spec: CompiledClock, clock: Clock, limit: Limit, before: Rules | None = None) -> None:
    """Another limit for a clock that lives, by the rule its plan has chosen. What was granted stays granted.

    `before` are the rules it was counted by, where they are others: another version of a plan makes no clock younger,
    so what would begin afresh counts from the start, and what stands still goes on standing.
    """
    base = turn.rules.base(limit)
    old = (before or turn.rules).base(clock.limit)
    extra = clocks.granted(clock, limit, old, base)
    target = base.amount(limit, clock.started_at) + extra
    due_before = clocks.due_at(clock, old)
    # What another case had promised is not loosened by what this one knows.
    rule = "tighten-only" if clock.adopted else spec.retarget
    if before is not None and rule in {"fresh", "from-start"}:
        rule = "keep-elapsed" if clock.paused else "from-start"
    if rule == "tighten-only" and due_before is not None:
        entry = Entry(clock.id, EntryKind.RETARGET, turn.now, limit, amount=extra)
        after = clocks.due_at(clocks.advance(clock, entry, turn.rules), base)
        if after is None or after >= due_before:
            return
    if rule in {"keep-elapsed", "tighten-only"}:
        same = clocks.limit_kind(limit) == clocks.limit_kind(clock.limit)
        kept = clocks.kept_thresholds(clock, spec, target, turn.now, base) if same else clock.passed
        kept = kept if BREACH in kept or not clock.breached else (*kept, BREACH)
        changed = turn.log(Entry(clock.id, EntryKind.RETARGET, turn.now, limit=limit, amount=extra, kept=kept))
    else:
        origin = clock.started_at if rule == "from-start" else turn.now
        kept = (BREACH,) if clock.breached else ()
        changed = turn.log(
            Entry(clock.id, EntryKind.RESTART, turn.now, origin=origin, limit=limit, amount=extra, kept=kept)
        )
    due_at = clocks.due_at(changed, base)
    turn.note(
        ChangeKind.CLOCK_CHANGED,
        turn.both("clock_retargeted", clock=spec.label, due=due_at or ""),
        clock=spec.id,
        due_at=_iso(due_at),
        rule=rule,
    )


def passed(turn: Turn, milestone: str, at: datetime) -> None:
    """The case passed a milestone: clocks until it stop, clocks from it start."""
    turn.set(milestones={**turn.case.milestones, milestone: at})
    informing.at_milestone(turn, milestone)
    notices.at(turn, milestone)
    checklist.at_milestone(turn, milestone)
    for spec in turn.rules.plan.clocks:
        clock = turn.case.clock(spec.id)
        if spec.until == milestone and clock is not None and clock.live:
            stop(turn, spec, clock, at)
    if turn.case.ended:
        case_duties.refresh(turn)
    else:
        refresh(turn)


def count_anew(turn: Turn, milestone: str, origin: datetime, *, start: str | None = None) -> None:
    """The milestone no longer holds; clocks until it (those that start at `start`, if given) count from `origin`."""
    for spec, clock in _taken_back(turn, milestone):
        if start is None or spec.start == start:
            _start(turn, spec, Entry(clock.id, EntryKind.RESTART, turn.now, origin=origin))


def take_back(turn: Turn, milestone: str) -> None:
    """The milestone does not hold and never did: clocks until it count as though they had not been stopped.

    What they had told by then is not told again.
    """
    for spec, clock in _taken_back(turn, milestone):
        _start(turn, spec, Entry(clock.id, EntryKind.RESTART, turn.now, origin=clock.started_at, kept=clock.passed))


def go_on(turn: Turn, milestone: str) -> None:
    """The milestone no longer holds: clocks until it go on from what they had spent."""
    for spec, clock in _taken_back(turn, milestone):
        _start(turn, spec, Entry(clock.id, EntryKind.RESUME, turn.now))


def _taken_back(turn: Turn, milestone: str) -> list[tuple[CompiledClock, Clock]]:
    """Forget the milestone; the clocks it had stopped that apply to the case."""
    turn.set(milestones={name: at for name, at in turn.case.milestones.items() if name != milestone})
    specs = turn.rules.plan.clocks_for(turn.case.level, turn.case.inputs)
    found = [(spec, turn.case.clock(spec.id)) for spec in specs if spec.until == milestone]
    return [(spec, clock) for spec, clock in found if clock is not None and clock.stopped_at is not None]


def pause(turn: Turn, at: datetime, reason: str | None) -> None:
    """Every running clock stands still."""
    for clock in turn.case.clocks:
        if clock.running:
            turn.log(Entry(clock.id, EntryKind.PAUSE, at, reason=reason))


def resume(turn: Turn, at: datetime) -> None:
    """Every paused clock goes on."""
    turn.set(pause=None)
    for clock in turn.case.clocks:
        if clock.paused:
            turn.log(Entry(clock.id, EntryKind.RESUME, at))


def cancel_all(turn: Turn) -> None:
    """The case needs no more clocks, and waits for nobody."""
    turn.set(pause=None)
    case_duties.refresh(turn)
    for clock in turn.case.clocks:
        if clock.live:
            _cancel(turn, clock)


def time_passed(turn: Turn, spec: CompiledClock, clock: Clock) -> None:
    """Fire the highest threshold that has passed; lower ones passed with it are recorded as superseded."""
    base = turn.rules.base(clock.limit)
    reached = clocks.passed_marks(clock, clocks.open_marks(clock, spec, base), turn.now, base)
    if not reached:
        return
    # The end itself speaks, whatever was to be said after it: what follows from it must not be lost.
    speaker = next((mark for mark in reached if mark.key == BREACH), reached[-1])
    for mark in reached:
        due = clocks.instant_of(clock, mark.amount, base) or turn.now
        superseded = mark is not speaker
        turn.fire(Fire(clock_subject(clock.id), clock.generation, mark.key, due, superseded))
        turn.log(Entry(clock.id, EntryKind.FIRE, turn.now, threshold=mark.key, superseded=superseded))
    announce(turn, spec, speaker.key, clocks.due_at(clock, base))
    if speaker.key == BREACH:
        notices.at(turn, "breached")


def announce(turn: Turn, spec: CompiledClock, threshold: str, due_at: datetime | None) -> None:
    """Say that this threshold of a clock that ends at `due_at` was passed, to whom the plan names."""
    if threshold == BREACH:
        _breached(turn, spec, due_at)
    elif threshold.startswith(OVERRUN):
        _overran(turn, spec, threshold, due_at)
    else:
        _warned(turn, spec, threshold, due_at)


def _start(turn: Turn, spec: CompiledClock, entry: Entry) -> None:
    clock = turn.log(entry)
    turn.note(
        ChangeKind.CLOCK_STARTED,
        turn.both("clock_start", clock=spec.label, start=clock.started_at),
        clock=spec.id,
        started_at=clock.started_at.isoformat(),
        due_at=_iso(clocks.due_at(clock, turn.rules.base(clock.limit))),
        source=spec.source,
    )
    ended_at = turn.case.milestones.get(spec.until)
    if ended_at is not None:
        stop(turn, spec, clock, ended_at)


def stop(turn: Turn, spec: CompiledClock, clock: Clock, at: datetime) -> None:
    """The clock's end was reached at this instant, which may tell that it had run out before."""
    base = turn.rules.base(clock.limit)
    due_at = clocks.due_at(clock, base)
    stopped = turn.log(Entry(clock.id, EntryKind.STOP, at))
    state = clocks.state_of(stopped, turn.now, base)
    if state is ClockState.MISSED and not clock.breached:
        # It ran out before it was stopped and nothing had fired yet: what would have been told is told now.
        turn.fire(Fire(clock_subject(clock.id), clock.generation, BREACH, due_at or at))
        turn.log(Entry(clock.id, EntryKind.FIRE, turn.now, threshold=BREACH))
        _breached(turn, spec, due_at, page=False)
    sentence = "clock_missed" if state is ClockState.MISSED else "clock_met"
    if state is ClockState.MET and clock.breached:
        sentence = "clock_met_late_news"
    turn.note(
        ChangeKind.CLOCK_STOPPED,
        turn.both(sentence, clock=spec.label),
        clock=spec.id,
        state=state,
        stopped_at=_iso(stopped.stopped_at),
        due_at=_iso(due_at),
    )


def _cancel(turn: Turn, clock: Clock) -> None:
    spec = next(spec for spec in turn.rules.plan.clocks if spec.id == clock.id)
    turn.log(Entry(clock.id, EntryKind.CANCEL, turn.now))
    turn.note(
        ChangeKind.CLOCK_STOPPED,
        turn.both("clock_cancelled", clock=spec.label),
        clock=clock.id,
        state=ClockState.CANCELLED,
    )


def _warned(turn: Turn, spec: CompiledClock, threshold: str, due_at: datetime | None) -> None:
    because = turn.both("clock_warn", clock=spec.label, threshold=threshold)
    if threshold.startswith("-"):
        because = turn.both("clock_warn_lead", clock=spec.label, left=wording.length_in_words(threshold[1:]))
    turn.note(ChangeKind.CLOCK_WARNED, because, clock=spec.id, threshold=threshold, due_at=_iso(due_at))
    _tell(turn, Purpose.WARN, spec, because, due_at)


def _overran(turn: Turn, spec: CompiledClock, threshold: str, due_at: datetime | None) -> None:
    count = threshold.removeprefix(OVERRUN)
    because = turn.both("clock_overrun", clock=spec.label, due=due_at or "", count=count)
    turn.note(ChangeKind.CLOCK_BREACHED, because, clock=spec.id, due_at=_iso(due_at), threshold=threshold)
    _tell(turn, Purpose.BREACH, spec, because, due_at)


def _breached(turn: Turn, spec: CompiledClock, due_at: datetime | None, *, page: bool = True) -> None:
    because = turn.both("clock_breach", clock=spec.label, due=due_at or "")
    turn.note(
        ChangeKind.CLOCK_BREACHED, because, clock=spec.id, due_at=_iso(due_at), action=spec.breach, source=spec.source
    )
    if spec.breach is Breach.RECORD:
        return
    pages = spec.breach is Breach.NEXT_TIER and page and turn.case.open and bool(ladder.tiers_of(turn))
    if spec.notify_roles or not (pages or spec.breach is Breach.RAISE_LEVEL):
        _tell(turn, Purpose.BREACH, spec, because, due_at)
    if pages:
        above = ladder.next_tier(turn)
        tier = above.label if above else ""
        ladder.move_up(turn, turn.both("clock_breach_tier", clock=spec.label, tier=tier))


def _tell(turn: Turn, purpose: Purpose, spec: CompiledClock, because: Bilingual, due_at: datetime | None) -> None:
    tier = ladder.present_tier(turn)
    if spec.notify_roles:
        turn.request(purpose, spec.notify_roles, because=because, due_at=due_at)
    elif tier is not None:
        turn.request(purpose, ladder.roles_of(turn, tier), channels=tier.channels, because=because, due_at=due_at)
    else:
        turn.request(purpose, turn.rules.plan.informed(turn.case.level), because=because, due_at=due_at)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
