"""An open case under another version of its plan: what changes, and what never does."""

from datetime import datetime
from typing import Any

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision, armed
from services.escalator.domain.firing import fire
from services.escalator.domain.moving import move, wanted_move
from services.escalator.domain.publishing import published, statuses
from services.escalator.domain.time_bases import Rules
from shared.contracts.classifications import PlanMove
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, Change, ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from shared.contracts.values import Bilingual, CaseKind
from tests.support.escalations import PERSON, at, classified, command, opened, rules
from tests.support.moves import ASKED, SEVERE, V1, V1_TEXT, moved, second


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def change(decision: Decision, kind: ChangeKind) -> Change:
    return next(one for one in decision.changes if one.kind is kind)


def due(known: Rules, case: Case, clock: str) -> datetime | None:
    return next(status.due_at for status in statuses(known, case, case.changed_at) if status.id == clock)


def ordered(case: Case, kind: CommandKind, when: datetime, **fields: Any) -> Case:
    decision = apply_command(V1, case, command(kind, when, **fields), when)
    assert ChangeKind.COMMAND_REFUSED not in kinds(decision), decision.changes
    return decision.case


def extended() -> Case:
    """Its clock `finish` was given a day more than its limit."""
    case = ordered(opened(V1).case, CommandKind.EXTENSION_REQUEST, at(hours=1), reason="parts", arguments={})
    head = PERSON.model_copy(update={"ref": "head-a"})
    return ordered(case, CommandKind.EXTENSION_APPROVE, at(hours=2), actor=head, arguments={"role": "head"})


def test_a_case_takes_the_new_text_and_its_history_says_who_moved_it_from_where_to_where_and_why() -> None:
    case, after = opened(V1).case, second()
    decision = moved(case, after, at(minutes=5))
    assert decision.case.plan == after.plan.ref
    note = change(decision, ChangeKind.PLAN_MOVED)
    assert "第 2 版" in note.because
    assert "duty-manager-a" in note.because
    assert "the plan was revised" in note.because
    assert note.details["from_sha256"] == V1.plan.ref.sha256
    assert note.details["to_sha256"] == after.plan.ref.sha256
    assert decision.case.clocks == case.clocks, "nothing about the clocks is different"
    assert decision.case.ladder == case.ladder
    assert not decision.requests, "nobody is told anew"


def test_the_case_shows_the_new_version_when_it_is_published() -> None:
    after = second()
    decision = moved(opened(V1).case, after, at(minutes=5))
    shown = published(after, decision, at(minutes=5))
    assert shown is not None
    assert (shown.plan.version, shown.plan.sha256) == (2, after.plan.ref.sha256)


def test_a_clock_with_another_limit_counts_from_its_own_start() -> None:
    case = opened(V1).case
    after = second(("limit: 1h", "limit: 40m"))
    decision = moved(case, after, at(minutes=10))
    assert due(after, decision.case, "respond") == at(minutes=40)
    assert change(decision, ChangeKind.CLOCK_CHANGED).details["clock"] == "respond"


@pytest.mark.parametrize("rule", ["keep-elapsed", "from-start", "fresh"])
def test_no_rule_makes_a_clock_younger_when_the_case_moves(rule: str) -> None:
    case = opened(V1).case
    after = second(("limit: 1h", f"limit: 2h\n    retarget: {rule}"))
    assert due(after, moved(case, after, at(minutes=30)).case, "respond") == at(hours=2)


def test_tighten_only_keeps_the_nearer_end() -> None:
    case = opened(V1).case
    after = second(("limit: 1h", "limit: 2h\n    retarget: tighten-only"))
    assert due(after, moved(case, after, at(minutes=30)).case, "respond") == at(hours=1)


def test_a_limit_that_has_passed_by_the_new_version_is_armed_for_the_past_and_so_fires_at_once() -> None:
    case = opened(V1).case
    after = second(("limit: 1h", "limit: 20m"), ('warn: ["50%", "-10m"]', "warn: []"))
    decision = moved(case, after, at(minutes=30))
    timer = next(timer for timer in decision.timers if timer.subject == "clock:respond")
    assert (timer.threshold, timer.due_at) == ("breach", at(minutes=20))


@pytest.mark.parametrize("rule", ["keep-elapsed", "from-start", "fresh"])
@pytest.mark.parametrize(("limit", "ends"), [("24h", 48), ("72h", 96)])
def test_an_extension_that_was_granted_is_not_lost(rule: str, limit: str, ends: int) -> None:
    case = extended()
    assert due(V1, case, "finish") == at(hours=72)
    after = second(("limit: 48h", f"limit: {limit}\n    retarget: {rule}"))
    decision = moved(case, after, at(hours=3))
    assert due(after, decision.case, "finish") == at(hours=ends)
    assert decision.case.extensions == case.extensions


def test_an_extension_of_elapsed_time_is_as_long_under_a_limit_of_calendar_days() -> None:
    case = extended()
    plain = second(("limit: 48h", "limit: 3cd"))
    without = due(plain, moved(opened(V1).case, plain, at(hours=3)).case, "finish")
    granted = due(plain, moved(case, plain, at(hours=3)).case, "finish")
    assert without is not None
    assert granted is not None
    assert granted - without == at(hours=24) - at()


def test_time_that_was_left_out_stays_left_out() -> None:
    case = ordered(
        opened(V1).case,
        CommandKind.EXCLUDE,
        at(hours=3),
        reason="appraisal",
        arguments={"clock": "finish", "from": at(hours=1).isoformat(), "to": at(hours=2).isoformat()},
    )
    after = second(("limit: 48h", "limit: 30h"))
    assert due(after, moved(case, after, at(hours=4)).case, "finish") == at(hours=31)


def test_a_case_that_waits_goes_on_waiting_and_its_clocks_stand_still() -> None:
    case = ordered(opened(V1).case, CommandKind.ACKNOWLEDGE, at(minutes=5))
    case = ordered(case, CommandKind.WAIT, at(hours=1), reason="customer")
    for rule in ("keep-elapsed", "from-start"):
        after = second(("limit: 48h", f"limit: 24h\n    retarget: {rule}"))
        decision = moved(case, after, at(hours=5), facts={"people": 2})
        assert decision.case.state is CaseState.WAITING
        finish = decision.case.clock("finish")
        assert finish is not None
        assert finish.paused
        resumed = apply_command(after, decision.case, command(CommandKind.RESUME, at(hours=6)), at(hours=6)).case
        assert due(after, resumed, "finish") == at(hours=24 + 5)


def test_a_clock_that_the_version_does_not_have_ends_and_is_still_shown_as_it_stood() -> None:
    case = opened(V1, "orange").case
    start = V1_TEXT.index("  - id: submit")
    text = V1_TEXT[:start] + V1_TEXT[V1_TEXT.index("  - id: finish") :]
    after = second(text=text)
    decision = moved(case, after, at(hours=1), "orange")
    assert "submit" not in {timer.subject for timer in decision.timers}
    shown = {status.id: status for status in statuses(after, decision.case, at(hours=1))}
    assert shown["submit"].state is ClockState.CANCELLED
    assert shown["submit"].due_at == at(hours=24)
    again = moved(
        decision.case, rules(V1_TEXT.replace("version: 1", "version: 3")), at(hours=2), "orange", before=after
    )
    ids = [status.id for status in statuses(rules(V1_TEXT), again.case, at(hours=2))]
    assert sorted(ids) == ["finish", "respond", "submit"], "a clock that is back stands there once"


def test_a_clock_that_is_new_counts_from_its_milestone() -> None:
    case = opened(V1).case
    after = second(("levels: [orange, red]\n    notify_roles", "notify_roles"))
    decision = moved(case, after, at(hours=2))
    assert due(after, decision.case, "submit") == at(hours=24)


def test_a_clock_that_starts_elsewhere_counts_from_there_and_one_whose_end_has_passed_stops() -> None:
    case = ordered(opened(V1).case, CommandKind.ACKNOWLEDGE, at(minutes=30))
    after = second(("from: received\n    until: resolved", "from: acknowledged\n    until: resolved"))
    assert due(after, moved(case, after, at(hours=1)).case, "finish") == at(hours=48, minutes=30)
    stops = second(("from: received\n    until: resolved", "from: received\n    until: acknowledged"))
    finish = moved(case, stops, at(hours=1)).case.clock("finish")
    assert finish is not None
    assert finish.stopped_at == at(minutes=30)


def test_a_breach_stays() -> None:
    case = opened(V1, "yellow").case
    case = apply_command(V1, case, command(CommandKind.START, at(minutes=1)), at(minutes=1)).case
    timer = next(timer for timer in armed(case, V1) if timer.subject == "clock:finish")
    case = fire(V1, case, timer, at(hours=49)).case
    after = second(("limit: 48h", "limit: 90h"))
    finish = moved(case, after, at(hours=50)).case.clock("finish")
    assert finish is not None
    assert finish.breached


def test_a_higher_level_pages_at_once_and_is_to_be_acknowledged_anew() -> None:
    case = ordered(opened(V1).case, CommandKind.ACKNOWLEDGE, at(minutes=5))
    after = second(("when: people >= 10,", "when: people >= 3,"))
    decision = moved(case, after, at(minutes=20), "orange", facts={"people": 3})
    assert decision.case.level == "orange"
    assert decision.case.state is CaseState.CLASSIFIED
    assert Purpose.PAGE in {request.purpose for request in decision.requests}
    assert kinds(decision)[0] is ChangeKind.PLAN_MOVED
    assert ChangeKind.LEVEL_RAISED in kinds(decision)


def test_a_level_falls_only_where_the_person_lets_it() -> None:
    case = opened(V1, "red").case
    after = second()
    stays = moved(case, after, at(minutes=5), "yellow")
    assert stays.case.level == "red"
    assert ChangeKind.LEVEL_KEPT in kinds(stays)
    falls = moved(case, after, at(minutes=5), "yellow", levels="as-judged")
    assert falls.case.level == "yellow"
    assert change(falls, ChangeKind.LEVEL_LOWERED).details["before"] == "red"


def test_a_level_that_the_version_does_not_have_becomes_the_one_it_judges() -> None:
    case = opened(V1, "red").case
    after = second(text=SEVERE)
    ref = classified(after.plan.ref, "red", revision=2).model_copy(update={"level": "severe", "level_rank": 3})
    wanted = PlanMove(asked=ASKED, actor=PERSON, reason="revised", before=case.plan, version=2)
    data = ref.model_copy(update={"move": wanted})
    decision = move((V1, after), case, data, wanted, at(minutes=5))
    assert decision.case.level == "severe"
    assert published(after, decision, at(minutes=5)) is not None


def test_a_level_that_is_gone_with_nothing_instead_is_refused_by_name_unless_it_may_fall() -> None:
    case = opened(V1, "red").case
    after = second(text=SEVERE)
    refused = moved(case, after, at(minutes=5), None)
    assert refused.case.plan == V1.plan.ref
    assert "red" in change(refused, ChangeKind.COMMAND_REFUSED).because
    assert moved(case, after, at(minutes=5), None, levels="as-judged").case.level is None


@pytest.mark.parametrize("ending", [CommandKind.RESOLVE, CommandKind.CLOSE, CommandKind.WITHDRAW])
def test_a_case_that_ended_meanwhile_keeps_its_version_with_a_word_said_once(ending: CommandKind) -> None:
    case = ordered(opened(V1).case, CommandKind.START, at(minutes=1))
    case = ordered(case, ending, at(minutes=2), reason="done")
    after = second()
    decision = moved(case, after, at(minutes=5), "red")
    assert decision.case.plan == V1.plan.ref
    assert decision.case.level == "yellow"
    assert kinds(decision) == [ChangeKind.COMMAND_REFUSED]
    again = moved(decision.case, after, at(minutes=6), "yellow")
    assert ChangeKind.COMMAND_REFUSED not in kinds(again)


def test_a_case_that_is_open_again_follows_with_the_next_classification() -> None:
    case = ordered(opened(V1).case, CommandKind.START, at(minutes=1))
    case = ordered(case, CommandKind.RESOLVE, at(minutes=2))
    after = second()
    case = moved(case, after, at(minutes=5)).case
    case = ordered(case, CommandKind.REOPEN, at(minutes=6), reason="not solved")
    assert moved(case, after, at(minutes=7)).case.plan == after.plan.ref


def test_what_the_classifier_refuses_is_told_in_the_history() -> None:
    case = opened(V1).case
    decision = moved(case, V1, at(minutes=5), refused=Bilingual(zh="预案 x 已不在", en="plan x is gone"))
    assert "预案 x 已不在" in change(decision, ChangeKind.COMMAND_REFUSED).because
    assert decision.case.plan == V1.plan.ref


def test_what_is_older_than_what_is_known_or_under_this_version_already_is_no_move() -> None:
    case, after = opened(V1).case, second()
    wanted = PlanMove(asked=ASKED, actor=PERSON, reason="revised", before=case.plan, version=2)
    older = classified(after.plan.ref, "yellow", revision=1).model_copy(update={"move": wanted})
    assert wanted_move(case, older) is None
    there = moved(case, after, at(minutes=5)).case
    later = classified(after.plan.ref, "yellow", revision=9).model_copy(update={"move": wanted})
    assert wanted_move(there, later) is None


def test_a_warning_case_keeps_its_version_and_says_so() -> None:
    case = opened(V1, kind=CaseKind.WARNING).case
    arguments = {"version": 2}
    wish = command(CommandKind.MOVE_PLAN, at(minutes=5), plan="ladder-test", reason="revised", arguments=arguments)
    refused = apply_command(V1, case, wish, at(minutes=5))
    assert kinds(refused) == [ChangeKind.COMMAND_REFUSED]
    assert "窗口" in refused.changes[0].because, "why: what was counted was counted by the version's windows"
    plain = apply_command(V1, opened(V1).case, wish, at(minutes=5))
    assert plain.ignored is not None, "the classifier speaks first"


def test_a_move_takes_a_person_and_a_reason() -> None:
    case = opened(V1).case
    arguments = {"version": 2}
    wish = command(CommandKind.MOVE_PLAN, at(minutes=5), plan="ladder-test", arguments=arguments)
    assert kinds(apply_command(V1, case, wish, at(minutes=5))) == [ChangeKind.COMMAND_REFUSED]
