"""Tiers with waits, working hours, others off hours, recusal and a ladder that begins again; raising by age."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.escalator.domain.classification import reclassify
from services.escalator.domain.clocks import due_at
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import LADDER, WAIT, Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.plans.time_spec import LONGEST_WAIT
from tests.support.calendars import shipped
from tests.support.escalations import PLAN_TEXT, at, classified, command, opened, rules

FRIDAY_EVENING = datetime(2026, 11, 20, 20, 0, tzinfo=UTC) - timedelta(hours=8)
MONDAY_MORNING = FRIDAY_EVENING + timedelta(days=2, hours=13)  # 09:00, where the calendar's day begins
MAKE_UP_SATURDAY = datetime(2026, 2, 14, 10, 0, tzinfo=UTC) - timedelta(hours=8)


def with_tier(change: str, text: str = PLAN_TEXT) -> Rules:
    """The test plan with more keys at its second tier, counting by the calendar that is shipped."""
    text = text.replace("acknowledge_within: 10m}", f"acknowledge_within: 10m, {change}}}")
    return Rules(rules(text.replace("timezone:", "calendar: china\ntimezone:")).plan, shipped())


def at_second_tier(known: Rules, level: str, now: datetime) -> Decision:
    decision = opened(known, level, now, received_at=now, occurred_at=now)
    order = command(CommandKind.CANNOT_HANDLE, now, reason="超出权限")
    return apply_command(known, decision.case, order, now)


def timer(decision: Decision, subject: str = LADDER) -> Any:
    return next(one for one in decision.timers if one.subject == subject)


def pages(decision: Decision) -> list[tuple[str, ...]]:
    return [request.roles for request in decision.requests if request.purpose is Purpose.PAGE]


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def test_a_tier_with_a_wait_is_paged_after_it_unless_somebody_acknowledges() -> None:
    known = with_tier("wait: 5m")
    now = MAKE_UP_SATURDAY
    reached = at_second_tier(known, "yellow", now)
    assert pages(reached) == []
    assert timer(reached).due_at == now + timedelta(minutes=5)
    paged = fire(known, reached.case, timer(reached), now + timedelta(minutes=5))
    assert pages(paged) == [("head", "deputy")]
    assert timer(paged).due_at == now + timedelta(minutes=15)
    answered = apply_command(known, reached.case, command(CommandKind.ACKNOWLEDGE, now), now)
    assert LADDER not in {one.subject for one in answered.timers}


@pytest.mark.parametrize(
    ("level", "now", "paged"),
    [
        ("yellow", FRIDAY_EVENING, False),
        ("red", FRIDAY_EVENING, True),  # the highest level waits for nobody's morning
        ("yellow", MAKE_UP_SATURDAY, True),  # a Saturday on which China works
    ],
)
def test_working_hours_hold_a_tier_back_but_never_the_highest_level(level: str, now: datetime, *, paged: bool) -> None:
    known = with_tier("hours: working")
    reached = at_second_tier(known, level, now)
    assert pages(reached) == ([("head", "deputy")] if paged else [])
    if not paged:
        assert timer(reached).due_at == MONDAY_MORNING
        assert pages(fire(known, reached.case, timer(reached), MONDAY_MORNING)) == [("head", "deputy")]


@pytest.mark.parametrize(
    ("now", "roles"), [(FRIDAY_EVENING, ("duty-manager",)), (MAKE_UP_SATURDAY, ("head", "deputy"))]
)
def test_off_hours_others_stand_in(now: datetime, roles: tuple[str, ...]) -> None:
    known = with_tier("off_hours: [duty-manager]")
    assert pages(at_second_tier(known, "yellow", now)) == [roles]


def test_the_ladder_begins_again_until_somebody_acknowledges_and_says_so_once() -> None:
    known = with_tier("repeat_from: liaison")
    decision = at_second_tier(known, "yellow", MAKE_UP_SATURDAY)
    seen = []
    for _ in range(7):
        due = timer(decision).due_at
        decision = fire(known, decision.case, timer(decision), due)
        seen.append((pages(decision)[0], ChangeKind.CHAIN_ENDED in kinds(decision)))
    liaison, head = ("liaison",), ("head", "deputy")
    assert seen == [
        (liaison, True), (liaison, False), (head, False), (liaison, False), (liaison, False), (head, False),
        (liaison, False),
    ]  # fmt: skip


def test_who_the_case_is_about_is_not_paged() -> None:
    text = PLAN_TEXT.replace(
        "  people: {int: {min: 0}}", "  people: {int: {min: 0}}\n  accused: {enum: [liaison, head, nobody]}"
    ) + (
        "recusal:\n  - {id: accused, words: {zh: 回避, en: Keeps out}, who: accused, covers: [pages], "
        "instead: [director]}\n"
    )
    known = rules(text)
    about = {"people": 1, "accused": "liaison"}
    assert pages(opened(known, facts=about)) == [("director",)]
    assert pages(opened(known, facts={"people": 1, "accused": "nobody"})) == [("liaison",)]


def test_a_case_that_ages_unsolved_rises() -> None:
    text = PLAN_TEXT.replace(
        "limit: 48h\n    breach: record", "limit: 48h\n    breach: raise-level\n    raises: orange"
    )
    known = rules(text)
    first = apply_command(known, opened(known).case, command(CommandKind.ACKNOWLEDGE, at(minutes=1)), at(minutes=1))
    aged = fire(known, first.case, timer(first, "clock:finish"), at(hours=48))
    assert aged.case.level == "orange"
    assert {ChangeKind.CLOCK_BREACHED, ChangeKind.LEVEL_RAISED} <= set(kinds(aged))
    assert pages(aged) == [("liaison",)]
    already = apply_command(
        known, opened(known, "red").case, command(CommandKind.ACKNOWLEDGE, at(minutes=1)), at(minutes=1)
    )
    kept = fire(known, already.case, timer(already, "clock:finish"), at(hours=48))
    assert kept.case.level == "red"
    assert ChangeKind.LEVEL_RAISED not in kinds(kept)


def waiting(known: Rules, **arguments: Any) -> Decision:
    case = apply_command(known, opened(known).case, command(CommandKind.START, at(hours=1)), at(hours=1)).case
    return apply_command(known, case, command(CommandKind.WAIT, at(hours=2), arguments=arguments), at(hours=2))


def test_a_wait_ends_by_itself_and_the_clocks_go_on() -> None:
    known = rules()
    decision = waiting(known, reason_code="customer", until=at(hours=5).isoformat())
    assert decision.case.pause is not None
    assert decision.case.pause.reason_code == "customer"
    assert timer(decision, WAIT).due_at == at(hours=5)
    over = fire(known, decision.case, timer(decision, WAIT), at(hours=5))
    assert over.case.state is CaseState.IN_PROGRESS
    finish = over.case.clock("finish")
    assert finish is not None
    assert due_at(finish, known.base(finish.limit)) == at(hours=51)
    assert WAIT not in {one.subject for one in over.timers}


def test_nobody_waits_for_ever() -> None:
    known = rules()
    for until in (at(days=900).isoformat(), at(hours=-1).isoformat(), "soon", None):
        decision = waiting(known, **({"until": until} if until else {}))
        assert timer(decision, WAIT).due_at == at(hours=2) + LONGEST_WAIT


def test_news_from_the_source_ends_the_wait() -> None:
    known = rules()
    case = waiting(known).case
    same = reclassify(known, case, classified(known.plan.ref, revision=2, when=at(hours=3)), at(hours=3))
    assert same.case.state is CaseState.WAITING
    more = classified(known.plan.ref, revision=3, when=at(hours=3), facts={"people": 2})
    answered = reclassify(known, case, more, at(hours=3))
    assert answered.case.state is CaseState.IN_PROGRESS
    assert answered.case.pause is None


def test_a_second_wait_is_not_ended_by_the_timer_of_the_first() -> None:
    known = rules()
    first = waiting(known, until=at(hours=5).isoformat())
    resumed = apply_command(known, first.case, command(CommandKind.RESUME, at(hours=3)), at(hours=3))
    again = apply_command(known, resumed.case, command(CommandKind.WAIT, at(hours=4)), at(hours=4))
    late = fire(known, again.case, timer(first, WAIT), at(hours=5))
    assert late.ignored == "the timer is void"


def test_those_a_plan_informs_are_told_at_their_milestone_and_level() -> None:
    known = rules(
        PLAN_TEXT
        + "inform:\n"
        + "  - {id: press, roles: [press-office], channels: [email], levels: [orange], "
        + "words: {zh: 准备口径, en: Words}}\n"
        + "  - {id: plan, roles: [archive], on: plan-submitted}\n"
    )
    assert "press-office" not in {role for one in opened(known).requests for role in one.roles}
    first = opened(known, "orange")
    press = next(one for one in first.requests if one.roles == ("press-office",))
    assert (press.purpose, press.subject.because) == (Purpose.INFORM, "准备口径")
    order = command(CommandKind.MILESTONE, at(hours=1), arguments={"milestone": "plan-submitted"})
    done = apply_command(known, first.case, order, at(hours=1))
    assert [one.roles for one in done.requests] == [("archive",)]
