"""How a case ends by somebody's command: resolved, closed, or dismissed because there is nothing to handle."""

from services.escalator.domain import approvals, deadlines, informing, ladder, notices
from services.escalator.domain.orders import Order
from shared.contracts.escalations import CaseState


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
        informing.stand_down(turn, turn.say(sentence))


def _dismiss(order: Order, state: CaseState, sentence: str, **values: str) -> None:
    turn = order.turn
    was_open = turn.case.open
    ladder.halt(turn)
    order.enter(state, sentence, **values)
    notices.at(turn, "invalidated" if state is CaseState.INVALID else state.value)
    deadlines.cancel_all(turn)
    if was_open:
        informing.stand_down(turn, turn.say(sentence, **values))


def withdraw(order: Order) -> None:
    """`withdraw`: the complainant takes it back."""
    _dismiss(order, CaseState.WITHDRAWN, "withdrawn")


def invalidate(order: Order) -> None:
    """`invalidate`: there is nothing to handle."""
    _dismiss(order, CaseState.INVALID, "invalid")


def merge(order: Order) -> None:
    """`merge`: argument `into`, the number of the case that goes on."""
    into = order.argument("into")
    if not isinstance(into, str) or not into.strip():
        order.refuse("refused_argument", argument="into")
        return
    _dismiss(order, CaseState.MERGED, "merged", into=into)
