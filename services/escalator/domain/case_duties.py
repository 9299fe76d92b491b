"""Work that comes round while a case lasts: told at its instants, between the two milestones the plan names."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.escalator.domain import limits
from services.escalator.domain.case import CaseDuty
from services.escalator.domain.decision import INFORM_CHANNELS, Turn
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.plans.obligations import CompiledDuty
from shared.plans.rounds import WorkingDay, due_between, next_due


def refresh(turn: Turn) -> None:
    """The duties that apply now, have begun and are not over; all others are forgotten."""
    plan, case = turn.rules.plan, turn.case
    if not plan.case_duties:
        return
    found: list[CaseDuty] = []
    for duty in plan.case_duties_for(case.level, case.inputs) if not case.ended else ():
        begins = case.milestones.get(duty.start or "")
        if begins is None or (duty.until or "") in case.milestones:
            continue
        known = next((one for one in case.duties if one.id == duty.id), None)
        if known is None:
            first = _next(turn.rules, duty, begins)
            known = CaseDuty(duty.id, 1, first) if first is not None else None
        if known is not None:
            found.append(known)
    if tuple(found) != case.duties:
        turn.set(duties=tuple(found))


def time_passed(turn: Turn, duty_id: str) -> None:
    """A duty is due: its roles are told. What a downtime has missed is told once, for the latest instant."""
    known = next((one for one in turn.case.duties if one.id == duty_id), None)
    duty = next((one for one in turn.rules.plan.case_duties if one.id == duty_id), None)
    if known is None or duty is None:
        return
    zone, works = zone_of(turn.rules), working_day(turn.rules)
    due = (known.next_at, *due_between(duty, known.next_at, turn.now, zone, works))
    following = next_due(duty, due[-1], zone, works)
    after = replace(known, generation=known.generation + 1, last_at=due[-1], next_at=following or due[-1])
    others = tuple(one for one in turn.case.duties if one.id != duty_id)
    turn.set(duties=(*others, after) if following is not None else others)
    because = turn.both("duty_due", duty=duty.words or duty.id)
    until = limits.end_of(turn.rules, duty.within, due[-1]) if duty.within is not None else None
    turn.note(
        ChangeKind.DUTY_DUE,
        because,
        duty=duty.id,
        due_at=due[-1].isoformat(),
        until=until.isoformat() if until is not None else None,
        missed=len(due) - 1,
        source=duty.source,
    )
    turn.request(Purpose.INFORM, duty.roles, channels=INFORM_CHANNELS, because=because, due_at=until)


def zone_of(rules: Rules) -> ZoneInfo:
    return ZoneInfo(rules.plan.plan.timezone)


def working_day(rules: Rules) -> WorkingDay | None:
    """Whether a day is a working day by the plan's calendar; None where there is none."""
    calendar = rules.calendar()
    if calendar is None:
        return None

    def works(day: date) -> bool:
        return bool(calendar.table.day(day).works)

    return works


def _next(rules: Rules, duty: CompiledDuty, after: datetime) -> datetime | None:
    return next_due(duty, after, zone_of(rules), working_day(rules))
