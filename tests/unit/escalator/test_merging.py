"""A merge loses nothing: facts, the graver level and the nearer end of every clock go on in the surviving case."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalator.domain import clocks
from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.clocks import BREACH, Clock
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision, armed_for
from services.escalator.domain.firing import fire
from services.escalator.domain.merging import take_in
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from tests.support.escalations import START, at, classified, command, opened, rules

KNOWN = rules()
OTHER_ID = UUID("019a0000-0000-7000-8000-000000000009")
EXTENDABLE = rules("""
plan: replies
version: 1
title: {zh: 答复, en: Replies}
timezone: Asia/Shanghai
applies: {kinds: [complaint], default: true}
levels: [{id: yellow, zh: 黄色, en: Yellow}]
milestones: [{id: replied, zh: 已答复, en: Replied}]
facts:
  people: {int: {min: 0}}
  reply_by: instant
  court: bool
criteria:
  - {id: y, level: yellow, when: people >= 1, label: {zh: 一人, en: one}}
clocks:
  - id: reply
    label: {zh: 答复, en: Reply}
    from: received
    until: replied
    limit: 48h
    warn: ["50%"]
    breach: notify
    extension: {approve_by: [head], by: 24h, to: 96h, count: 2}
  - {id: promised, label: {zh: 约定, en: Promised}, from: received, until: replied,
     limit: {fact: reply_by, otherwise: 100h}, breach: notify}
  - {id: court, label: {zh: 应诉, en: Court}, from: received, until: resolved, limit: 72h, breach: notify, when: court}
tiers:
  - {id: first, zh: 一线, en: First, roles: [liaison], channels: [sms], acknowledge_within: 15m}
""")


def survivor(known: Rules = KNOWN, minutes: float = 0, **fields: object) -> Case:
    """The case that goes on; it came in `minutes` after the start."""
    return coming(known, minutes, **fields).evolve(case_id=OTHER_ID, number="2026-11-000009")


def coming(known: Rules = KNOWN, minutes: float = 0, **fields: object) -> Case:
    when = at(minutes=minutes)
    return opened(known, "yellow", when, occurred_at=when, received_at=when, **fields).case


def merge(known: Rules, case: Case, other: Case | None, when: datetime) -> tuple[Decision, Decision | None]:
    """What the command decides about the case, and what the other one then takes in."""
    order = command(CommandKind.MERGE, when, arguments={"into": "2026-11-000009"})
    decision = apply_command(known, case, order, when, other)
    if decision.case.state is not CaseState.MERGED or other is None:
        return decision, None
    return decision, take_in(known, other, decision.case, when, case)


def into(known: Rules, case: Case, other: Case, when: datetime) -> Case:
    taken = merge(known, case, other, when)[1]
    assert taken is not None
    return taken.case


def clock_of(case: Case, clock_id: str) -> Clock:
    clock = case.clock(clock_id)
    assert clock is not None
    return clock


def due(known: Rules, case: Case, clock_id: str) -> datetime | None:
    clock = clock_of(case, clock_id)
    return clocks.due_at(clock, known.base(clock.limit))


def test_the_clock_that_ends_first_goes_on_whichever_case_it_was_of() -> None:
    older, newer = coming(EXTENDABLE), survivor(EXTENDABLE, 60)
    after = into(EXTENDABLE, older, newer, at(hours=2))
    assert due(EXTENDABLE, after, "reply") == at(hours=48)
    assert clock_of(after, "reply").started_at == START
    late = into(EXTENDABLE, coming(EXTENDABLE, 60), survivor(EXTENDABLE), at(hours=2))
    assert due(EXTENDABLE, late, "reply") == at(hours=48)
    assert clock_of(late, "reply").generation == 1


def test_history_says_whose_clock_goes_on_and_until_when() -> None:
    _, taken = merge(EXTENDABLE, coming(EXTENDABLE), survivor(EXTENDABLE, 60), at(hours=2))
    assert taken is not None
    changed = [change for change in taken.changes if change.kind is ChangeKind.CLOCK_CHANGED]
    assert {change.details["merged"] for change in changed} == {"2026-11-000001"}
    assert at(hours=48).isoformat() in {change.details["due_at"] for change in changed}
    armed = {timer.subject: timer.due_at for timer in taken.timers}
    assert armed["clock:reply"] == at(hours=24)


def test_what_the_nearer_clock_had_spent_and_been_given_goes_with_it() -> None:
    case = coming(EXTENDABLE)
    for kind, minutes, arguments in (
        (CommandKind.START, 10, {}),
        (CommandKind.WAIT, 60, {"reason_code": "customer"}),
        (CommandKind.RESUME, 120, {}),
        (CommandKind.EXTENSION_REQUEST, 130, {"clock": "reply"}),
    ):
        when = at(minutes=minutes)
        case = apply_command(EXTENDABLE, case, command(kind, when, reason="因故", arguments=arguments), when).case
    before = due(EXTENDABLE, case, "reply")
    assert before == at(hours=49)
    after = into(EXTENDABLE, case, survivor(EXTENDABLE, 180), at(hours=5))
    clock, base = clock_of(after, "reply"), EXTENDABLE.base(clock_of(after, "reply").limit)
    assert due(EXTENDABLE, after, "reply") == before
    assert base.due(START, clocks.spent(clock, at(hours=5), base)) == at(hours=4)
    assert clocks.spent(clock, at(hours=6), base) + clocks.remaining(clock, at(hours=6), base) == clock.target
    assert [(one.clock, one.approved) for one in after.extensions] == [("reply", None)]


def test_a_breach_goes_with_it_and_pages_nobody_twice() -> None:
    case = coming(EXTENDABLE)
    timer = armed_for("clock:reply", case, EXTENDABLE)
    assert timer is not None
    case = fire(EXTENDABLE, case, timer, at(hours=49)).case
    assert clock_of(case, "reply").breached
    other = survivor(EXTENDABLE, 60 * 40)
    _, taken = merge(EXTENDABLE, case, other, at(hours=50))
    assert taken is not None
    clock = clock_of(taken.case, "reply")
    assert BREACH in clock.passed
    assert clocks.state_of(clock, at(hours=50), EXTENDABLE.base(clock.limit)) is ClockState.BREACHED
    assert taken.requests == ()
    assert taken.fires == ()
    assert "clock:reply" not in {timer.subject for timer in taken.timers}


def test_facts_of_the_merged_case_start_and_end_the_clocks_of_the_one_that_goes_on() -> None:
    promise = at(hours=30).isoformat()
    case = coming(EXTENDABLE, 0, facts={"people": 1, "reply_by": promise, "court": True})
    other = survivor(EXTENDABLE, 60, facts={"people": 2})
    after = into(EXTENDABLE, case, other, at(hours=2))
    assert after.facts == {"people": 2, "reply_by": promise, "court": True}
    assert due(EXTENDABLE, after, "promised") == at(hours=30)
    assert due(EXTENDABLE, after, "court") == at(hours=72)
    again = classified(EXTENDABLE.plan.ref, revision=2, facts={"people": 3}, when=at(hours=3))
    later = reclassify(EXTENDABLE, after, again, at(hours=3)).case
    assert later.facts == {"people": 3, "reply_by": promise, "court": True}
    assert due(EXTENDABLE, later, "promised") == at(hours=30)
    assert due(EXTENDABLE, later, "court") == at(hours=72)


def test_a_promise_that_was_sooner_is_not_loosened_by_what_the_other_case_knows() -> None:
    case = coming(EXTENDABLE, 0, facts={"people": 1, "reply_by": at(hours=30).isoformat()})
    other = survivor(EXTENDABLE, 60, facts={"people": 1, "reply_by": at(hours=90).isoformat()})
    after = into(EXTENDABLE, case, other, at(hours=2))
    assert due(EXTENDABLE, after, "promised") == at(hours=30)
    facts = {"people": 5, "reply_by": at(hours=80).isoformat()}
    news = classified(EXTENDABLE.plan.ref, revision=2, facts=facts, when=at(hours=3))
    assert due(EXTENDABLE, reclassify(EXTENDABLE, after, news, at(hours=3)).case, "promised") == at(hours=30)


def test_a_case_that_waited_goes_on_because_a_merge_is_news() -> None:
    other = survivor(EXTENDABLE)
    for kind in (CommandKind.START, CommandKind.WAIT):
        other = apply_command(EXTENDABLE, other, command(kind, at(minutes=70), reason="等资料"), at(minutes=70)).case
    after = into(EXTENDABLE, coming(EXTENDABLE, 60), other, at(hours=2))
    assert after.state is CaseState.IN_PROGRESS
    assert due(EXTENDABLE, after, "reply") == at(hours=48, minutes=50)


def test_a_milestone_that_was_passed_is_passed_for_both() -> None:
    other = survivor(EXTENDABLE, 60)
    done = command(CommandKind.MILESTONE, at(minutes=90), arguments={"milestone": "replied"})
    other = apply_command(EXTENDABLE, other, done, at(minutes=90)).case
    after = into(EXTENDABLE, coming(EXTENDABLE), other, at(hours=2))
    assert clock_of(after, "reply").stopped_at == at(minutes=90)


@pytest.mark.parametrize("over", [CaseState.RESOLVED, CaseState.CLOSED, CaseState.WITHDRAWN])
def test_nothing_is_merged_into_a_case_that_is_over_or_unknown_or_itself(over: CaseState) -> None:
    case = coming()
    for other in (survivor().evolve(state=over), None, case):
        decision, taken = merge(KNOWN, case, other, at(minutes=5))
        assert taken is None
        assert [change.kind for change in decision.changes] == [ChangeKind.COMMAND_REFUSED]
        assert decision.case.state is CaseState.CLASSIFIED
        assert decision.timers


def test_both_histories_name_the_other_case_and_the_paged_stand_down() -> None:
    decision, taken = merge(KNOWN, coming(), survivor(), at(minutes=5))
    assert taken is not None
    gone = next(change for change in decision.changes if change.details.get("state") == CaseState.MERGED)
    assert (gone.details["into"], gone.details["case"]) == ("2026-11-000009", str(OTHER_ID))
    assert decision.case.merged_into == OTHER_ID
    assert decision.timers == ()
    assert [request.purpose for request in decision.requests] == [Purpose.STAND_DOWN]
    assert "2026-11-000001" in taken.changes[0].because


def test_what_becomes_known_of_a_merged_case_later_reaches_the_one_that_goes_on() -> None:
    decision, taken = merge(EXTENDABLE, coming(EXTENDABLE), survivor(EXTENDABLE, 60), at(hours=2))
    assert taken is not None
    facts = {"people": 1, "court": True}
    news = classified(EXTENDABLE.plan.ref, revision=2, facts=facts, when=at(hours=3))
    merged = reclassify(EXTENDABLE, decision.case, news, at(hours=3)).case
    assert merged.state is CaseState.MERGED
    later = take_in(EXTENDABLE, taken.case, merged, at(hours=3))
    assert due(EXTENDABLE, later.case, "court") == at(minutes=60, hours=72)
    assert take_in(EXTENDABLE, later.case, merged, at(hours=4)).ignored is not None


def test_a_merged_case_that_is_reopened_counts_from_its_own_beginning_again() -> None:
    decision, _ = merge(EXTENDABLE, coming(EXTENDABLE), survivor(EXTENDABLE, 60), at(hours=2))
    order = command(CommandKind.REOPEN, at(hours=3), reason="并错")
    again = apply_command(EXTENDABLE, decision.case, order, at(hours=3))
    assert again.case.merged_into is None
    assert due(EXTENDABLE, again.case, "reply") == at(hours=48)
    assert again.requests[0].purpose is Purpose.PAGE


_STEPS = st.lists(st.integers(1, 300), min_size=0, max_size=6)


@settings(deadline=None)
@given(mine=_STEPS, theirs=_STEPS, head_start=st.integers(-600, 600))
def test_no_merge_ever_moves_an_end_backwards_or_lets_time_be_lost(
    mine: list[int], theirs: list[int], head_start: int
) -> None:
    """Whatever either case waited: afterwards the end is the nearer one, and spent + remaining is the target."""
    first = _waited(coming(EXTENDABLE, max(0, head_start)), max(0, head_start), mine)
    second = _waited(survivor(EXTENDABLE, max(0, -head_start)), max(0, -head_start), theirs)
    when = at(minutes=600 + 300 * 6)
    ends = [_end_if_resumed(one, when) for one in (first, second)]
    after = into(EXTENDABLE, first, second, when)
    clock = clock_of(after, "reply")
    base = EXTENDABLE.base(clock.limit)
    assert due(EXTENDABLE, after, "reply") == min(ends)
    for later in (timedelta(), timedelta(hours=7)):
        assert clocks.spent(clock, when + later, base) + clocks.remaining(clock, when + later, base) == clock.target


def _waited(case: Case, begun: int, steps: list[int]) -> Case:
    """The case after being started and then, by turns, waiting and being resumed."""
    minute = begun
    case = apply_command(EXTENDABLE, case, command(CommandKind.START, at(minutes=minute)), at(minutes=minute)).case
    for place, step in enumerate(steps):
        minute += step
        kind = CommandKind.RESUME if place % 2 else CommandKind.WAIT
        order = command(kind, at(minutes=minute), reason="等资料")
        case = apply_command(EXTENDABLE, case, order, at(minutes=minute)).case
    return case


def _end_if_resumed(case: Case, when: datetime) -> datetime:
    """When the reply would be due, had nobody merged anything and work gone on at `when`."""
    if case.state is CaseState.WAITING:
        case = apply_command(EXTENDABLE, case, command(CommandKind.RESUME, when), when).case
    found = due(EXTENDABLE, case, "reply")
    assert found is not None
    return found
