"""What needs somebody's agreement: asked step by step, given by one who did not ask, never taken from silence."""

from dataclasses import replace

from services.escalator.domain import ladder, limits, recusal
from services.escalator.domain.case import Approval, Consent
from services.escalator.domain.decision import INFORM_CHANNELS, Turn
from services.escalator.domain.orders import Order
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.plans.obligations import CompiledApproval
from shared.plans.words import Words


def needed(order: Order, milestone: str) -> bool:
    """Whether the milestone has to wait for approval. If so it was asked for, or refused while it is being asked."""
    case = order.turn.case
    if milestone in case.milestones:
        return False
    rules = _rules_of(order.turn, milestone)
    waiting = next((rule for rule in rules if _state(order.turn, rule) == "waiting"), None)
    if waiting is not None:
        order.refuse("refused_waiting_approval", approval=_label(waiting))
        return True
    for rule in rules:
        _ask(order, rule)
    return bool(rules)


def request(order: Order) -> None:
    """`approval-request`: argument `approval`, one that applies to the case."""
    rule = _named(order)
    if rule is None:
        order.refuse("refused_argument", argument="approval")
    elif _state(order.turn, rule) == "waiting":
        order.refuse("refused_waiting_approval", approval=_label(rule))
    else:
        _ask(order, rule)


def approve(order: Order) -> str | None:
    """`approve`: arguments `role` and, where several wait, `approval`. The milestone that may pass now, if any."""
    found = _decision(order)
    if found is None:
        return None
    rule, asked = found
    consent = Consent(order.word("role") or "", order.command.actor, order.at)
    given = (*asked.given, consent)
    done = len(given) == len(rule.by)
    after = replace(
        asked, given=given, generation=asked.generation + 1, state="approved" if done else "waiting", until=None
    )
    _put(order.turn, after)
    values = {"approval": _label(rule), "step": str(len(given)), "steps": str(len(rule.by))}
    sentence = "approval_given" if done else "approval_step"
    order.note(ChangeKind.APPROVED, sentence, values=values, approval=rule.id, step=len(given), role=consent.role)
    if not done:
        _lay_before(order, rule, after)
        return None
    if rule.of is None or any(_state(order.turn, other) != "approved" for other in _rules_of(order.turn, rule.of)):
        return None
    return rule.of


def refuse(order: Order) -> None:
    """`refuse`, with a reason; arguments as for approving. It may be asked for again."""
    found = _decision(order)
    if found is None:
        return
    rule, asked = found
    _put(order.turn, replace(asked, state="refused", generation=asked.generation + 1, until=None))
    values = {"approval": _label(rule)}
    role = order.word("role") or ""
    order.note(
        ChangeKind.REFUSED, "approval_refused", values=values, approval=rule.id, step=len(asked.given) + 1, role=role
    )


def time_passed(turn: Turn, approval_id: str) -> None:
    """A step has not decided in time: it is told again, the next tier is paged, or it is only recorded."""
    asked = turn.case.approval(approval_id)
    rule = next((rule for rule in turn.rules.plan.approvals if rule.id == approval_id), None)
    if asked is None or rule is None:
        return
    _put(turn, replace(asked, until=None, generation=asked.generation + 1))
    roles = _deciders(turn, rule, asked)
    because = turn.both("approval_silent", approval=_label(rule), roles=", ".join(roles))
    turn.note(ChangeKind.APPROVAL_OVERDUE, because, approval=rule.id, step=len(asked.given) + 1, action=rule.on_silence)
    if rule.on_silence == "record":
        return
    turn.request(Purpose.BREACH, roles, because=because)
    if rule.on_silence == "next-tier" and turn.case.open and ladder.tiers_of(turn):
        ladder.move_up(turn, because)


def _ask(order: Order, rule: CompiledApproval) -> None:
    turn = order.turn
    before = turn.case.approval(rule.id)
    generation = before.generation + 1 if before is not None else 1
    asked = Approval(rule.id, order.command.actor, order.at, generation=generation)
    _lay_before(order, rule, asked)


def _lay_before(order: Order, rule: CompiledApproval, asked: Approval) -> None:
    """The next step is to decide: its limit begins, and its roles are told."""
    turn = order.turn
    roles = _deciders(turn, rule, asked)
    until = limits.end_of(turn.rules, rule.within, order.at) if rule.within is not None else None
    _put(turn, replace(asked, until=until))
    values = {"approval": _label(rule), "roles": ", ".join(roles)}
    order.note(
        ChangeKind.APPROVAL_REQUESTED,
        "approval_asked",
        values=values,
        approval=rule.id,
        step=len(asked.given) + 1,
        roles=list(roles),
        until=until.isoformat() if until is not None else "",
    )
    because = turn.both("approval_asked", **values)
    turn.request(Purpose.INFORM, roles, channels=INFORM_CHANNELS, because=because, due_at=until)


def _decision(order: Order) -> tuple[CompiledApproval, Approval] | None:
    """The step that is decided; None after refusing."""
    wanted = order.word("approval")
    waiting = [one for one in order.turn.case.approvals if one.state == "waiting" and wanted in {None, one.id}]
    rule = next((rule for rule in order.turn.rules.plan.approvals if waiting and rule.id == waiting[0].id), None)
    if len(waiting) != 1 or rule is None:
        order.refuse("refused_no_approval" if not waiting else "refused_argument", argument="approval")
        return None
    (asked,) = waiting
    roles = _deciders(order.turn, rule, asked)
    if order.command.actor == asked.asked_by:
        order.refuse("refused_own")
        return None
    if order.word("role") not in roles:
        order.refuse("refused_role", roles=", ".join(roles))
        return None
    return rule, asked


def _deciders(turn: Turn, rule: CompiledApproval, asked: Approval) -> tuple[str, ...]:
    """Whose word the present step needs; nobody who keeps out of the case."""
    return recusal.without(turn.rules, turn.case, rule.by[len(asked.given)], "handling")


def _named(order: Order) -> CompiledApproval | None:
    wanted, case = order.word("approval"), order.turn.case
    rules = order.turn.rules.plan.approvals_for(case.level, case.inputs)
    return next((rule for rule in rules if rule.id == wanted), None)


def _rules_of(turn: Turn, milestone: str) -> tuple[CompiledApproval, ...]:
    rules = turn.rules.plan.approvals_for(turn.case.level, turn.case.inputs)
    return tuple(rule for rule in rules if rule.of == milestone)


def _state(turn: Turn, rule: CompiledApproval) -> str | None:
    known = turn.case.approval(rule.id)
    return known.state if known is not None else None


def _put(turn: Turn, approval: Approval) -> None:
    others = tuple(one for one in turn.case.approvals if one.id != approval.id)
    turn.set(approvals=(*others, approval))


def _label(rule: CompiledApproval) -> Words | str:
    return rule.words or rule.id
