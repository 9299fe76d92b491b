"""Light firing: whatever can be fired without its case gives what a full decision would have given."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalator.domain.clocks import BREACH
from services.escalator.domain.decision import Decision, Timer, clock_subject
from services.escalator.domain.firing import fire
from services.escalator.domain.light import Card, Head, LightFire, Mark, card_of, fire_lightly, overlay
from services.escalator.domain.publishing import published
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import CaseEscalatedV1
from shared.contracts.notifications import NotificationRequestedV1
from tests.support.escalations import PLAN_TEXT, at, opened, rules

RULES = rules(
    PLAN_TEXT.replace("breach: next-tier", "breach: notify").replace('warn: ["50%"]', 'warn: ["25%", "50%", "-1h"]')
)


def card(known: Rules, decision: Decision) -> Card:
    event = published(known, decision, at())
    assert event is not None
    made = card_of(known, event, decision.case)
    # As it is stored: what decides must survive its way through the column.
    return Card(Head.load(made.head.dump()), made.published, made.subject)


def escalated(light: LightFire, known: Card, revision: int) -> CaseEscalatedV1:
    """What the statement puts together from the pieces."""
    text = known.published
    for running, ended in light.ended:
        text = text.replace(running, ended)
    return CaseEscalatedV1.model_validate_json(f'{{"revision":{revision}{light.opening}{text}')


def requested(light: LightFire, known: Card) -> NotificationRequestedV1 | None:
    if light.request is None:
        return None
    return NotificationRequestedV1.model_validate_json(f'{{"request_id":"{uuid4()}{light.request}{known.subject}}}')


def without_identity(request: NotificationRequestedV1) -> dict[str, Any]:
    return request.model_dump(exclude={"request_id"})


@given(
    level=st.sampled_from(["yellow", "orange", "red"]),
    language=st.sampled_from(["zh", "en"]),
    drill=st.booleans(),
    title=st.one_of(st.none(), st.text("漏水\"\\'{}\t x", max_size=12)),
    moves=st.lists(st.integers(0, 5), max_size=12),
    late=st.integers(0, 40),
)
@settings(max_examples=300, deadline=None)
def test_a_light_firing_publishes_what_a_full_decision_would(
    level: str, language: str, *, drill: bool, title: str | None, moves: list[int], late: int
) -> None:
    first = opened(RULES, level, language=language, drill=drill, title=title)
    shown = card(RULES, first)
    decision: Decision = first
    marks: list[Mark] = []
    for move in moves:
        clocks = [timer for timer in decision.timers if timer.subject != "ladder"]
        if not clocks:
            break
        timer = sorted(clocks, key=lambda one: one.due_at)[min(move, len(clocks) - 1) if move > 3 else 0]
        now = timer.due_at + timedelta(milliseconds=late)
        due = [other for other in clocks if other is not timer and other.due_at <= now]
        full = fire(RULES, decision.case, timer, now)
        light = fire_lightly(RULES, shown.head, marks, timer, now)
        if light is None:
            break
        event = published(RULES, full, now)
        assert event is not None
        told = escalated(light, shown, first.case.revision + len(marks) + 1)
        if not due:
            # With another clock due at this very moment the full event may show that one as run out already.
            assert told == event
        request = requested(light, shown)
        assert [without_identity(one) for one in full.requests] == ([without_identity(request)] if request else [])
        marks.append(light.mark)
        following = next((one for one in full.timers if one.subject == timer.subject), None)
        assert light.following == following
        rebuilt = overlay(first.case, marks)
        assert rebuilt == full.case.evolve(requests=rebuilt.requests)
        decision = full


def timer_of(decision: Decision, clock: str) -> Timer:
    return next(timer for timer in decision.timers if timer.subject == clock_subject(clock))


def head(decision: Decision, known: Rules = RULES) -> Head:
    return card(known, decision).head


def test_what_needs_judging_is_left_to_a_full_decision() -> None:
    known = rules()
    decision = opened(known, "orange")
    ladder = next(timer for timer in decision.timers if timer.subject == "ladder")
    assert fire_lightly(known, head(decision, known), (), ladder, at(minutes=15)) is None
    respond = timer_of(decision, "respond")
    assert fire_lightly(known, head(decision, known), (), respond, at(minutes=30)) is not None
    # The next threshold has passed too: only the higher one may be told.
    assert fire_lightly(known, head(decision, known), (), respond, at(minutes=50)) is None
    # An end that pages the next tier moves the ladder.
    pages = Timer(respond.subject, 1, BREACH, at(hours=1), respond.lane, ())
    assert fire_lightly(known, head(decision, known), (), pages, at(hours=1)) is None
    # Written before the table knew what lies ahead.
    old = Timer(respond.subject, 1, "50%", respond.due_at, respond.lane)
    assert fire_lightly(known, head(decision, known), (), old, at(minutes=30)) is None


@pytest.mark.parametrize("generation", [0, 2])
def test_a_timer_of_another_generation_is_not_fired_lightly(generation: int) -> None:
    decision = opened(RULES)
    armed = timer_of(decision, "respond")
    other = Timer(armed.subject, generation, armed.threshold, armed.due_at, armed.lane, armed.ahead)
    assert fire_lightly(RULES, head(decision), (), other, at(minutes=30)) is None


def test_a_threshold_is_not_fired_lightly_twice() -> None:
    decision = opened(RULES)
    armed = timer_of(decision, "respond")
    light = fire_lightly(RULES, head(decision), (), armed, at(minutes=30))
    assert light is not None
    assert fire_lightly(RULES, head(decision), (light.mark,), armed, at(minutes=31)) is None


def test_a_warning_that_leads_the_end_says_how_long_is_left_in_both_languages() -> None:
    decision = opened(RULES)
    told = fire(RULES, decision.case, timer_of(decision, "respond"), at(minutes=50)).requests[-1].subject
    assert told.because == "时限 首次响应 距到期不超过10分钟"
    assert told.because_other == "clock First response is within 10 minutes of its end"
