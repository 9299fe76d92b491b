"""What should be ticked and written down before a milestone. What is missing is said when it passes; nothing waits."""

from typing import Final

from services.escalator.domain import wording
from services.escalator.domain.case import Case, Tick
from services.escalator.domain.decision import Turn
from services.escalator.domain.orders import Order
from shared.contracts.escalations import ChangeKind
from shared.contracts.values import Bilingual
from shared.plans.obligations import CompiledCheck, CompiledRecord, Entry

_ALWAYS_GIVEN: Final = frozenset({"number", "source", "occurred_at", "received_at"})
_NOT_HERE: Final = frozenset({"narrative", "complainant", "contact", "category", "attachments"})
"""Fields the register keeps to itself: whether they are filled in cannot be seen here."""


def tick(order: Order) -> None:
    """`tick`: argument `item`, of the checklist or a paper of the record; `role` where the plan says who ticks it."""
    turn = order.turn
    case, plan = turn.case, turn.rules.plan
    wanted = order.word("item")
    item = next((item for item in plan.checklist_for(case.level, case.inputs) if item.id == wanted), None)
    papers = (entry for entry in plan.record_for(case.level, case.inputs) if _paper(entry))
    paper = next((entry for entry in papers if entry.id == wanted), None)
    found: CompiledCheck | CompiledRecord | None = item if item is not None else paper
    if found is None or wanted is None:
        order.refuse("refused_argument", argument="item")
        return
    if item is not None and item.by and order.word("role") not in item.by:
        order.refuse("refused_role", roles=", ".join(item.by))
        return
    if _ticked(case, wanted):
        order.refuse("refused_ticked", item=_label(found))
        return
    turn.set(ticks=(*case.ticks, Tick(wanted, order.command.actor, order.at)))
    order.note(ChangeKind.TICKED, "ticked", values={"item": _label(found)}, item=wanted)


def at_milestone(turn: Turn, milestone: str) -> None:
    """Say what should have been ticked or written down before this milestone and is not."""
    items, entries = open_items(turn, milestone), _missing(turn, milestone)
    if not items and not entries:
        return
    labels = [_label(one) for one in (*items, *entries)]
    listed = wording.pair("、".join(one.zh for one in labels), ", ".join(one.en for one in labels))
    turn.note(
        ChangeKind.RECORD_INCOMPLETE,
        turn.both("incomplete", milestone=_milestone(turn, milestone), items=listed),
        milestone=milestone,
        checklist=[item.id for item in items],
        record=[entry.id for entry in entries],
    )


def open_items(turn: Turn, before: str | None = None) -> tuple[CompiledCheck, ...]:
    """What of the checklist is not ticked; `before` None: whatever milestone it stands before."""
    case = turn.case
    items = turn.rules.plan.checklist_for(case.level, case.inputs, before)
    return tuple(item for item in items if not _ticked(case, item.id))


def _missing(turn: Turn, milestone: str) -> tuple[CompiledRecord, ...]:
    """Entries that should be there by now, as far as the case shows its fields here."""
    case = turn.case
    found = []
    for entry in turn.rules.plan.record_for(case.level, case.inputs):
        until = entry.may_stay_blank_until
        excused = until is not None and until != milestone and until not in case.milestones
        due = milestone == until or (milestone == entry.before and not excused)
        if due and not _written(case, entry):
            found.append(entry)
    return tuple(found)


def _written(case: Case, entry: CompiledRecord) -> bool:
    if _paper(entry):
        return _ticked(case, entry.id)
    if entry.fact is not None:
        return entry.fact in case.facts
    if entry.field in _ALWAYS_GIVEN or entry.field in _NOT_HERE:
        return True
    place = case.place
    given = {
        "title": case.title,
        "topic": case.topic,
        "place": place.province or place.city or place.district or place.site,
        "channel": case.inputs.get("channel"),
    }
    return given.get(entry.field or "") is not None


def _paper(entry: CompiledRecord) -> bool:
    return entry.field is None and entry.fact is None


def _ticked(case: Case, item: str) -> bool:
    return any(tick.item == item for tick in case.ticks)


def _milestone(turn: Turn, milestone: str) -> Bilingual:
    known = next((one for one in turn.rules.plan.plan.milestones if one.id == milestone), None)
    if known is None:
        return wording.pair(milestone, milestone)
    return wording.pair(known.zh, known.en)


def _label(entry: Entry) -> Bilingual:
    return wording.pair(entry.words.zh, entry.words.en) if entry.words is not None else wording.pair(entry.id, entry.id)
