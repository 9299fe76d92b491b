"""How a case ends by somebody's command: resolved, closed, or dismissed because there is nothing to handle."""

from collections.abc import Mapping
from types import MappingProxyType

from services.escalator.domain import approvals, deadlines, informing, ladder, notices
from services.escalator.domain.orders import Order
from shared.contracts.escalations import CaseState, ChangeKind


def resolve(order: Order) -> None:
    """`resolve`, unless that needs approval first."""
    if not approvals.needed(order, "resolved"):
        finish(order)


def close(order: Order) -> None:
    """`close`, unless that or resolving needs approval first."""
    if not any(approvals.needed(order, milestone) for milestone in ("resolved", "closed")):
        shut(order)


def finish(order: Order) -> None:
    """Resolved, from now on."""
    _end(order, CaseState.RESOLVED, "resolved", ("acknowledged", "resolved"))


def shut(order: Order) -> None:
    """Closed: no clock runs any more."""
    was_open = order.turn.case.open
    _end(order, CaseState.CLOSED, "closed", ("acknowledged", "resolved", "closed"), told=was_open)
    deadlines.cancel_all(order.turn)


def _end(order: Order, state: CaseState, sentence: str, milestones: tuple[str, ...], *, told: bool = True) -> None:
    turn = order.turn
    if turn.case.state is CaseState.WAITING:
        deadlines.resume(turn, order.at)
    ladder.halt(turn)
    order.enter(state, sentence)
    for milestone in milestones:
        if milestone not in turn.case.milestones:
            deadlines.passed(turn, milestone, order.at)
    if told:
        informing.stand_down(turn, turn.both(sentence))


def _dismiss(
    order: Order, state: CaseState, sentence: str, *, details: Mapping[str, str] = MappingProxyType({}), **values: str
) -> None:
    turn = order.turn
    was_open = turn.case.open
    ladder.halt(turn)
    turn.set(state=state)
    order.note(ChangeKind.STATE_CHANGED, sentence, values=values, state=state, **values, **details)
    notices.at(turn, "invalidated" if state is CaseState.INVALID else state.value)
    deadlines.cancel_all(turn)
    if was_open:
        informing.stand_down(turn, turn.both(sentence, **values))


def withdraw(order: Order) -> None:
    """`withdraw`: the complainant takes it back."""
    _dismiss(order, CaseState.WITHDRAWN, "withdrawn")


def invalidate(order: Order) -> None:
    """`invalidate`: there is nothing to handle."""
    _dismiss(order, CaseState.INVALID, "invalid")


def merge(order: Order) -> None:
    """`merge`: argument `into`, number or id of the open case that goes on. It must run the same plan.

    Refused where nobody would go on: no deadline ends because its case was merged into nothing.
    """
    turn, other = order.turn, order.other
    into = order.word("into")
    if into is None:
        order.refuse("refused_argument", argument="into")
    elif other is None:
        order.refuse("refused_merge_unknown", into=into)
    elif other.case_id == turn.case.case_id:
        order.refuse("refused_merge_self")
    elif not other.open:
        order.refuse("refused_merge_over", into=other.number, other=other.state)
    else:
        turn.set(merged_into=other.case_id)
        _dismiss(order, CaseState.MERGED, "merged", into=other.number, details={"case": str(other.case_id)})


def split(order: Order) -> None:
    """`split`: intake has opened the other case (argument `into`) and tells the facts of this one anew.

    Nothing of this case ends by it; here it is recorded, whatever state the case is in.
    """
    into = order.word("into")
    if into is None:
        order.refuse("refused_argument", argument="into")
        return
    moved = order.argument("facts")
    facts = {"facts": moved} if isinstance(moved, list) else {}
    order.note(ChangeKind.SPLIT, "split", values={"into": into}, into=into, case=order.word("case") or "", **facts)
