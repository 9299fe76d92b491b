"""What a plan asks of people for a case besides clocks and tiers, at the end of a simulation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from services.escalator.domain.case import Approval, Case
from services.escalator.domain.case_duties import working_day
from services.escalator.domain.time_bases import Rules
from shared.contracts.values import FactValue
from shared.plans.obligations import ProposedConsequence
from shared.plans.rounds import due_between
from shared.plans.windows import CaseView

_ALWAYS_GIVEN = frozenset({"number", "source", "occurred_at", "received_at"})


@dataclass(frozen=True, slots=True)
class DutyDue:
    """A duty that falls due in the simulated time."""

    at: datetime
    duty: str


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """The complainant is to be told, from this instant on."""

    at: datetime
    notice: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """An approval as it stands; `step` is the one it waits for or was decided at, from 1."""

    state: str
    step: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Names are ids of the plan's entries, in the order of the file. `activated` None: no gate stood before it."""

    opened: tuple[str, ...] = ()
    proposed: Mapping[str, FactValue] = field(default_factory=dict)
    record_missing: tuple[str, ...] = ()
    checklist_open: tuple[str, ...] = ()
    bypasses: tuple[str, ...] = ()
    consequences: tuple[ProposedConsequence, ...] = ()
    duties: tuple[DutyDue, ...] = ()
    notices: tuple[NoticeDue, ...] = ()
    approvals: Mapping[str, ApprovalAsked] = field(default_factory=dict)
    activated: bool | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the case at the end."""

    level: str | None
    inputs: Mapping[str, FactValue | None]
    facts: Mapping[str, FactValue]
    counts: Mapping[str, float]
    view: CaseView
    title: str | None
    narrative: str | None
    case: Case | None


def asked(rules: Rules, known: Known, *, opened: Iterable[str], proposed: Mapping[str, FactValue]) -> Asked:
    """Everything the plan asks for at this level with what is known."""
    plan, case = rules.plan, known.case
    ticked = {tick.item for tick in case.ticks} if case is not None else set()
    return Asked(
        opened=tuple(opened),
        proposed=proposed,
        record_missing=tuple(
            entry.id
            for entry in plan.record_for(known.level, known.inputs)
            if entry.id not in ticked and not _written(entry.field, entry.fact, known)
        ),
        checklist_open=tuple(
            item.id for item in plan.checklist_for(known.level, known.inputs) if item.id not in ticked
        ),
        bypasses=tuple(way.id for way in plan.bypasses_for(known.level, known.inputs)),
        consequences=plan.consequences_for(known.level, known.inputs, known.counts),
        notices=tuple(NoticeDue(one.at, one.id) for one in case.notices) if case is not None else (),
        approvals={one.id: _stands(rules, one) for one in case.approvals} if case is not None else {},
        activated=_activated(case),
    )


def _activated(case: Case | None) -> bool | None:
    return case.activation.decided == "activated" if case is not None and case.activation is not None else None


def _stands(rules: Rules, asked: Approval) -> ApprovalAsked:
    steps = next((len(rule.by) for rule in rules.plan.approvals if rule.id == asked.id), 1)
    return ApprovalAsked(asked.state, min(len(asked.given) + 1, steps))


def duties_due(rules: Rules, known: Known, start: datetime, end: datetime) -> tuple[DutyDue, ...]:
    """The organisation's duties and this case's that fall due in (start, end]."""
    plan, zone, works = rules.plan, ZoneInfo(rules.plan.plan.timezone), working_day(rules)
    found = [DutyDue(at, duty.id) for duty in plan.duties for at in due_between(duty, start, end, zone, works)]
    for duty in plan.case_duties_for(known.level, known.inputs):
        milestones = known.case.milestones if known.case is not None else {}
        begins = milestones.get(duty.start or "")
        ends = milestones.get(duty.until or "", end)
        if begins is not None:
            found += [DutyDue(at, duty.id) for at in due_between(duty, begins, min(ends, end), zone, works)]
    return tuple(sorted(found, key=lambda due: (due.at, due.duty)))


def _written(name: str | None, fact: str | None, known: Known) -> bool:
    if fact is not None:
        return fact in known.facts
    if name is None:
        return False
    if name in _ALWAYS_GIVEN:
        return True
    place = known.view.place
    given = {
        "title": known.title,
        "narrative": known.narrative,
        "complainant": known.view.complainant_ref,
        "place": place.province or place.city or place.district or place.site,
        "topic": known.view.topic,
        "category": known.view.category,
        "channel": known.view.channel,
    }
    return given.get(name) is not None
