"""Whom a case turns to when it goes over to another version of its plan."""

from services.escalator.domain.commands import apply_command
from services.escalator.domain.publishing import published
from shared.contracts.commands import CommandKind
from shared.contracts.notifications import Purpose
from tests.support.escalations import at, command, opened, rules
from tests.support.moves import V1, V1_TEXT, moved, second


def test_other_recipients_of_the_tier_being_paged_are_paged_at_once() -> None:
    case = opened(V1).case
    after = second(("roles: [liaison]", "roles: [duty-desk]"))
    decision = moved(case, after, at(minutes=5))
    pages = [request for request in decision.requests if request.purpose is Purpose.PAGE]
    assert [request.roles for request in pages] == [("duty-desk",)]


def test_a_tier_that_waits_longer_is_given_its_time_from_the_page_it_had() -> None:
    case = opened(V1).case
    after = second(("acknowledge_within: 15m, repeat: 1", "acknowledge_within: 30m, repeat: 1"))
    ladder = moved(case, after, at(minutes=5)).case.ladder
    assert ladder is not None
    assert ladder.next_at == at(minutes=30)


def test_a_tier_that_is_gone_gives_way_to_the_first_that_is_there() -> None:
    case = opened(V1).case
    after = second(("{id: liaison,", "{id: front-desk,"))
    decision = moved(case, after, at(minutes=5))
    assert decision.case.ladder is not None
    assert decision.case.ladder.tier == "front-desk"


def test_nobody_is_paged_for_a_case_somebody_has() -> None:
    case = apply_command(V1, opened(V1).case, command(CommandKind.ACKNOWLEDGE, at(minutes=2)), at(minutes=2)).case
    after = second(("roles: [liaison]", "roles: [duty-desk]"), ("{id: liaison,", "{id: front-desk,"))
    decision = moved(case, after, at(minutes=5))
    assert not [request for request in decision.requests if request.purpose is Purpose.PAGE]
    assert decision.case.acknowledgement == case.acknowledgement
    shown = published(after, decision, at(minutes=5))
    assert shown is not None
    assert (shown.tier, shown.tier_label) == ("liaison", None), "no other tier's name"


def test_those_whom_only_the_new_version_informs_are_told_once() -> None:
    case = opened(V1, "orange").case
    after = second(("orange: [customer-service]", "orange: [customer-service, press-office]"))
    decision = moved(case, after, at(minutes=5), "orange")
    told = [request.roles for request in decision.requests if request.purpose is Purpose.INFORM]
    assert told == [("press-office",)]


GATE = (
    "activation:\n  - {id: start, roles: [leader], within: 30m, on_silence: record, levels: [yellow, orange, red],\n"
    "     words: {zh: 是否启动, en: Start?}}\n"
)


def test_a_gate_of_the_new_version_does_not_stop_a_case_that_runs_and_one_that_is_gone_lets_it_go() -> None:
    gated = second(text=V1_TEXT + GATE)
    decision = moved(opened(V1).case, gated, at(minutes=5))
    assert decision.case.activation is None
    assert decision.case.paging
    waiting = opened(rules(V1_TEXT + GATE)).case
    assert waiting.held
    freed = moved(waiting, second(), at(minutes=5), before=rules(V1_TEXT + GATE))
    assert not freed.case.held
    assert freed.case.paging
    assert freed.case.clock("respond") is not None
