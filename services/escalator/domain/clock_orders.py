"""What people may do to one clock besides extending it: leave time out that by law does not count, or begin anew."""

from collections.abc import Callable
from datetime import datetime

from services.escalator.domain import clocks, deadlines
from services.escalator.domain.clocks import BREACH, Clock, Entry, EntryKind
from services.escalator.domain.orders import Order
from shared.contracts.escalations import ChangeKind
from shared.plans.duties import CompiledClock


def clock_of(
    order: Order, fits: Callable[[CompiledClock], bool] = lambda _: True, *, otherwise: str = "refused_clock"
) -> tuple[CompiledClock, Clock] | None:
    """The clock the command names, or the only one that is meant; None after refusing."""
    wanted = order.word("clock")
    case = order.turn.case
    found = [
        (spec, clock)
        for spec in order.turn.rules.plan.clocks
        if (clock := case.clock(spec.id)) is not None and clock.live and wanted in {None, spec.id} and fits(spec)
    ]
    if len(found) != 1:
        order.refuse(otherwise if not found else "refused_clock")
        return None
    return found[0]


def exclude(order: Order) -> None:
    """`exclude`: the time between the arguments `from` and `to` does not count; the reason is the evidence."""
    found = clock_of(order)
    if found is None:
        return
    spec, clock = found
    start, end = order.instant("from"), order.instant("to")
    if start is None or end is None or not start < end <= order.turn.now:
        order.refuse("refused_span")
        return
    turn = order.turn
    base = turn.rules.base(clock.limit)
    counted = sum(base.spent(max(start, since), min(end, until)) for since, until in _counted(clock, order))
    if counted <= 0:
        order.refuse("refused_span")
        return
    kept = clocks.kept_thresholds(clock, spec, clock.target + counted, turn.now, base)
    if clock.breached and BREACH not in kept:
        kept = (*kept, BREACH)
    turn.log(Entry(clock.id, EntryKind.EXCLUDE, order.at, amount=counted, kept=kept, reason=order.command.reason))
    values = {
        "clock": spec.label,
        "start": start,
        "end": end,
    }
    order.note(ChangeKind.CLOCK_CHANGED, "excluded", values=values, clock=clock.id)


def restart(order: Order) -> None:
    """`restart`: new facts have come, so the clock counts anew from now, as though the case had come today."""
    found = clock_of(order)
    if found is None:
        return
    spec, clock = found
    order.turn.log(Entry(clock.id, EntryKind.RESTART, order.turn.now, origin=order.at, reason=order.command.reason))
    label = spec.label
    order.note(ChangeKind.CLOCK_CHANGED, "restarted", values={"clock": label}, clock=clock.id)
    deadlines.refresh(order.turn)


def _counted(clock: Clock, order: Order) -> list[tuple[datetime, datetime]]:
    """The spans in which the clock counted: nothing can be left out that never counted."""
    running = [(clock.running_since, order.turn.now)] if clock.running_since is not None else []
    return [*clock.ran, *running]
