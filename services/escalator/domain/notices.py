"""What the complainant is to be told. Nobody here knows how to reach them: it is work for whoever has the case.

The notifier tells those who asked to be told; its settlement then counts as told.
"""

from dataclasses import replace
from typing import Final

from services.escalator.domain import limits, wording
from services.escalator.domain.case import Notice
from services.escalator.domain.decision import Turn
from services.escalator.domain.orders import Order
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import NotificationSettledV1, Settlement, notice_id
from shared.contracts.values import CaseKind
from shared.plans.words import Words

_EACH_TIME: Final = frozenset({"breached", "extended", "level-changed", "reopened"})
"""Moments that may come again, and are told again; a milestone is told of once."""


def at(turn: Turn, moment: str, reason: str | None = None) -> None:
    """Note what the plan wants the complainant to be told at this moment, with the `reason` where there is one.

    A warning case has no complainant. What a person has no time limit for goes by itself to whoever asked to be told.
    """
    case = turn.case
    if case.kind is CaseKind.WARNING:
        return
    for notice in turn.rules.plan.notices_on(moment, case.level, case.inputs):
        if moment not in _EACH_TIME and any(known.id == notice.id for known in turn.case.notices):
            continue
        due_at = limits.end_of(turn.rules, notice.within, turn.now) if notice.within is not None else None
        turn.set(notices=(*turn.case.notices, Notice(notice.id, turn.now, due_at)))
        text = wording.words(notice.words, case.language) if notice.words is not None else notice.id
        sentence = "notice_opt_in" if notice.opt_in else "notice"
        turn.note(
            ChangeKind.COMPLAINANT_NOTICE,
            turn.both(sentence, text=notice.words or notice.id),
            notice=notice.id,
            on=moment,
            opt_in=notice.opt_in,
            by_itself=notice.within is None,
            text=text,
            reason=reason or None,
            outcome=turn.case.outcome if notice.outcome else None,
            language=case.language,
            due_at=due_at.isoformat() if due_at is not None else None,
            source=notice.source,
        )


def settled(turn: Turn, outcome: NotificationSettledV1) -> None:
    """A notice that went by itself: once it is on its way the complainant counts as told."""
    if outcome.settlement not in {Settlement.SENT, Settlement.DELIVERED}:
        return
    case = turn.case
    for index, one in enumerate(case.notices):
        if one.told_at is None and notice_id(case.case_id, case.plan.name, one.id, one.at) == outcome.request_id:
            told_now = replace(one, told_at=outcome.settled_at)
            turn.set(notices=(*case.notices[:index], told_now, *case.notices[index + 1 :]))
            turn.note(ChangeKind.COMPLAINANT_TOLD, turn.both("notice_told", text=_text(turn, one.id)), notice=one.id)
            return


def _text(turn: Turn, notice: str) -> Words | str:
    spec = next((spec for spec in turn.rules.plan.notices if spec.id == notice), None)
    return spec.words if spec is not None and spec.words else notice


def told(order: Order) -> bool:
    """Record that the complainant was told: argument `notice`, absent: the earliest open one. False: none is open."""
    wanted = order.word("notice")
    known = order.turn.case.notices
    at_index = next(
        (index for index, one in enumerate(known) if one.told_at is None and wanted in {None, one.id}), None
    )
    if at_index is None:
        return False
    found = known[at_index]
    order.turn.set(notices=(*known[:at_index], replace(found, told_at=order.at), *known[at_index + 1 :]))
    text = _text(order.turn, found.id)
    late = found.due_at is not None and order.at > found.due_at
    order.note(ChangeKind.COMPLAINANT_TOLD, "notice_told", values={"text": text}, notice=found.id, late=late)
    return True
