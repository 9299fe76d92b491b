"""Who has the case: taken back, taken over, each with its name and reason, and paging as it follows."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.escalator.domain.case import Case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import LADDER, Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import published
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor, ActorKind
from tests.support.escalations import PERSON, at, command, opened, rules

RULES = rules()
OTHER = Actor(kind=ActorKind.PERSON, ref="duty-manager-b")


def do(case: Case, kind: CommandKind, minutes: int, actor: Actor = PERSON, reason: str | None = None) -> Decision:
    when = at(minutes=minutes)
    return apply_command(RULES, case, command(kind, when, actor=actor, reason=reason), when)


def test_an_acknowledgement_taken_back_is_recorded_and_pages_again() -> None:
    taken = do(opened(RULES).case, CommandKind.ACKNOWLEDGE, 2)
    assert LADDER not in {timer.subject for timer in taken.timers}
    started = do(taken.case, CommandKind.START, 3)
    told = published(RULES, started, at(minutes=3))
    assert told is not None
    assert told.handled_by == PERSON
    back = do(started.case, CommandKind.UNACKNOWLEDGE, 5, reason="误点")
    assert (back.case.state, back.case.acknowledgement) == (CaseState.CLASSIFIED, None)
    told = published(RULES, back, at(minutes=5))
    assert told is not None
    assert (told.acknowledged_by, told.acknowledged_at, told.handled_by) == (None, None, None)
    assert [one.purpose for one in back.requests] == [Purpose.PAGE]
    assert LADDER in {timer.subject for timer in back.timers}
    (change,) = (one for one in back.changes if one.kind is ChangeKind.STATE_CHANGED)
    assert (change.details["actor"], "误点" in change.because) == (PERSON.ref, True)


def test_a_take_over_is_recorded_with_who_took_it_and_pages_nobody() -> None:
    taken = do(opened(RULES).case, CommandKind.ACKNOWLEDGE, 2)
    over = do(taken.case, CommandKind.TAKE_OVER, 5, OTHER, "由我接手")
    assert (over.case.state, over.case.handler) == (CaseState.IN_PROGRESS, OTHER)
    assert over.case.acknowledgement is not None
    assert over.case.acknowledgement.actor == PERSON
    told = published(RULES, over, at(minutes=5))
    assert told is not None
    assert (told.acknowledged_by, told.handled_by) == (PERSON, OTHER)
    assert not [one for one in over.requests if one.purpose is Purpose.PAGE]
    (change,) = (one for one in over.changes if one.kind is ChangeKind.STATE_CHANGED)
    assert (change.details["actor"], "由我接手" in change.because) == (OTHER.ref, True)


def test_a_take_over_of_what_nobody_had_acknowledges_it() -> None:
    over = do(opened(RULES).case, CommandKind.TAKE_OVER, 5, OTHER)
    assert over.case.acknowledgement is not None
    assert over.case.acknowledgement.actor == OTHER
    assert LADDER not in {timer.subject for timer in over.timers}


def test_instants_in_sentences_are_by_the_plans_clock_as_people_read_them() -> None:
    taken = do(opened(RULES).case, CommandKind.ACKNOWLEDGE, 2)
    timer = next(one for one in taken.timers if one.subject == "clock:finish")
    late = fire(RULES, taken.case, timer, at(hours=49))
    (change,) = (one for one in late.changes if one.kind is ChangeKind.CLOCK_BREACHED)
    due = datetime.fromisoformat(str(change.details["due_at"]))
    assert f"应于 {due.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M} 前完成" in change.because
    assert all("+00:00" not in one.subject.because for one in late.requests if one.subject.because)
