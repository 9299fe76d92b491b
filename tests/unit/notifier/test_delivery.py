"""The next step for one intent, case by case. Times are seconds after the request."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.delivery import (
    Answer,
    Attempt,
    Case,
    Decision,
    Outcome,
    Policy,
    Receipt,
    Route,
    Verdict,
    decide,
    must_publish,
)
from services.notifier.domain.reach import reach
from services.notifier.domain.roster import ContactPoint, Person
from shared.contracts.notifications import Settlement
from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import Bilingual, ChannelKind

START = datetime(2026, 11, 22, tzinfo=UTC)
SMS = Route(ChannelKind.SMS, "gateway", "sms-1")
SECOND = Route(ChannelKind.SMS, "other-gateway", "sms-1")
MAIL = Route(ChannelKind.EMAIL, "smtp", "email-1")
POLICY = Policy(
    receipt_within={"gateway": timedelta(seconds=60), "other-gateway": timedelta(seconds=60)},
    tries=2,
    first_wait=timedelta(seconds=1),
    longest_wait=timedelta(seconds=60),
    give_up_after=timedelta(minutes=30),
)
_NUMBERS = count(1)


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _tried(
    route: Route,
    answer: Answer | None,
    ended: float = 1,
    *receipts: tuple[ReceiptStatus, float],
    until: float = 13,
    after: float = 0,
) -> Attempt:
    outcome = None
    if answer is not None:
        outcome = Outcome(answer, _at(ended), "why", timedelta(seconds=after))
    said = tuple(Receipt(status, _at(at)) for status, at in receipts)
    return Attempt(UUID(int=next(_NUMBERS)), route, _at(until), outcome, said)


def _decided(
    *attempts: Attempt,
    now: float = 2,
    routes: tuple[Route, ...] = (SMS, MAIL),
    parallel: bool = False,
    stopped: Bilingual | None = None,
    skipped: tuple[str, ...] = (),
) -> Decision:
    return decide(Case(routes, skipped, attempts, START, parallel, stopped), POLICY, _at(now))


def _sends(decision: Decision) -> list[Route]:
    return [send.route for send in decision.sends]


def _settlement(decision: Decision) -> Settlement | None:
    return decision.verdict.settlement if decision.verdict else None


def test_the_first_route_is_called_at_once() -> None:
    assert _sends(_decided()) == [SMS]
    assert _decided().verdict is None


def test_all_channels_are_called_at_once_when_asked_for() -> None:
    assert _sends(_decided(routes=(SMS, SECOND, MAIL), parallel=True)) == [SMS, MAIL]


def test_an_open_call_is_waited_for_until_its_time_is_over() -> None:
    open_call = _tried(SMS, None)
    waiting = _decided(open_call, now=12.9)
    over = _decided(open_call, now=14)
    assert (_sends(waiting), waiting.look_again_at, waiting.unanswered) == ([], _at(13), ())
    assert over.unanswered == (open_call.id,)
    assert (_sends(over), over.sends[0].doubtful) == ([SMS], True)


@pytest.mark.parametrize(
    ("attempts", "now", "sends", "look_again", "settlement"),
    [
        # accepted, the receipt is awaited, then the next route
        ([(SMS, Answer.ACCEPTED, 1)], 2, [], 61, "sent"),
        ([(SMS, Answer.ACCEPTED, 1)], 60.9, [], 61, "sent"),
        ([(SMS, Answer.ACCEPTED, 1)], 61, [MAIL], None, "sent"),
        # no receipts on this channel: accepted is as good as it gets
        ([(SMS, Answer.PERMANENT, 1), (MAIL, Answer.ACCEPTED, 2)], 3, [], None, "sent"),
        # receipts
        ([(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.DELIVERED, 3))], 99, [], None, "delivered"),
        ([(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.UNDELIVERED, 3))], 4, [MAIL], None, None),
        ([(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.REJECTED, 3))], 4, [MAIL], None, None),
        ([(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.BUFFERED, 3))], 4, [], 61, "sent"),
        ([(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.UNKNOWN, 3))], 4, [], 61, "sent"),
        # delivered and undelivered in either order: delivered
        (
            [(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.UNDELIVERED, 3), (ReceiptStatus.DELIVERED, 4))],
            5,
            [],
            None,
            "delivered",
        ),
        # a passing fault: the same route after 1 s, then the next route
        ([(SMS, Answer.TRANSIENT, 1)], 1.5, [], 2, None),
        ([(SMS, Answer.TRANSIENT, 1)], 2, [SMS], None, None),
        ([(SMS, Answer.TRANSIENT, 1), (SMS, Answer.TRANSIENT, 3)], 3, [MAIL], None, None),
        # out of service: the next route at once
        ([(SMS, Answer.UNAVAILABLE, 1)], 1, [MAIL], None, None),
        # everything was passed on: failed for now, and the one that has rested longest again
        ([(SMS, Answer.PERMANENT, 1), (MAIL, Answer.UNAVAILABLE, 2)], 2.5, [], 3, "failed"),
        ([(SMS, Answer.PERMANENT, 1), (MAIL, Answer.UNAVAILABLE, 2)], 3, [MAIL], None, "failed"),
        ([(SMS, Answer.UNAVAILABLE, 1), (MAIL, Answer.UNAVAILABLE, 2)], 2, [SMS], None, "failed"),
        # refused for good everywhere: failed, and nothing more
        ([(SMS, Answer.PERMANENT, 1), (MAIL, Answer.PERMANENT, 2)], 3, [], None, "failed"),
        # given up
        ([(SMS, Answer.PERMANENT, 1), (MAIL, Answer.UNAVAILABLE, 2)], 1800, [], None, "failed"),
    ],
)
def test_the_next_step(
    attempts: list[tuple[object, ...]],
    now: float,
    sends: list[Route],
    look_again: float | None,
    settlement: str | None,
) -> None:
    decision = _decided(*[_tried(*one) for one in attempts], now=now)  # type: ignore[arg-type]  # rows of the table
    assert _sends(decision) == sends
    assert decision.look_again_at == (None if look_again is None else _at(look_again))
    assert (decision.verdict.settlement.value if decision.verdict else None) == settlement


def test_the_waits_double_up_to_the_longest() -> None:
    only = (SMS,)
    waits = []
    for tries in range(1, 9):
        attempts = [_tried(SMS, Answer.TRANSIENT, 1)] * tries
        decision = _decided(*attempts, now=1, routes=only)
        assert decision.look_again_at is not None
        waits.append((decision.look_again_at - _at(1)).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_provider_may_ask_for_more_patience_but_not_for_ever() -> None:
    patient = _decided(_tried(SMS, Answer.TRANSIENT, 1, after=30), routes=(SMS,))
    greedy = _decided(_tried(SMS, Answer.TRANSIENT, 1, after=86_400), routes=(SMS,))
    assert patient.look_again_at == _at(31)
    assert greedy.look_again_at == _at(301)


def test_a_provider_that_asks_for_much_patience_is_not_waited_for_while_there_are_other_ways() -> None:
    throttled = _tried(SMS, Answer.TRANSIENT, 1, after=60)
    decision = _decided(throttled, now=1)
    assert _sends(decision) == [MAIL]
    later = _decided(throttled, _tried(MAIL, Answer.PERMANENT, 2), now=3)
    assert (_sends(later), later.look_again_at) == ([], _at(61))


def test_a_message_that_may_have_got_through_is_repeated_only_so_often() -> None:
    doubtful = [_tried(SMS, Answer.UNKNOWN, 1)] * POLICY.doubtful_tries
    assert _sends(_decided(*doubtful[1:], routes=(SMS,), now=900)) == [SMS]
    ended = _decided(*doubtful, routes=(SMS,), now=900)
    assert (_sends(ended), ended.look_again_at, _settlement(ended)) == ([], None, Settlement.FAILED)
    # A plain refusal was not sent: it is tried until the request is given up.
    refused = [_tried(SMS, Answer.TRANSIENT, 1)] * POLICY.doubtful_tries
    assert _sends(_decided(*refused, routes=(SMS,), now=900)) == [SMS]


def test_a_message_without_a_receipt_by_any_way_in_time_has_reached_nobody() -> None:
    taken = _tried(SMS, Answer.ACCEPTED, 1)
    silent = _decided(taken, routes=(SMS,), now=61)
    assert _settlement(_decided(taken, routes=(SMS,), now=60)) is Settlement.SENT
    assert _settlement(silent) is Settlement.FAILED
    assert silent.verdict is not None
    assert silent.verdict.reason == "sms via gateway (sms-1): not confirmed within 60 s"
    assert silent.verdict.reason_zh.endswith("未确认送达 （60 秒内）")
    # What has a way without receipts besides is as good as it gets.
    assert _settlement(_decided(taken, _tried(MAIL, Answer.ACCEPTED, 61), now=62)) is Settlement.SENT
    late = _tried(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.DELIVERED, 900))
    assert _settlement(_decided(late, routes=(SMS,), now=901)) is Settlement.DELIVERED


@pytest.mark.parametrize("status", [ReceiptStatus.ACCEPTED, ReceiptStatus.BUFFERED])
def test_a_receipt_proves_that_an_unanswered_call_got_through(status: ReceiptStatus) -> None:
    decision = _decided(_tried(SMS, Answer.UNKNOWN, 13, (status, 5)), now=20)
    assert (_sends(decision), decision.look_again_at) == ([], _at(65))
    assert _settlement(decision) is Settlement.SENT


def test_a_late_delivery_improves_a_failure() -> None:
    failed = _decided(_tried(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.UNDELIVERED, 2)), routes=(SMS,))
    better = _decided(
        _tried(SMS, Answer.ACCEPTED, 1, (ReceiptStatus.UNDELIVERED, 2), (ReceiptStatus.DELIVERED, 900)),
        routes=(SMS,),
        now=901,
    )
    assert _settlement(failed) is Settlement.FAILED
    assert must_publish(failed.verdict, better.verdict)
    assert not must_publish(better.verdict, failed.verdict)


def test_what_is_stopped_sends_nothing_but_still_says_what_happened() -> None:
    fresh = _decided(stopped=Bilingual(zh="被取代", en="superseded"))
    flying = _decided(_tried(SMS, None), stopped=Bilingual(zh="被取代", en="superseded"), now=2)
    landed = _decided(_tried(SMS, Answer.ACCEPTED, 1), stopped=Bilingual(zh="被取代", en="superseded"), now=99)
    assert (_sends(fresh), _settlement(fresh)) == ([], Settlement.SUPPRESSED)
    assert (_sends(flying), flying.look_again_at) == ([], _at(13))
    assert (_sends(landed), _settlement(landed)) == ([], Settlement.SENT)


def test_a_second_provider_is_tried_before_the_next_channel() -> None:
    decision = _decided(_tried(SMS, Answer.PERMANENT, 1), routes=(SMS, SECOND, MAIL))
    assert _sends(decision) == [SECOND]


def test_nobody_to_be_reached_fails_with_the_reasons() -> None:
    decision = _decided(routes=(), skipped=("voice: no provider is configured",))
    assert decision.verdict == Verdict(Settlement.FAILED, "voice: no provider is configured")


def test_sent_is_published_again_only_for_another_route() -> None:
    by_sms = Verdict(Settlement.SENT, "", SMS)
    assert not must_publish(by_sms, by_sms)
    assert must_publish(by_sms, Verdict(Settlement.SENT, "", MAIL))
    assert must_publish(None, by_sms)
    assert not must_publish(by_sms, None)


_ANSWERS = st.sampled_from([*Answer, None])
_STATUSES = st.lists(st.sampled_from(list(ReceiptStatus)), max_size=3)


@given(
    history=st.lists(st.tuples(st.sampled_from([SMS, SECOND, MAIL]), _ANSWERS, _STATUSES), max_size=6),
    now=st.floats(0, 4000),
    parallel=st.booleans(),
)
def test_whatever_happened_there_is_a_way_on_or_an_end(
    history: list[tuple[Route, Answer | None, list[ReceiptStatus]]], now: float, *, parallel: bool
) -> None:
    attempts = [_tried(route, answer, 1, *((status, 2.0) for status in said)) for route, answer, said in history]
    decision = _decided(*attempts, now=now, routes=(SMS, SECOND, MAIL), parallel=parallel)
    flying = {one.route for one in attempts if one.outcome is None and _at(now) < one.answer_until}
    last = {one.route: one for one in attempts}
    assert not {send.route for send in decision.sends} & {r for r in flying if last[r].outcome is None}
    assert decision.sends or decision.look_again_at or decision.verdict, "silence is not an answer"
    if decision.look_again_at is not None:
        assert decision.look_again_at > _at(now)


def test_receipts_in_any_order_decide_the_same() -> None:
    said = [(ReceiptStatus.ACCEPTED, 2.0), (ReceiptStatus.DELIVERED, 3.0), (ReceiptStatus.BUFFERED, 4.0)]
    one = _decided(_tried(SMS, Answer.ACCEPTED, 1, *said), now=5)
    other = _decided(_tried(SMS, Answer.ACCEPTED, 1, *reversed(said), *said), now=5)
    assert (one.sends, one.verdict) == (other.sends, other.verdict)


def test_ways_are_in_the_order_of_channels_then_addresses_then_providers() -> None:
    person = Person(
        "p",
        Bilingual(zh="甲", en="A"),
        (
            ContactPoint("email-1", ChannelKind.EMAIL, "a@example.org"),
            ContactPoint("sms-1", ChannelKind.SMS, "13800000001"),
            ContactPoint("sms-2", ChannelKind.SMS, "13800000002"),
        ),
    )
    providers = {ChannelKind.SMS: ["one", "two"], ChannelKind.EMAIL: ["smtp"], ChannelKind.IM: ["hook"]}
    found = reach(person, [ChannelKind.SMS, ChannelKind.VOICE, ChannelKind.IM, ChannelKind.EMAIL], providers)
    assert [(route.provider, route.contact) for route in found.routes] == [
        ("one", "sms-1"),
        ("two", "sms-1"),
        ("one", "sms-2"),
        ("two", "sms-2"),
        ("smtp", "email-1"),
    ]
    assert found.skipped == ("voice: no provider is configured", "im: p has no contact point")


def test_a_changed_order_never_sends_while_an_earlier_route_is_awaited() -> None:
    awaited = _tried(SMS, Answer.ACCEPTED, 1)
    assert _decided(awaited, now=2, routes=(SECOND, SMS, MAIL)).sends == ()
    assert _decided(_tried(SMS, None), now=2, routes=(SECOND, MAIL)).sends == ()


def test_a_provider_that_is_gone_is_not_called_again() -> None:
    refused = _tried(SMS, Answer.TRANSIENT, 1)
    assert _sends(_decided(refused, now=30, routes=(MAIL,))) == [MAIL]
