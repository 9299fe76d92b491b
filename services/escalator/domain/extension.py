"""More time for a clock: asked for, decided by a role that did not ask, and told to the complainant.

Asking stops nothing. What is granted is counted from the clock's own start, never from the day of the decision, and
never beyond the plan's cap. A decision that comes after the breach is recorded; the breach stays.
"""

from dataclasses import replace
from datetime import datetime

from services.escalator.domain import clocks, notices, recusal, wording
from services.escalator.domain.case import Extension
from services.escalator.domain.clock_orders import clock_of
from services.escalator.domain.clocks import BREACH, Clock, Entry, EntryKind
from services.escalator.domain.decision import INFORM_CHANNELS
from services.escalator.domain.orders import Order
from services.escalator.domain.time_bases import TimeBase
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.plans.duties import CompiledClock, CompiledExtension
from shared.plans.limits import Limit, parse_limit


def ask(order: Order) -> None:
    """`extension-request`: arguments `clock` (absent: the only extendable one) and `by` (absent: the plan's own)."""
    found = clock_of(order, lambda spec: spec.extension is not None, otherwise="refused_extension")
    if found is None:
        return
    spec, clock = found
    terms = _terms(spec)
    if _pending(order, clock.id) is not None:
        order.refuse("refused_pending")
        return
    if _granted(order, clock.id) >= terms.count:
        order.refuse("refused_count", count=str(terms.count))
        return
    by = _asked(order, terms)
    if by is None:
        order.refuse("refused_argument", argument="by")
        return
    actor = order.command.actor
    asked = Extension(clock.id, actor, order.at, (order.command.reason or "").strip(), by)
    order.turn.set(extensions=(*order.turn.case.extensions, asked))
    values = {"clock": spec.label, "by": wording.length_in_words(by)}
    order.note(ChangeKind.EXTENSION_REQUESTED, "extension_asked", values=values, clock=clock.id, by=by)
    if terms.with_complainant:
        _grant(order, spec, clock, asked)
        return
    because = wording.by_both(actor, order.turn.both("extension_asked", **values), asked.reason)
    roles = _deciders(order, terms)
    order.turn.request(Purpose.INFORM, roles, channels=INFORM_CHANNELS, because=because)


def approve(order: Order) -> None:
    """`extension-approve`: arguments `clock` and `role`, the role in whose name the person decides."""
    decided = _decision(order)
    if decided is not None:
        _grant(order, *decided)


def deny(order: Order) -> None:
    """`extension-deny`, with a reason; arguments as for approving."""
    decided = _decision(order)
    if decided is None:
        return
    spec, clock, asked = decided
    _decide(order, asked, approved=False)
    order.note(ChangeKind.EXTENSION_DENIED, "extension_denied", values={"clock": spec.label}, clock=clock.id)


def told(order: Order) -> None:
    """`complainant-told`: somebody has told the complainant; the reason is the evidence.

    Of the longer limit of argument `clock`, or of argument `notice`; without either, of what waits longest.
    """
    wanted = order.word("clock")
    open_ones = [
        one
        for one in order.turn.case.extensions
        if one.approved and one.told_at is None and wanted in {None, one.clock}
    ]
    if order.word("notice") is not None or not open_ones:
        if notices.told(order):
            return
        order.refuse("refused_nothing_to_tell")
        return
    _replace(order, open_ones[0], replace(open_ones[0], told_at=order.at))
    spec = next(spec for spec in order.turn.rules.plan.clocks if spec.id == open_ones[0].clock)
    order.note(ChangeKind.COMPLAINANT_TOLD, "complainant_told", values={"clock": spec.label}, clock=spec.id)


def _decision(order: Order) -> tuple[CompiledClock, Clock, Extension] | None:
    """The request that is decided; None after refusing."""
    asked = _pending(order, order.word("clock"))
    spec = next((spec for spec in order.turn.rules.plan.clocks if asked is not None and spec.id == asked.clock), None)
    clock = order.turn.case.clock(spec.id) if spec is not None else None
    if asked is None or spec is None or clock is None or not clock.live:
        order.refuse("refused_none_pending")
        return None
    terms = _terms(spec)
    if order.command.actor == asked.asked_by:
        order.refuse("refused_own")
        return None
    roles = _deciders(order, terms)
    if order.word("role") not in roles:
        order.refuse("refused_role", roles=", ".join(roles))
        return None
    return spec, clock, asked


def _grant(order: Order, spec: CompiledClock, clock: Clock, asked: Extension) -> None:
    turn = order.turn
    base = turn.rules.base(clock.limit)
    amount = _longer(order, spec, clock, base, parse_limit(asked.by))
    if amount <= 0:
        order.refuse("refused_cap")
        return
    late = clock.breached or clocks.remaining(clock, order.at, base) < 0
    kept = clocks.kept_thresholds(clock, spec, clock.target + amount, turn.now, base)
    if clock.breached:
        kept = (*kept, *(() if BREACH in kept else (BREACH,)))
    after = turn.log(Entry(clock.id, EntryKind.EXTEND, order.at, amount=amount, kept=kept, reason=order.command.reason))
    due_at = _end(after, base)
    _decide(order, asked, approved=True, due_at=due_at)
    values = {"clock": spec.label, "due": due_at}
    sentence = "extension_late" if late else "extension_granted"
    order.note(ChangeKind.CLOCK_CHANGED, sentence, values=values, clock=clock.id, due_at=due_at.isoformat(), late=late)
    notices.at(turn, "extended", asked.reason)
    if _terms(spec).tell_complainant:
        tier = turn.case.paged_roles or turn.rules.plan.informed(turn.case.level)
        turn.request(Purpose.INFORM, tier, channels=INFORM_CHANNELS, because=turn.both("tell_complainant"))


def _longer(order: Order, spec: CompiledClock, clock: Clock, base: TimeBase, by: Limit) -> int:
    """By how many units of the clock's own base it grows: counted from its start, and never beyond the cap."""
    terms = _terms(spec)
    by = replace(by, day_zero=terms.basis.day_zero, ends=terms.basis.ends)
    start = clock.started_at
    own = base.amount(clock.limit, start)
    if by.base is clock.limit.base:
        whole = clock.limit.amount + sum(
            parse_limit(one.by).amount
            for one in order.turn.case.extensions
            if one.clock == clock.id and one.approved and parse_limit(one.by).base is by.base
        )
        before = base.amount(replace(clock.limit, amount=whole), start)
        amount = base.amount(replace(clock.limit, amount=whole + by.amount), start) - before
    else:
        other = order.turn.rules.base(by)
        ended = base.due(clock.counts_from or start, max(0, clock.target))
        amount = base.spent(ended, other.due(ended, other.amount(by, ended)))
    # The cap is of the limit itself: time that was left out for other reasons stays left out beyond it.
    granted = sum(1 for one in order.turn.case.extensions if one.clock == clock.id and one.approved)
    extra = clock.target - own if granted == 0 else 0
    if terms.to.base is clock.limit.base:
        cap = base.amount(replace(clock.limit, amount=terms.to.amount), start)
    else:
        capped = order.turn.rules.base(terms.to)
        end = capped.due(capped.counts_from(start), capped.amount(terms.to, start))
        cap = base.spent(clock.counts_from or start, end)
    return min(amount, cap + extra - clock.target)


def _end(clock: Clock, base: TimeBase) -> datetime:
    """When it runs out; for a clock that stands still, when it would have, had it run on."""
    return clocks.due_at(clock, base) or base.due(clock.counts_from or clock.started_at, clock.target)


def _asked(order: Order, terms: CompiledExtension) -> str | None:
    given = order.word("by")
    if given is None:
        return _written(terms.by) if terms.by is not None else None
    try:
        parse_limit(given)
    except ValueError:
        return None
    return given


def _written(limit: Limit) -> str:
    """A limit as a plan writes it."""
    units = {"elapsed": "s", "working_time": "wh", "working_days": "wd", "months": "mo", "calendar_days": "cd"}
    amount = limit.amount // 3_600 if limit.base == "working_time" else limit.amount
    return f"{amount}{units[limit.base]}"


def _deciders(order: Order, terms: CompiledExtension) -> tuple[str, ...]:
    """Who may grant or deny it; nobody who keeps out of the case."""
    return recusal.without(order.turn.rules, order.turn.case, terms.approve_by, "handling")


def _terms(spec: CompiledClock) -> CompiledExtension:
    if spec.extension is None:
        raise LookupError(f"clock '{spec.id}' has no extension")
    return spec.extension


def _pending(order: Order, clock: str | None) -> Extension | None:
    return next(
        (one for one in order.turn.case.extensions if one.approved is None and clock in {None, one.clock}), None
    )


def _granted(order: Order, clock: str) -> int:
    return sum(1 for one in order.turn.case.extensions if one.clock == clock and one.approved)


def _decide(order: Order, asked: Extension, *, approved: bool, due_at: datetime | None = None) -> None:
    decided = replace(
        asked,
        approved=approved,
        decided_by=order.command.actor,
        decided_at=order.at,
        role=order.word("role"),
        due_at=due_at,
    )
    _replace(order, asked, decided)


def _replace(order: Order, before: Extension, after: Extension) -> None:
    kept = tuple(after if one == before else one for one in order.turn.case.extensions)
    order.turn.set(extensions=kept)
