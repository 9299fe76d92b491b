"""The golden path of paging: first page at once, repeats, tiers, the end of the chain, acknowledgement."""

from datetime import datetime, timedelta

from services.escalator.domain.classification import reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import LADDER, Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.settlement import notification_settled
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose, Settlement
from shared.contracts.values import Bilingual, ChannelKind
from tests.support.escalations import PERSON, PLAN_TEXT, at, classified, command, opened, rules, settled


def ladder_fires(known: Rules, decision: Decision, now: datetime) -> Decision:
    timer = next(timer for timer in decision.timers if timer.subject == LADDER)
    return fire(known, decision.case, timer, now)


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def pages(decision: Decision) -> list[tuple[str, ...]]:
    return [request.roles for request in decision.requests if request.purpose is Purpose.PAGE]


def test_first_page_goes_at_once_with_the_reason_and_what_comes_next() -> None:
    decision = opened(rules())
    (page,) = decision.requests
    assert page.purpose is Purpose.PAGE
    assert page.roles == ("liaison",)
    assert page.channels == (ChannelKind.SMS, ChannelKind.VOICE)
    assert page.acknowledge
    assert page.subject.because == "y（people 1）"
    assert page.subject.next_tier == "部门领导"
    assert page.subject.due_at == at(minutes=15)
    english = page.subject.en
    assert english is not None, "a reader of English is told of a Chinese case in English"
    assert (english.level_label, english.next_tier) == ("Yellow", "Head")
    assert page.subject.because_other == "y (people 1)"
    assert decision.case.ladder is not None
    assert decision.case.ladder.next_at == at(minutes=15)


def test_a_page_carries_the_words_that_the_plan_of_the_case_has_for_it() -> None:
    written = """
messages:
  - {id: any, channel: sms, text: {zh: "一般{case}", en: "any {case}"}}
  - {id: page, channel: sms, purpose: page, levels: [yellow], text: {zh: "呼叫{case}", en: "page {case}"}}
"""
    (page,) = opened(rules(PLAN_TEXT + written)).requests
    assert [(one.form, one.zh, one.en) for one in page.templates] == [("sms", "呼叫{case}", "page {case}")]


def test_case_without_a_level_pages_nobody_and_counts_nothing_until_it_has_one() -> None:
    known = rules()
    decision = opened(known, None)
    assert (decision.requests, decision.timers) == ((), ())
    assert kinds(decision) == [ChangeKind.OPENED]
    later = reclassify(known, decision.case, classified(known.plan.ref, revision=2, when=at(hours=1)), at(hours=1))
    assert pages(later) == [("liaison",)]
    assert {clock.id: clock.started_at for clock in later.case.clocks} == {"respond": at(hours=1), "finish": at()}


def test_unanswered_page_repeats_then_climbs_then_reaches_the_end_and_never_falls_silent() -> None:
    known = rules()
    decision = opened(known, "orange")
    seen: list[tuple[float, list[tuple[str, ...]], bool]] = []
    for _ in range(7):
        assert decision.case.ladder is not None
        due = decision.case.ladder.next_at
        assert due is not None
        decision = ladder_fires(known, decision, due)
        minutes = (due - at()) / timedelta(minutes=1)
        seen.append((minutes, pages(decision), ChangeKind.CHAIN_ENDED in kinds(decision)))
    assert seen == [
        (15, [("liaison",)], False),  # page 2 of 2
        (30, [("head", "deputy")], False),
        (40, [("leader",)], False),
        (45, [("leader",)], True),  # 5 minutes without an answer: the chain has ended
        (50, [("leader",)], False),
        (60, [("leader",)], False),  # 10 minutes later
        (80, [("leader",)], False),  # 20 minutes later
    ]


def test_late_sweep_skips_the_repeats_that_were_missed() -> None:
    known = rules()
    decision = ladder_fires(known, opened(known), at(hours=3))
    assert pages(decision) == [("head", "deputy")]
    assert decision.case.ladder is not None
    assert decision.case.ladder.next_at == at(hours=3, minutes=10)


def test_acknowledgement_stops_the_ladder_and_voids_the_armed_timer() -> None:
    known = rules()
    before = opened(known)
    after = apply_command(known, before.case, command(CommandKind.ACKNOWLEDGE, at(minutes=5)), at(minutes=5))
    assert after.case.state is CaseState.ACKNOWLEDGED
    assert after.case.acknowledgement is not None
    assert after.case.acknowledgement.actor == PERSON
    assert LADDER not in {timer.subject for timer in after.timers}
    (old,) = [timer for timer in before.timers if timer.subject == LADDER]
    late = fire(known, after.case, old, at(minutes=15))
    assert late.ignored == "the timer is void"
    assert late.case == after.case


def test_page_that_reached_nobody_goes_up_at_once() -> None:
    known = rules()
    case = opened(known).case
    decision = notification_settled(known, case, settled(case, "liaison", Settlement.FAILED), at(seconds=3))
    assert kinds(decision) == [ChangeKind.NOTIFICATION_FAILED, ChangeKind.TIER_REACHED]
    assert pages(decision) == [("head", "deputy")]


def test_tier_with_one_reached_role_waits_for_the_answer() -> None:
    known = rules()
    case = opened(known).case
    case = notification_settled(known, case, settled(case, "liaison", Settlement.NOBODY), at(seconds=3)).case
    case = notification_settled(known, case, settled(case, "head", Settlement.DELIVERED), at(seconds=4)).case
    decision = notification_settled(known, case, settled(case, "deputy", Settlement.FAILED), at(seconds=5))
    assert pages(decision) == []
    # The receipt turns out bad after all: now nobody of the tier was reached. Yellow has no third tier.
    worse = notification_settled(known, decision.case, settled(case, "head", Settlement.FAILED), at(seconds=6))
    assert ChangeKind.CHAIN_ENDED in kinds(worse)
    assert pages(worse) == [("head", "deputy")]


def test_end_of_chain_does_not_page_in_a_tight_loop_when_nobody_can_be_reached() -> None:
    known = rules()
    case = opened(known).case
    asked = 0
    for second in range(50):
        assert case.ladder is not None
        roles = {"liaison": ("liaison",), "department": ("head", "deputy")}[case.ladder.tier]
        for role in roles:
            decision = notification_settled(known, case, settled(case, role, Settlement.FAILED), at(seconds=second))
            case = decision.case
            asked += len(pages(decision))
    assert asked == 2


def test_settlement_of_an_earlier_step_is_recorded_but_moves_nothing() -> None:
    known = rules()
    first = opened(known)
    case = ladder_fires(known, first, at(minutes=15)).case
    decision = notification_settled(
        known, case, settled(case, "liaison", Settlement.FAILED, step=1), at(minutes=15, seconds=1)
    )
    assert kinds(decision) == [ChangeKind.NOTIFICATION_FAILED]
    assert pages(decision) == []


def test_while_a_deputy_is_asked_instead_the_next_tier_waits_for_their_news() -> None:
    known = rules()
    case = opened(known).case
    news = settled(case, "liaison", Settlement.FAILED, stand_in="liaison-b", stand_in_label="接口人乙")
    decision = notification_settled(known, case, news, at(minutes=1))
    assert kinds(decision) == [ChangeKind.NOTIFICATION_FAILED]
    assert decision.changes[0].because == "liaison 未送达，改呼 接口人乙：no answer"
    reached = settled(case, "liaison", Settlement.SENT, person="liaison-b")
    assert not notification_settled(known, decision.case, reached, at(minutes=2)).requests
    lost = settled(case, "liaison", Settlement.FAILED, person="liaison-b")
    climbed = notification_settled(known, decision.case, lost, at(minutes=2))
    assert kinds(climbed) == [ChangeKind.NOTIFICATION_FAILED, ChangeKind.TIER_REACHED]


def test_a_message_taken_and_not_delivered_counts_no_more_when_the_deputy_has_news() -> None:
    known = rules()
    case = opened(known).case
    case = notification_settled(known, case, settled(case, "liaison", Settlement.SENT), at(minutes=1)).case
    late = settled(case, "liaison", Settlement.FAILED, stand_in="liaison-b", stand_in_label="接口人乙")
    case = notification_settled(known, case, late, at(minutes=2)).case
    lost = settled(case, "liaison", Settlement.FAILED, person="liaison-b")
    climbed = notification_settled(known, case, lost, at(minutes=3))
    assert kinds(climbed) == [ChangeKind.NOTIFICATION_FAILED, ChangeKind.TIER_REACHED]


def test_who_was_not_reached_is_told_as_the_roster_calls_them_in_the_language_of_the_case() -> None:
    known = rules()
    case = opened(known).case
    words = {"role_words": Bilingual(zh="接口人", en="Liaison"), "reason_words": Bilingual(zh="无人值班", en="nobody")}
    decision = notification_settled(known, case, settled(case, "liaison", Settlement.NOBODY, **words), at(minutes=1))
    assert decision.changes[0].because == "接口人 未送达：无人值班"


def test_who_cannot_handle_it_passes_it_up_even_after_acknowledging() -> None:
    known = rules()
    case = opened(known).case
    case = apply_command(known, case, command(CommandKind.ACKNOWLEDGE, at(minutes=1)), at(minutes=1)).case
    order = command(CommandKind.CANNOT_HANDLE, at(minutes=2), reason="超出权限")
    decision = apply_command(known, case, order, at(minutes=2))
    assert pages(decision) == [("head", "deputy")]
    assert decision.case.acknowledgement is None
    assert decision.case.state is CaseState.CLASSIFIED
    respond = decision.case.clock("respond")
    assert respond is not None
    assert respond.running
    assert respond.started_at == at()


def test_timer_of_an_earlier_generation_is_void_even_when_the_present_one_is_due() -> None:
    known = rules()
    first = opened(known)
    (old,) = [timer for timer in first.timers if timer.subject == LADDER]
    raised = reclassify(
        known, first.case, classified(known.plan.ref, "red", revision=2, when=at(minutes=5)), at(minutes=5)
    )
    late = fire(known, raised.case, old, at(hours=1))
    assert late.ignored == "the timer is void"
    assert pages(ladder_fires(known, raised, at(hours=1))) == [("head", "deputy")]
