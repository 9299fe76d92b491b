"""Clocks: the fold, conservation, thresholds, late arrival, pauses, and what needs a calendar."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalator.domain.clocks import (
    BREACH,
    Clock,
    Entry,
    EntryKind,
    advance,
    due_at,
    fold,
    kept_thresholds,
    remaining,
    spent,
    state_of,
)
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import WAIT, Ahead, Decision, Timer, clock_subject, lane_of
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import published
from services.escalator.domain.time_bases import Elapsed, NeedsCalendarError
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from shared.plans.limits import Limit, LimitBase
from tests.support.escalations import PLAN_TEXT, START, at, command, opened, rules

RULES = rules()
HOUR = Limit(LimitBase.ELAPSED, 3600)
STEPS = st.sampled_from([kind for kind in EntryKind if kind is not EntryKind.START])


def timer_of(decision: Decision, clock: str) -> Timer:
    return next(timer for timer in decision.timers if timer.subject == clock_subject(clock))


def log_of(steps: Sequence[tuple[EntryKind, int]]) -> list[Entry]:
    entries = [Entry("c", EntryKind.START, START, limit=HOUR)]
    now = START
    for kind, seconds in steps:
        now += timedelta(seconds=seconds)
        entries.append(
            Entry(
                "c",
                kind,
                now,
                limit=Limit(LimitBase.ELAPSED, 60 + seconds) if kind is EntryKind.RETARGET else None,
                amount=seconds * 1_000_000 if kind in {EntryKind.EXTEND, EntryKind.EXCLUDE} else 0,
                threshold=BREACH if kind is EntryKind.FIRE else None,
            )
        )
    return entries


@given(st.lists(st.tuples(STEPS, st.integers(0, 5000)), max_size=25))
@settings(max_examples=300, deadline=None)
def test_folding_the_log_gives_the_row_and_conserves_time(steps: list[tuple[EntryKind, int]]) -> None:
    entries = log_of(steps)
    row: Clock | None = None
    for entry in entries:
        generation = row.generation if row is not None else 0
        row = advance(row, entry, RULES)
        assert row.generation >= generation
        base = Elapsed()
        for seconds in (0, 7, 4000):
            now = (row.last_entry_at or START) + timedelta(seconds=seconds)
            assert spent(row, now, base) + remaining(row, now, base) == row.target
        if row.running:
            assert due_at(row, base) is not None
    assert fold(entries, RULES) == row


@given(st.lists(st.tuples(st.sampled_from([EntryKind.PAUSE, EntryKind.RESUME]), st.integers(0, 5000)), max_size=25))
@settings(max_examples=200, deadline=None)
def test_a_clock_counts_exactly_the_time_it_was_not_paused(steps: list[tuple[EntryKind, int]]) -> None:
    entries = log_of(steps)
    counted = timedelta()
    running, since = True, START
    for entry in entries[1:]:
        if running and entry.kind is EntryKind.PAUSE:
            counted += entry.at - since
            running = False
        elif not running and entry.kind is EntryKind.RESUME:
            running, since = True, entry.at
    end = entries[-1].at + timedelta(seconds=11)
    if running:
        counted += end - since
    assert spent(fold(entries, RULES), end, Elapsed()) == counted // timedelta(microseconds=1)


def test_a_log_must_begin_with_a_start_and_has_only_one() -> None:
    with pytest.raises(ValueError, match="must begin with a start"):
        fold([Entry("c", EntryKind.PAUSE, START)], RULES)
    with pytest.raises(ValueError, match="was started before"):
        fold(log_of([]) + log_of([]), RULES)
    with pytest.raises(ValueError, match="empty"):
        fold([], RULES)


def test_longer_limit_rearms_only_what_lies_ahead() -> None:
    spec = next(spec for spec in RULES.plan.clocks if spec.id == "respond")
    entries = log_of([])
    entries.append(Entry("c", EntryKind.FIRE, at(minutes=30), threshold="50%"))
    entries.append(Entry("c", EntryKind.FIRE, at(minutes=50), threshold="-10m"))
    clock = fold(entries, RULES)
    target = Elapsed().amount(Limit(LimitBase.ELAPSED, 90 * 60), at())
    kept = kept_thresholds(clock, spec, target, at(minutes=50), Elapsed())
    assert kept == ("50%",)  # 45 minutes of 90 are behind; ten minutes before the end are ahead again
    extended = advance(clock, Entry("c", EntryKind.EXTEND, at(minutes=50), amount=30 * 60_000_000, kept=kept), RULES)
    assert extended.passed == ("50%",)
    assert due_at(extended, Elapsed()) == at(minutes=90)


def test_only_the_next_threshold_of_a_clock_is_armed() -> None:
    decision = opened(RULES)
    ahead = (Ahead("-10m", at(minutes=50)), Ahead(BREACH, at(hours=1)))
    lane = lane_of("org-a", urgent=False)
    assert timer_of(decision, "respond") == Timer("clock:respond", 1, "50%", at(minutes=30), lane, ahead)
    after = fire(RULES, decision.case, timer_of(decision, "respond"), at(minutes=30))
    assert timer_of(after, "respond") == Timer("clock:respond", 1, "-10m", at(minutes=50), lane, ahead[1:])
    assert [change.kind for change in after.changes] == [ChangeKind.CLOCK_WARNED]
    assert [(request.purpose, request.roles) for request in after.requests] == [(Purpose.WARN, ("liaison",))]


def test_late_arrival_fires_only_the_highest_threshold_and_records_the_others() -> None:
    decision = opened(RULES)
    after = fire(RULES, decision.case, timer_of(decision, "respond"), at(hours=2))
    assert [(done.threshold, done.superseded) for done in after.fires] == [
        ("50%", True),
        ("-10m", True),
        (BREACH, False),
    ]
    assert [change.kind for change in after.changes if "clock" in change.kind] == [ChangeKind.CLOCK_BREACHED]
    assert clock_subject("respond") not in {timer.subject for timer in after.timers}


def test_breach_goes_up_a_tier_notifies_or_is_only_recorded_as_the_plan_says() -> None:
    first = opened(RULES, "orange")
    up = fire(RULES, first.case, timer_of(first, "respond"), at(hours=1))
    assert [(request.purpose, request.roles) for request in up.requests] == [(Purpose.PAGE, ("head", "deputy"))]
    told = fire(RULES, first.case, timer_of(first, "submit"), at(hours=24))
    assert [(request.purpose, request.roles) for request in told.requests] == [(Purpose.BREACH, ("quality-office",))]
    silent = fire(RULES, first.case, timer_of(first, "finish"), at(hours=48))
    assert silent.requests == ()
    assert [change.kind for change in silent.changes] == [ChangeKind.CLOCK_BREACHED]


def test_waiting_pauses_the_clocks_and_resuming_moves_their_end() -> None:
    case = opened(RULES).case
    case = apply_command(RULES, case, command(CommandKind.START, at(minutes=10)), at(minutes=10)).case
    waiting = apply_command(RULES, case, command(CommandKind.WAIT, at(hours=2)), at(hours=2))
    assert [timer.subject for timer in waiting.timers] == [WAIT]
    event = published(RULES, waiting, at(hours=2))
    assert event is not None
    assert {clock.id: (clock.state, clock.due_at) for clock in event.clocks}["finish"] == (ClockState.PAUSED, None)
    resumed = apply_command(RULES, waiting.case, command(CommandKind.RESUME, at(hours=5)), at(hours=5))
    assert timer_of(resumed, "finish").due_at == at(hours=51)


def test_acknowledgement_in_time_counts_although_its_news_came_after_the_breach() -> None:
    first = opened(RULES)
    breached = fire(RULES, first.case, timer_of(first, "respond"), at(hours=1))
    late_news = apply_command(
        RULES, breached.case, command(CommandKind.ACKNOWLEDGE, at(minutes=59)), at(hours=1, seconds=1)
    )
    respond = late_news.case.clock("respond")
    assert respond is not None
    assert state_of(respond, at(hours=2), Elapsed()) is ClockState.MET


def test_clock_that_ran_out_unseen_is_breached_when_it_is_stopped() -> None:
    decision = apply_command(RULES, opened(RULES).case, command(CommandKind.ACKNOWLEDGE, at(hours=2)), at(hours=2))
    kinds = [change.kind for change in decision.changes]
    assert kinds.count(ChangeKind.CLOCK_BREACHED) == 1
    assert [done.threshold for done in decision.fires] == [BREACH]
    assert Purpose.PAGE not in {request.purpose for request in decision.requests}


def test_clock_whose_stop_lies_before_the_opening_is_judged_at_once() -> None:
    text = PLAN_TEXT.replace("until: resolved\n    limit: 48h", "until: classified\n    limit: 1h")
    known = rules(text)
    for minutes, state in ((59, ClockState.MET), (61, ClockState.MISSED)):
        decision = opened(known, "yellow", at(minutes=minutes))
        event = published(known, decision, at(minutes=minutes))
        assert event is not None
        assert {clock.id: clock.state for clock in event.clocks}["finish"] is state


def test_plan_that_counts_in_working_days_says_that_it_needs_a_calendar() -> None:
    known = rules(PLAN_TEXT.replace("limit: 48h", "limit: 15wd").replace("timezone:", "calendar: china\ntimezone:"))
    with pytest.raises(NeedsCalendarError, match="working_days"):
        opened(known)
