"""More time for a clock: asked for, decided by another, told to the complainant, never beyond the cap."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.clocks import due_at, state_of
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ChangeKind, ClockState
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor, ActorKind
from tests.support.calendars import shipped
from tests.support.escalations import PLAN_TEXT, at, command, opened, rules

CHIEF = Actor(kind=ActorKind.PERSON, ref="chief-a")
EXTENDED = """
    limit: 48h
    extension: {approve_by: [leader], by: 24h, to: 96h, count: 2, tell_complainant: true}
    breach: record"""
TEXT = PLAN_TEXT.replace("    limit: 48h\n    breach: record", EXTENDED.strip("\n"))


def do(known: Rules, case: Case, kind: CommandKind, when: datetime, **fields: Any) -> Decision:
    return apply_command(known, case, command(kind, when, **fields), when)


def ask(known: Rules, case: Case, when: datetime, **arguments: Any) -> Decision:
    return do(known, case, CommandKind.EXTENSION_REQUEST, when, reason="案情复杂", arguments=arguments)


def approve(known: Rules, case: Case, when: datetime, *, actor: Actor = CHIEF, role: str = "leader") -> Decision:
    return do(known, case, CommandKind.EXTENSION_APPROVE, when, actor=actor, arguments={"role": role})


def end(known: Rules, case: Case, clock: str = "finish") -> datetime | None:
    found = case.clock(clock)
    assert found is not None
    return due_at(found, known.base(found.limit))


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def refused(decision: Decision) -> bool:
    return kinds(decision) == [ChangeKind.COMMAND_REFUSED]


def test_asking_stops_nothing_and_is_laid_before_those_who_decide() -> None:
    known = rules(TEXT)
    decision = ask(known, opened(known).case, at(hours=30))
    assert kinds(decision) == [ChangeKind.EXTENSION_REQUESTED]
    assert end(known, decision.case) == at(hours=48)
    assert [(one.purpose, one.roles) for one in decision.requests] == [(Purpose.INFORM, ("leader",))]


def test_what_is_granted_is_counted_from_the_start_and_told_to_the_complainant() -> None:
    known = rules(TEXT)
    decision = approve(known, ask(known, opened(known).case, at(hours=30)).case, at(hours=40))
    assert kinds(decision) == [ChangeKind.CLOCK_CHANGED]
    assert end(known, decision.case) == at(hours=72)
    assert decision.changes[0].details["late"] is False
    (extension,) = decision.case.extensions
    assert (extension.approved, extension.role, extension.due_at) == (True, "leader", at(hours=72))
    assert decision.requests[-1].subject.because == "请将延期及理由告知投诉人"
    told = do(known, decision.case, CommandKind.COMPLAINANT_TOLD, at(hours=41), reason="已电话告知")
    assert kinds(told) == [ChangeKind.COMPLAINANT_TOLD]
    assert told.case.extensions[0].told_at == at(hours=41)
    assert refused(do(known, told.case, CommandKind.COMPLAINANT_TOLD, at(hours=42)))


def test_the_complainant_hears_of_the_extension_with_its_reason() -> None:
    notices = "\nnotices: [{id: longer, on: extended, words: {zh: 办理时限延长。, en: It takes longer.}}]\n"
    known = rules(TEXT + notices)
    decision = approve(known, ask(known, opened(known).case, at(hours=30)).case, at(hours=40))
    (notice,) = (one for one in decision.changes if one.kind is ChangeKind.COMPLAINANT_NOTICE)
    assert (notice.details["text"], notice.details["reason"]) == ("办理时限延长。", "案情复杂")


@pytest.mark.parametrize(("actor", "role"), [(None, "leader"), (CHIEF, "head"), (CHIEF, "")])
def test_only_another_person_in_a_named_role_decides(actor: Actor | None, role: str) -> None:
    known = rules(TEXT)
    asked = ask(known, opened(known).case, at(hours=30)).case
    asker = asked.extensions[0].asked_by
    decision = approve(known, asked, at(hours=31), actor=actor or asker, role=role)
    assert refused(decision)
    assert end(known, decision.case) == at(hours=48)


def test_the_cap_and_the_count_hold() -> None:
    known = rules(TEXT)
    case = opened(known).case
    for hours, expected in ((10, 72), (20, 96)):
        case = approve(known, ask(known, case, at(hours=hours)).case, at(hours=hours + 1)).case
        assert end(known, case) == at(hours=expected)
    assert refused(ask(known, case, at(hours=22)))
    wide = rules(TEXT.replace("count: 2", "count: 9"))
    case = opened(wide).case
    for hours, expected in ((10, 72), (20, 96)):
        case = approve(wide, ask(wide, case, at(hours=hours)).case, at(hours=hours + 1)).case
        assert end(wide, case) == at(hours=expected)
    asked = ask(wide, case, at(hours=22))
    assert refused(approve(wide, asked.case, at(hours=23)))
    more = approve(wide, ask(wide, opened(wide).case, at(hours=1), by="10d").case, at(hours=2))
    assert end(wide, more.case) == at(hours=96)


def test_denied_means_the_clock_stays_and_one_may_ask_again() -> None:
    known = rules(TEXT)
    asked = ask(known, opened(known).case, at(hours=30)).case
    assert refused(ask(known, asked, at(hours=31)))
    denied = do(
        known, asked, CommandKind.EXTENSION_DENY, at(hours=31), actor=CHIEF, reason="不予", arguments={"role": "leader"}
    )
    assert kinds(denied) == [ChangeKind.EXTENSION_DENIED]
    assert end(known, denied.case) == at(hours=48)
    assert kinds(ask(known, denied.case, at(hours=32))) == [ChangeKind.EXTENSION_REQUESTED]


def test_approval_after_the_breach_is_recorded_and_the_breach_stays() -> None:
    known = rules(TEXT)
    first = ask(known, opened(known).case, at(hours=47))
    timer = next(timer for timer in first.timers if timer.subject == "clock:finish")
    breached = fire(known, first.case, timer, at(hours=48))
    assert ChangeKind.CLOCK_BREACHED in kinds(breached)
    late = approve(known, breached.case, at(hours=50))
    assert late.changes[0].details["late"] is True
    finish = late.case.clock("finish")
    assert finish is not None
    assert end(known, late.case) == at(hours=72)
    assert state_of(finish, at(hours=60), known.base(finish.limit)) is ClockState.BREACHED
    assert "clock:finish" not in {one.subject for one in late.timers}


def test_a_clock_without_terms_cannot_be_extended() -> None:
    known = rules()
    assert refused(ask(known, opened(known).case, at(hours=1)))
    known = rules(TEXT)
    assert refused(ask(known, opened(known).case, at(hours=1), clock="respond"))
    assert refused(ask(known, opened(known).case, at(hours=1), by="soon"))
    assert refused(approve(known, opened(known).case, at(hours=1)))


def test_with_the_complainant_agreeing_nobody_else_has_to() -> None:
    text = TEXT.replace("approve_by: [leader], ", "with_complainant: true, ")
    known = rules(text)
    decision = ask(known, opened(known).case, at(hours=1))
    assert end(known, decision.case) == at(hours=72)


@pytest.mark.parametrize(
    ("terms", "received", "first", "second"),
    [
        # 15 to 60 working days: over the Spring Festival, with its make-up Saturday.
        (("15wd", "15wd", "60wd"), "2026-01-26T10:00", "2026-02-14", "2026-03-13"),
        (("2wd", "3wd", "5wd"), "2026-02-12T10:00", "2026-02-14", "2026-02-26"),
        (("3wd", "4wd", "7wd"), "2026-09-29T10:00", "2026-10-09", "2026-10-14"),
    ],
)
def test_extended_working_days_are_counted_from_receipt_by_the_real_calendar(
    terms: tuple[str, str, str], received: str, first: str, second: str
) -> None:
    limit, by, cap = terms
    text = TEXT.replace("limit: 48h", f"limit: {limit}").replace("by: 24h, to: 96h", f"by: {by}, to: {cap}")
    text = text.replace("timezone:", "calendar: china\ntimezone:")
    known = Rules(rules(text).plan, shipped())
    start = datetime.fromisoformat(received + "+08:00").astimezone(UTC)
    case = opened(known, now=start, received_at=start, occurred_at=start).case

    def day(of: Case) -> str:
        found = end(known, of)
        assert found is not None
        # The last day is given in full: the end is its midnight.
        return (found + timedelta(hours=8) - timedelta(seconds=1)).date().isoformat()

    assert day(case) == first
    asked = ask(known, case, start + timedelta(days=1))
    assert day(approve(known, asked.case, start + timedelta(days=1, hours=1)).case) == second


def test_time_that_by_law_does_not_count_is_given_back_with_its_evidence() -> None:
    known = rules(TEXT)
    case = opened(known).case
    span = {"clock": "finish", "from": at(hours=5).isoformat(), "to": at(hours=15).isoformat()}
    decision = do(known, case, CommandKind.EXCLUDE, at(hours=20), reason="外部鉴定", arguments=span)
    assert kinds(decision) == [ChangeKind.CLOCK_CHANGED]
    assert end(known, decision.case) == at(hours=58)
    for start, stop in ((15, 5), (5, 50), (-9, -1)):
        odd = {"clock": "finish", "from": at(hours=start).isoformat(), "to": at(hours=stop).isoformat()}
        assert refused(do(known, case, CommandKind.EXCLUDE, at(hours=20), reason="x", arguments=odd))


def test_new_facts_let_a_clock_begin_anew() -> None:
    known = rules(TEXT)
    case = opened(known).case
    decision = do(known, case, CommandKind.RESTART, at(hours=20), reason="新证据", arguments={"clock": "finish"})
    assert end(known, decision.case) == at(hours=68)
    system = Actor(kind=ActorKind.SYSTEM, ref="key-a")
    assert refused(
        do(known, case, CommandKind.RESTART, at(hours=20), actor=system, reason="x", arguments={"clock": "finish"})
    )
