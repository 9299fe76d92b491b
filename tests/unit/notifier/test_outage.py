"""What becomes of a message while no way is open, and how possible duplicates are told and bounded. Seconds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.notifier.domain.delivery import (
    Answer,
    Attempt,
    Bar,
    Case,
    Decision,
    Outcome,
    Policy,
    Receipt,
    Route,
    decide,
)
from shared.contracts.notifications import Settlement
from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import Bilingual, ChannelKind

START = datetime(2026, 11, 22, tzinfo=UTC)
SMS = Route(ChannelKind.SMS, "gateway", "sms-1")
SECOND = Route(ChannelKind.SMS, "other-gateway", "sms-1")
MAIL = Route(ChannelKind.EMAIL, "smtp", "email-1")
POLICY = Policy(receipt_within={"gateway": timedelta(seconds=60)})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tried(
    route: Route, answer: Answer | None, ended: float = 1, *receipts: ReceiptStatus, until: float = 13, after: float = 0
) -> Attempt:
    outcome = Outcome(answer, at(ended), "why", timedelta(seconds=after)) if answer is not None else None
    said = tuple(Receipt(status, at(ended + 1)) for status in receipts)
    return Attempt(uuid4(), route, at(until), outcome, said)


def sends(decision: Decision) -> list[Route]:
    return [send.route for send in decision.sends]


def settlement(decision: Decision) -> Settlement | None:
    return decision.verdict.settlement if decision.verdict else None


PATIENT = replace(POLICY, outage=timedelta(seconds=45))
AWAY = Bar(at(10), "not called after 5 failures in a row")


def _with_outage(
    *attempts: Attempt,
    now: float,
    routes: tuple[Route, ...] = (SMS,),
    next_step: float | None = None,
    **more: Any,
) -> Decision:
    barred = {"gateway": AWAY} if now < 10 else {}
    next_step_at = at(next_step) if next_step is not None else None
    case = Case(routes, (), attempts, START, barred=barred, next_step_at=next_step_at, **more)
    return decide(case, PATIENT, at(now))


def test_while_the_only_gateway_is_barred_a_page_waits_for_its_probe_and_says_why() -> None:
    waiting = _with_outage(now=1)
    assert (waiting.sends, waiting.verdict, waiting.look_again_at) == ((), None, AWAY.until)
    assert waiting.waits is not None
    assert "not called after 5 failures in a row" in waiting.waits.en
    assert "通道暂时不可用" in waiting.waits.zh
    probe = _with_outage(now=10)
    assert (sends(probe), probe.waits) == ([SMS], None)
    assert settlement(_with_outage(tried(SMS, Answer.ACCEPTED, 11), now=12)) is Settlement.SENT


def test_an_outage_that_lasts_fails_the_page_after_its_patience_and_not_before() -> None:
    refused = [tried(SMS, Answer.UNAVAILABLE, at, after=60) for at in (1, 12)]
    waiting = _with_outage(*refused, now=44.9)
    assert (settlement(waiting), waiting.look_again_at) == (None, at(45))
    over = _with_outage(*refused, now=45)
    assert (settlement(over), over.waits) == (Settlement.FAILED, None)
    assert over.look_again_at == at(72), "it is tried on, for whoever is told instead may not answer either"


def test_the_patience_is_a_third_of_the_step_at_most() -> None:
    refused = tried(SMS, Answer.UNAVAILABLE, 1, after=60)
    assert settlement(_with_outage(refused, now=2.9, next_step=9)) is None
    assert settlement(_with_outage(refused, now=3, next_step=9)) is Settlement.FAILED
    assert settlement(_with_outage(refused, now=1, next_step=-5)) is Settlement.FAILED


def test_a_channel_that_works_is_not_kept_waiting_for_one_that_does_not() -> None:
    assert sends(_with_outage(now=1, routes=(SMS, MAIL))) == [MAIL]


def test_what_will_never_work_is_not_waited_for() -> None:
    assert settlement(_with_outage(tried(SMS, Answer.PERMANENT, 1), now=2)) is Settlement.FAILED
    undelivered = tried(SMS, Answer.ACCEPTED, 1, ReceiptStatus.UNDELIVERED)
    assert settlement(_with_outage(undelivered, now=3)) is Settlement.FAILED


def test_what_was_stopped_meanwhile_waits_for_nothing() -> None:
    over = Bilingual(zh="已结束", en="over")
    decision = _with_outage(tried(SMS, Answer.UNAVAILABLE, 1, after=60), now=2, stopped=over)
    assert (settlement(decision), decision.waits) == (Settlement.SUPPRESSED, None)


@pytest.mark.parametrize(
    ("before", "doubtful"),
    [
        (tried(SMS, Answer.UNKNOWN, 1), True),
        (tried(SMS, None, until=3), True),
        (tried(SMS, Answer.ACCEPTED, 1), True),  # no receipt in time: it may have come all the same
        (tried(SMS, Answer.ACCEPTED, 1, ReceiptStatus.UNDELIVERED), False),
        (tried(SMS, Answer.UNAVAILABLE, 1), False),
        (tried(SMS, Answer.PERMANENT, 1), False),
    ],
)
def test_another_way_after_an_unclear_answer_is_a_possible_duplicate(before: Attempt, *, doubtful: bool) -> None:
    attempts = (before, replace(before, id=uuid4()))
    for routes in ((SMS, SECOND), (SMS, MAIL)):
        [send] = decide(Case(routes, (), attempts, START), POLICY, at(70)).sends
        assert (send.route, send.doubtful) == (routes[1], doubtful)


def test_every_channel_at_once_is_no_duplicate() -> None:
    case = Case((SMS, MAIL), (), (tried(SMS, Answer.UNKNOWN, 1),), START, parallel=True)
    [send] = decide(case, POLICY, at(1.5)).sends
    assert (send.route, send.doubtful) == (MAIL, False)


def test_duplicates_are_bounded_over_all_ways_together() -> None:
    routes = tuple(Route(ChannelKind.SMS, f"gateway-{number}", "sms-1") for number in range(3))
    attempts: list[Attempt] = []
    now = 1.0
    for _ in range(200):
        decision = decide(Case(routes, (), tuple(attempts), START), POLICY, at(now))
        attempts += [tried(send.route, Answer.UNKNOWN, now) for send in decision.sends]
        now += 5
    assert {attempt.route for attempt in attempts} == set(routes)
    assert len(attempts) == POLICY.doubtful_tries
