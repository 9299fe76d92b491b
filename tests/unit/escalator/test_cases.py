"""Levels, commands and the order of events."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case, reclassify
from services.escalator.domain.clocks import fold
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import LADDER, Decision, armed
from services.escalator.domain.firing import fire
from services.escalator.domain.publishing import published
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor, ActorKind
from tests.support.escalations import CASE_ID, LEVELS, START, at, classified, command, opened, rules

RULES = rules()
LINK = Actor(kind=ActorKind.LINK, ref="liaison-a")


def again(case: Case, level: str | None, revision: int, **fields: Any) -> Decision:
    when = fields.pop("when", at(minutes=revision))
    return reclassify(RULES, case, classified(RULES.plan.ref, level, revision=revision, when=when, **fields), when)


def do(case: Case, kind: CommandKind, minutes: float, **fields: Any) -> Decision:
    return apply_command(RULES, case, command(kind, at(minutes=minutes), **fields), at(minutes=minutes))


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def test_higher_level_pages_anew_from_the_reached_tier_and_informs_its_roles() -> None:
    first = opened(RULES)
    up = fire(RULES, first.case, next(t for t in first.timers if t.subject == LADDER), at(hours=1))
    assert up.case.ladder is not None
    assert up.case.ladder.tier == "department"
    raised = again(up.case, "red", 2, when=at(hours=1, minutes=5))
    assert ChangeKind.LEVEL_RAISED in kinds(raised)
    assert [(request.purpose, request.roles) for request in raised.requests] == [
        (Purpose.PAGE, ("head", "deputy")),
        (Purpose.INFORM, ("customer-service", "general-office")),
    ]
    assert raised.case.steps == up.case.steps + 1
    assert "submit" in {clock.id for clock in raised.case.clocks}


def test_higher_level_must_be_acknowledged_again_and_its_clock_counts_anew() -> None:
    case = do(opened(RULES).case, CommandKind.ACKNOWLEDGE, 5).case
    raised = again(case, "red", 2, when=at(minutes=90))
    assert raised.case.acknowledgement is None
    assert raised.case.state is CaseState.CLASSIFIED
    respond = raised.case.clock("respond")
    assert respond is not None
    assert respond.running
    assert respond.started_at == at(minutes=90)


def test_level_never_falls_by_itself_and_says_so_once() -> None:
    case = opened(RULES, "red").case
    kept = again(case, "yellow", 2)
    assert kept.case.level == "red"
    assert ChangeKind.LEVEL_KEPT in kinds(kept)
    assert ChangeKind.LEVEL_KEPT not in kinds(again(kept.case, "yellow", 3))


def test_level_falls_only_for_a_named_person_with_a_reason() -> None:
    case = opened(RULES, "red").case
    for fields in ({"reason": None}, {"reason": "  "}, {"reason": "误报", "actor": LINK}):
        refused = do(case, CommandKind.LOWER_LEVEL, 1, arguments={"level": "yellow"}, **fields)
        assert kinds(refused) == [ChangeKind.COMMAND_REFUSED]
        assert refused.case.level == "red"
    lowered = do(case, CommandKind.LOWER_LEVEL, 1, arguments={"level": "yellow"}, reason="误报")
    assert lowered.case.level == "yellow"
    assert ChangeKind.LEVEL_LOWERED in kinds(lowered)
    # The same criterion does not undo the person's word; another, or a higher level, does.
    assert again(lowered.case, "red", 2).case.level == "yellow"
    assert again(lowered.case, "red", 2, decided_by="y").case.level == "red"


def test_lowering_wins_over_an_earlier_classification_that_comes_late() -> None:
    case = opened(RULES).case
    lowered = do(case, CommandKind.LOWER_LEVEL, 30, arguments={"level": "yellow"}, reason="误报").case
    assert again(lowered, "red", 2, when=at(minutes=20)).case.level == "yellow"
    in_order = again(case, "red", 2, when=at(minutes=20)).case
    in_order = do(in_order, CommandKind.LOWER_LEVEL, 30, arguments={"level": "yellow"}, reason="误报").case
    assert in_order.level == "yellow"
    for settled in (lowered, in_order):
        assert again(settled, "orange", 3, when=at(minutes=40)).case.level == "orange"


def test_answer_to_the_milder_page_does_not_acknowledge_the_higher_level() -> None:
    case = again(opened(RULES).case, "red", 2, when=at(minutes=10)).case
    early = apply_command(RULES, case, command(CommandKind.ACKNOWLEDGE, at(minutes=9)), at(minutes=11))
    assert early.case.acknowledgement is None
    assert early.case.paging
    page = str(case.pages[-1])
    by_link = command(CommandKind.ACKNOWLEDGE, at(minutes=9), request_id=page, actor=LINK)
    assert apply_command(RULES, case, by_link, at(minutes=11)).case.acknowledgement is not None


@pytest.mark.parametrize("order", list(permutations([(1, "yellow"), (2, "red"), (3, "orange"), (4, "orange")])))
def test_classifications_in_any_order_and_twice_end_in_the_same_state(order: tuple[tuple[int, str], ...]) -> None:
    first, *rest = order
    case = open_case(
        RULES,
        org="org-a",
        case_id=CASE_ID,
        plan=RULES.plan.ref,
        classified=classified(RULES.plan.ref, first[1], revision=first[0]),
        now=START,
    ).case
    for revision, level in (*rest, *order):
        case = again(case, level, revision, when=START).case
    assert (case.level, case.classified_revision, case.facts, case.state) == (
        "red",
        4,
        {"people": 10},
        CaseState.CLASSIFIED,
    )
    assert {clock.id for clock in case.clocks} == {"respond", "submit", "finish"}


def test_source_that_says_it_is_over_resolves_and_comes_back() -> None:
    case = opened(RULES, "orange").case
    over = again(case, "orange", 2, resolved=True)
    assert over.case.state is CaseState.RESOLVED
    assert [(request.purpose, request.roles) for request in over.requests] == [
        (Purpose.STAND_DOWN, ("liaison", "customer-service"))
    ]
    assert over.timers
    assert LADDER not in {timer.subject for timer in over.timers}
    back = again(over.case, "orange", 3, resolved=False)
    assert back.case.state is CaseState.CLASSIFIED
    assert Purpose.PAGE in {request.purpose for request in back.requests}


def test_worse_news_reopens_an_ended_case_but_not_a_withdrawn_one() -> None:
    closed = do(opened(RULES).case, CommandKind.CLOSE, 5).case
    assert closed.state is CaseState.CLOSED
    assert armed(closed, RULES) == ()
    assert again(closed, "red", 6).case.state is CaseState.CLASSIFIED
    withdrawn = do(opened(RULES).case, CommandKind.WITHDRAW, 5).case
    later = again(withdrawn, "red", 6)
    assert later.case.state is CaseState.WITHDRAWN
    assert later.requests == ()
    assert later.timers == ()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (CommandKind.WAIT, {}),
        (CommandKind.RESUME, {}),
        (CommandKind.REOPEN, {}),
        (CommandKind.UNACKNOWLEDGE, {}),
        (CommandKind.MILESTONE, {"arguments": {"milestone": "unheard-of"}}),
        (CommandKind.RAISE_LEVEL, {"arguments": {"level": "yellow"}}),
        (CommandKind.RAISE_LEVEL, {}),
        (CommandKind.LOWER_LEVEL, {"arguments": {"level": "red"}, "reason": "误报"}),
        (CommandKind.MERGE, {}),
        (CommandKind.INVALIDATE, {}),
        (CommandKind.EXTENSION_REQUEST, {}),
    ],
)
def test_command_that_is_not_allowed_is_refused_with_its_reason(kind: CommandKind, fields: dict[str, Any]) -> None:
    case = opened(RULES).case
    decision = do(case, kind, 1, **fields)
    assert kinds(decision) == [ChangeKind.COMMAND_REFUSED]
    assert decision.changes[0].because
    assert decision.changes[0].details["command"] == kind
    assert (decision.case.state, decision.case.level, decision.timers) == (case.state, case.level, armed(case, RULES))


def test_every_command_gives_an_answer_in_every_state() -> None:
    to_state = {
        CaseState.ACKNOWLEDGED: (CommandKind.ACKNOWLEDGE,),
        CaseState.IN_PROGRESS: (CommandKind.START,),
        CaseState.WAITING: (CommandKind.START, CommandKind.WAIT),
        CaseState.RESOLVED: (CommandKind.RESOLVE,),
        CaseState.CLOSED: (CommandKind.CLOSE,),
        CaseState.WITHDRAWN: (CommandKind.WITHDRAW,),
        CaseState.CLASSIFIED: (),
    }
    for state, path in to_state.items():
        case = opened(RULES, "orange").case
        for kind in path:
            case = do(case, kind, 1).case
        assert case.state is state
        for kind in set(CommandKind) - {CommandKind.MOVE_PLAN}:  # the classifier answers that one
            decision = do(
                case, kind, 2, reason="因故", arguments={"level": "red", "into": "x", "milestone": "plan-submitted"}
            )
            assert decision.changes, (state, kind)
            assert published(RULES, decision, at(minutes=2)) is not None


def test_milestone_stops_its_clock_once() -> None:
    case = opened(RULES, "orange").case
    decision = do(case, CommandKind.MILESTONE, 60, arguments={"milestone": "plan-submitted"})
    assert ChangeKind.CLOCK_STOPPED in kinds(decision)
    twice = do(decision.case, CommandKind.MILESTONE, 90, arguments={"milestone": "plan-submitted"})
    assert ChangeKind.CLOCK_STOPPED not in kinds(twice)
    assert twice.case.milestones["plan-submitted"] == at(minutes=60)


HAPPENINGS = st.one_of(
    st.tuples(st.just("tick"), st.integers(0, 400)),
    st.tuples(st.just("classify"), st.integers(0, 3)),
    st.tuples(st.just("command"), st.sampled_from(list(CommandKind))),
)


@given(st.lists(HAPPENINGS, max_size=30))
@settings(max_examples=250, deadline=None)
def test_whatever_happens_each_threshold_fires_once_in_order_and_the_level_holds(happenings: list[Any]) -> None:
    now = START
    decision = opened(RULES)
    fired: set[tuple[str, int, str]] = set()
    log = list(decision.entries)
    steps, revision = decision.case.steps, 1

    def take(new: Decision) -> None:
        nonlocal decision, steps
        before = RULES.plan.rank(decision.case.level)
        lowered = ChangeKind.LEVEL_LOWERED in kinds(new)
        assert RULES.plan.rank(new.case.level) >= before or lowered
        for done in new.fires:
            key = (done.subject, done.generation, done.threshold)
            assert key not in fired
            fired.add(key)
        assert [r.step for r in new.requests if r.purpose is Purpose.PAGE] == list(range(steps + 1, new.case.steps + 1))
        steps = new.case.steps
        log.extend(new.entries)
        decision = new
        assert new.timers == armed(new.case, RULES)
        for clock in new.case.clocks:
            assert fold([entry for entry in log if entry.clock == clock.id], RULES) == clock

    for kind, value in happenings:
        now += timedelta(seconds=1)
        if kind == "tick":
            now += timedelta(minutes=value)
            for timer in decision.timers:
                take(fire(RULES, decision.case, timer, now))
                assert fire(RULES, decision.case, timer, now).ignored is not None
        elif kind == "classify":
            revision += 1
            level = (None, *LEVELS)[value]
            new = classified(RULES.plan.ref, level, revision=revision, when=now, occurred_at=START)
            take(reclassify(RULES, decision.case, new, now))
        else:
            arguments = {"level": "orange", "into": "x", "milestone": "plan-submitted"}
            take(apply_command(RULES, decision.case, command(value, now, reason="因故", arguments=arguments), now))
