"""Notices, duties, checklists, ways past the ladder, and telling those whom a milestone concerns."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.light import card_of, fire_lightly
from services.escalator.domain.publishing import published
from services.escalator.domain.settlement import notification_settled
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import Change, ChangeKind
from shared.contracts.notifications import COMPLAINANT, Purpose, Settlement, notice_id
from shared.contracts.values import Bilingual, CaseKind, ChannelKind
from tests.support.escalations import PLAN_TEXT, at, classified, command, opened, rules, settled

MORE = """
notices:
  - {id: accepted, on: received, words: {zh: 已受理。, en: Taken up.}}
  - {id: worse, on: level-changed, words: {zh: 级别有变。, en: Another level.}}
  - {id: answered, on: resolved, within: 24h, words: {zh: 已处理。, en: Done.}}
  - {id: back, on: reopened, words: {zh: 重新办理。, en: Again.}}
  - {id: gone, on: withdrawn, opt_in: true, words: {zh: 已撤。, en: Withdrawn.}}
record:
  - {id: people, fact: people, before: resolved, words: {zh: 人数, en: People}}
  - {id: topic, field: topic, before: resolved, words: {zh: 主题, en: Topic}}
  - {id: early, field: topic, before: closed, may_stay_blank_until: plan-submitted, words: {zh: 题目, en: Subject}}
  - {id: teller, field: complainant, before: resolved, words: {zh: 投诉人, en: Complainant}}
  - {id: form, before: closed, words: {zh: 登记表, en: Form}}
checklist:
  - {id: seal, words: {zh: 封存, en: Seal}, before: resolved, levels: [orange]}
  - {id: sign, words: {zh: 签字, en: Sign}, before: resolved, by: [head]}
bypass:
  - {id: police, dial: "110", levels: [orange], words: {zh: 报警, en: Police}}
  - {id: top, roles: [leader], words: {zh: 直报, en: Straight up}}
inform:
  - {id: press, roles: [press-office], on: plan-submitted, channels: [email, voice], all_channels: true}
duties:
  - id: look
    words: {zh: 每日察看, en: A daily look}
    kind: check
    every: day
    at: ["09:00", "17:00"]
    within: 30m
    from: acknowledged
    until: resolved
    roles: [head]
"""
KNOWN = rules(PLAN_TEXT + MORE)


def do(case: Case, kind: CommandKind, when: datetime, known: Rules = KNOWN, **arguments: Any) -> Decision:
    return apply_command(known, case, command(kind, when, reason="照办", arguments=arguments), when)


def changes(decision: Decision, kind: ChangeKind) -> list[Change]:
    return [change for change in decision.changes if change.kind is kind]


def notices(decision: Decision) -> list[object]:
    return [change.details["notice"] for change in changes(decision, ChangeKind.COMPLAINANT_NOTICE)]


def refused(decision: Decision) -> bool:
    return [change.kind for change in decision.changes] == [ChangeKind.COMMAND_REFUSED]


def test_the_complainant_is_to_be_told_at_each_moment_the_plan_names() -> None:
    first = opened(KNOWN)
    assert notices(first) == ["accepted"]
    raised = reclassify(KNOWN, first.case, classified(KNOWN.plan.ref, "orange", revision=2), at(hours=1))
    assert notices(raised) == ["worse"]
    red = reclassify(KNOWN, raised.case, classified(KNOWN.plan.ref, "red", revision=3), at(hours=1))
    assert notices(red) == ["worse"]
    resolved = do(red.case, CommandKind.RESOLVE, at(hours=2))
    assert notices(resolved) == ["answered"]
    assert changes(resolved, ChangeKind.COMPLAINANT_NOTICE)[0].details["due_at"] == at(hours=26).isoformat()
    reopened = do(resolved.case, CommandKind.REOPEN, at(hours=3))
    assert notices(reopened) == ["back"]
    assert notices(do(reopened.case, CommandKind.RESOLVE, at(hours=4))) == []
    assert notices(do(reopened.case, CommandKind.WITHDRAW, at(hours=4))) == ["gone"]
    assert notices(opened(KNOWN, kind=CaseKind.WARNING)) == []


def test_how_it_came_out_goes_to_the_complainant_where_the_plan_has_it_and_its_handler_wrote_it() -> None:
    known = rules(PLAN_TEXT + MORE.replace("on: resolved, within: 24h", "on: resolved, outcome: true"))
    written = "已更换光猫，退费 30 元。"

    def told(decision: Decision) -> list[object]:
        return [one.details.get("outcome") for one in changes(decision, ChangeKind.COMPLAINANT_NOTICE)]

    case = opened(known).case
    assert told(do(case, CommandKind.RESOLVE, at(hours=1), known, outcome=written)) == [written]
    assert told(do(case, CommandKind.RESOLVE, at(hours=1), known)) == [None], "a reason is for those who handle it"
    before = do(case, CommandKind.MILESTONE, at(hours=1), known, milestone="plan-submitted", outcome=written)
    assert told(do(before.case, CommandKind.CLOSE, at(hours=2), known)) == [written]
    assert told(do(opened(KNOWN).case, CommandKind.RESOLVE, at(hours=1), outcome=written)) == [None]


def test_having_told_the_complainant_is_recorded_once_and_late_if_late() -> None:
    case = do(opened(KNOWN).case, CommandKind.RESOLVE, at(hours=1)).case
    told = do(case, CommandKind.COMPLAINANT_TOLD, at(hours=26), notice="answered")
    assert changes(told, ChangeKind.COMPLAINANT_TOLD)[0].details["late"] is True
    next_one = do(told.case, CommandKind.COMPLAINANT_TOLD, at(hours=27))
    assert changes(next_one, ChangeKind.COMPLAINANT_TOLD)[0].details["notice"] == "accepted"
    assert refused(do(next_one.case, CommandKind.COMPLAINANT_TOLD, at(hours=28)))


def test_what_nobody_has_a_limit_for_goes_by_itself_and_counts_as_told_once_it_is_on_its_way() -> None:
    case = opened(KNOWN).case
    (told_of,) = case.notices
    (change,) = changes(opened(KNOWN), ChangeKind.COMPLAINANT_NOTICE)
    assert (change.details["by_itself"], change.details["text"], change.details["language"]) == (True, "已受理。", "zh")
    wanted = notice_id(case.case_id, case.plan.name, "accepted", told_of.at)
    news = settled(case, COMPLAINANT, Settlement.SENT, purpose=Purpose.INFORM, person=None, request_id=wanted)
    told = notification_settled(KNOWN, case, news, at(minutes=1))
    assert [one.because for one in changes(told, ChangeKind.COMPLAINANT_TOLD)] == ["已告知投诉人：已受理。"]
    assert not notification_settled(KNOWN, told.case, news, at(minutes=2)).changes
    other = news.model_copy(update={"request_id": case.case_id})
    assert not notification_settled(KNOWN, case, other, at(minutes=1)).changes
    failed = news.model_copy(update={"settlement": Settlement.FAILED})
    assert [one.kind for one in notification_settled(KNOWN, case, failed, at(minutes=1)).changes] == [
        ChangeKind.NOTIFICATION_FAILED
    ]
    resolved = changes(do(case, CommandKind.RESOLVE, at(hours=1)), ChangeKind.COMPLAINANT_NOTICE)
    assert [one.details["by_itself"] for one in resolved] == [False]


def test_a_breach_that_the_complainant_hears_of_is_no_light_firing() -> None:
    for known, light in (
        (rules(PLAN_TEXT), True),
        (rules(PLAN_TEXT + MORE.replace("on: reopened", "on: breached")), False),
    ):
        first = opened(known)
        case = do(first.case, CommandKind.ACKNOWLEDGE, at(), known=known)
        whole = published(known, case, at())
        assert whole is not None
        head = card_of(known, whole, case.case).head
        timer = next(one for one in case.timers if one.subject == "clock:finish")
        assert (fire_lightly(known, head, (), timer, at(hours=48)) is not None) is light
        fully = fire(known, case.case, timer, at(hours=48))
        assert notices(fully) == ([] if light else ["back"])


def test_what_is_missing_is_said_when_the_milestone_passes_and_nothing_waits() -> None:
    case = opened(KNOWN, "orange").case
    submitted = do(case, CommandKind.MILESTONE, at(hours=1), milestone="plan-submitted")
    (early,) = changes(submitted, ChangeKind.RECORD_INCOMPLETE)
    assert (early.details["checklist"], early.details["record"]) == ([], ["early"])
    ticked = do(submitted.case, CommandKind.TICK, at(hours=1), item="seal")
    assert changes(ticked, ChangeKind.TICKED)
    resolved = do(ticked.case, CommandKind.RESOLVE, at(hours=2))
    (missing,) = changes(resolved, ChangeKind.RECORD_INCOMPLETE)
    assert (missing.details["checklist"], missing.details["record"]) == (["sign"], ["topic"])
    assert "resolved" in resolved.case.milestones
    paper = do(resolved.case, CommandKind.TICK, at(hours=2), item="form")
    (last,) = changes(do(paper.case, CommandKind.CLOSE, at(hours=3)), ChangeKind.RECORD_INCOMPLETE)
    assert last.details["record"] == ["early"]


def test_ticking_takes_an_item_of_the_case_once_by_whom_the_plan_names() -> None:
    case = opened(KNOWN).case
    assert refused(do(case, CommandKind.TICK, at(), item="seal"))
    assert refused(do(case, CommandKind.TICK, at(), item="sign"))
    signed = do(case, CommandKind.TICK, at(minutes=1), item="sign", role="head")
    shown = published(KNOWN, signed, at(minutes=1))
    assert shown is not None
    assert [(one.id, one.ticked_at) for one in shown.checklist] == [("sign", at(minutes=1))]
    assert refused(do(signed.case, CommandKind.TICK, at(), item="sign", role="head"))


def test_a_way_past_the_ladder_is_taken_only_while_the_plan_opens_it() -> None:
    case = opened(KNOWN).case
    assert refused(do(case, CommandKind.BYPASS, at(), way="police"))
    up = do(case, CommandKind.BYPASS, at(minutes=1), way="top")
    (page,) = up.requests
    assert (page.purpose, page.roles, page.all_channels) == (Purpose.PAGE, ("leader",), True)
    assert up.case.ladder == case.ladder
    dialled = do(opened(KNOWN, "orange").case, CommandKind.BYPASS, at(minutes=1), way="police")
    assert dialled.requests == ()
    assert "110" in changes(dialled, ChangeKind.BYPASSED)[0].because


def test_those_whom_a_milestone_concerns_are_told_once_for_each_level() -> None:
    passed = do(opened(KNOWN).case, CommandKind.MILESTONE, at(hours=1), milestone="plan-submitted")
    (told,) = [one for one in passed.requests if one.roles == ("press-office",)]
    assert (told.purpose, told.channels, told.all_channels) == (
        Purpose.INFORM,
        (ChannelKind.EMAIL, ChannelKind.VOICE),
        True,
    )
    assert passed.case.told_once == ("press:yellow",)


def test_a_duty_of_the_case_comes_round_between_its_milestones() -> None:
    first = opened(KNOWN)
    assert not [timer for timer in first.timers if timer.subject == "duty:look"]
    taken = do(first.case, CommandKind.ACKNOWLEDGE, at())
    timer = next(one for one in taken.timers if one.subject == "duty:look")
    assert timer.due_at == datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # 17:00 in the plan's zone
    due = fire(KNOWN, taken.case, timer, timer.due_at)
    assert [(one.purpose, one.roles, one.subject.due_at) for one in due.requests] == [
        (Purpose.INFORM, ("head",), timer.due_at + timedelta(minutes=30))
    ]
    following = next(one for one in due.timers if one.subject == "duty:look")
    assert following.due_at == datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
    late = fire(KNOWN, due.case, following, datetime(2026, 11, 5, 2, 0, tzinfo=UTC))
    assert len(late.requests) == 1
    assert changes(late, ChangeKind.DUTY_DUE)[0].details["missed"] == 4
    over = do(due.case, CommandKind.RESOLVE, at(hours=9))
    assert over.case.duties == ()
    assert fire(KNOWN, over.case, following, following.due_at).ignored is not None


def test_the_end_of_a_warning_is_told_in_its_own_words() -> None:
    first = opened(KNOWN, kind=CaseKind.WARNING)
    why = Bilingual(zh="24小时无新增", en="24 hours without another")
    over = reclassify(
        KNOWN,
        first.case,
        classified(KNOWN.plan.ref, revision=2, resolved=True, resolved_because=why),
        at(hours=24),
    )
    assert over.requests[-1].purpose is Purpose.STAND_DOWN
    assert over.requests[-1].subject.because == "24小时无新增"
