"""What people decide about a case. What is not allowed is refused in writing, never by an exception."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from services.escalator.domain import (
    activation,
    approvals,
    bypass,
    checklist,
    clock_orders,
    deadlines,
    endings,
    extension,
    ladder,
    notices,
    recusal,
    retention,
    waiting,
    wording,
)
from services.escalator.domain.case import OPEN_STATES, Acknowledgement, Case, Overruling
from services.escalator.domain.classification import raise_level, reopen
from services.escalator.domain.decision import INFORM_CHANNELS, Decision, Turn
from services.escalator.domain.orders import Order
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import ONLY_PERSONS, WITH_REASON, CommandIssuedV1, CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import ActorKind, CaseKind
from shared.plans.model import Milestone

_UNFINISHED: Final = OPEN_STATES | {CaseState.RESOLVED}
_EVERY: Final = frozenset(CaseState)
_HANDLED: Final = frozenset({CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS})

_ALLOWED_IN: Final[Mapping[CommandKind, frozenset[CaseState]]] = MappingProxyType(
    {
        CommandKind.ACKNOWLEDGE: OPEN_STATES,
        CommandKind.UNACKNOWLEDGE: OPEN_STATES,
        CommandKind.TAKE_OVER: OPEN_STATES,
        CommandKind.START: OPEN_STATES,
        CommandKind.WAIT: OPEN_STATES,
        CommandKind.RESUME: frozenset({CaseState.WAITING}),
        CommandKind.MILESTONE: _UNFINISHED,
        CommandKind.RAISE_LEVEL: OPEN_STATES,
        CommandKind.LOWER_LEVEL: _UNFINISHED,
        CommandKind.CANNOT_HANDLE: OPEN_STATES,
        CommandKind.RESOLVE: OPEN_STATES,
        CommandKind.CLOSE: _UNFINISHED,
        CommandKind.REOPEN: _EVERY - OPEN_STATES,
        CommandKind.WITHDRAW: _UNFINISHED,
        CommandKind.INVALIDATE: _UNFINISHED,
        CommandKind.MERGE: _UNFINISHED,
        CommandKind.SPLIT: _EVERY,
        CommandKind.EXTENSION_REQUEST: _UNFINISHED,
        CommandKind.EXTENSION_APPROVE: _UNFINISHED,
        CommandKind.EXTENSION_DENY: _UNFINISHED,
        CommandKind.COMPLAINANT_TOLD: _EVERY,
        CommandKind.EXCLUDE: _UNFINISHED,
        CommandKind.RESTART: _UNFINISHED,
        CommandKind.ACTIVATE: OPEN_STATES,
        CommandKind.DECLINE: OPEN_STATES,
        CommandKind.APPROVAL_REQUEST: _UNFINISHED,
        CommandKind.APPROVE: _UNFINISHED,
        CommandKind.REFUSE: _UNFINISHED,
        CommandKind.TICK: _UNFINISHED,
        CommandKind.BYPASS: OPEN_STATES,
        CommandKind.COMMENT: _EVERY,
        CommandKind.MOVE_PLAN: _EVERY,
        CommandKind.HOLD: _EVERY,
        CommandKind.RELEASE_HOLD: _EVERY,
        CommandKind.ERASE: _EVERY,
    }
)

_WITH_OUTCOME: Final = frozenset({CommandKind.RESOLVE, CommandKind.CLOSE, CommandKind.MILESTONE})
"""These may say, for the complainant, how it came out."""


def apply_command(
    rules: Rules,
    case: Case,
    command: CommandIssuedV1,
    now: datetime,
    other: Case | None = None,
    *,
    merged: Case | None = None,
) -> Decision:
    """The case after the command, or a COMMAND_REFUSED change with the reason.

    `other` is the case of the same plan that a `merge` names, where it is known here; or, for a case that was merged,
    the one that goes on: an acknowledgement is passed on to it, and is to be applied to it with `merged`, this case.
    """
    turn = Turn(rules, case, now)
    order = Order(turn, command, other, merged)
    kind = command.command
    if case.erased_at is not None:
        order.refuse("refused_erased")
    elif is_passed_on(case, command) and other is not None:
        order.note(ChangeKind.COMMENTED, "passed_on", values={"number": other.number}, into=other.number)
    elif case.state not in _ALLOWED_IN[kind]:
        order.refuse("refused_state")
    elif kind in ONLY_PERSONS and command.actor.kind is not ActorKind.PERSON:
        order.refuse("refused_person")
    elif kind is not CommandKind.COMMENT and recusal.keeps_out(turn.rules, case, command.actor):
        order.refuse("refused_recused", actor=command.actor.ref)
    elif kind in WITH_REASON and not (command.reason or "").strip():
        order.refuse("refused_reason")
    else:
        if kind in _WITH_OUTCOME and (outcome := order.word("outcome")) is not None:
            turn.set(outcome=outcome)
        _ACTIONS[kind](order)
    return turn.decide()


def is_passed_on(case: Case, command: CommandIssuedV1) -> bool:
    """Whether it answers a case that another one goes on for: whoever was paged for it means what became of it."""
    return case.state is CaseState.MERGED and command.command is CommandKind.ACKNOWLEDGE


def _acknowledge(order: Order) -> None:
    turn = order.turn
    case = turn.case
    if case.held and not case.paging:
        order.note(ChangeKind.COMMENTED, "gate_seen")
        return
    if case.acknowledgement is not None and not case.paging:
        order.note(ChangeKind.COMMENTED, "also_acknowledged", values={"actor": case.acknowledgement.actor.ref})
        return
    if not _answers_present_page(order):
        order.note(ChangeKind.COMMENTED, "acknowledged_earlier_level")
        return
    _take_notice(order)
    state = CaseState.ACKNOWLEDGED if case.handler is None else CaseState.IN_PROGRESS
    order.enter(state if case.state is CaseState.CLASSIFIED else case.state, "acknowledged")


def _answers_present_page(order: Order) -> bool:
    """False for an answer to the milder level's page that was given before the level rose."""
    case = order.turn.case
    if case.raised_at is None or order.command.issued_at >= case.raised_at:
        return True
    return order.command.request_id is not None and order.command.request_id in {str(page) for page in case.pages}


def _take_notice(order: Order) -> None:
    """Somebody has the case: paging stops, and so do the clocks until then."""
    turn = order.turn
    first = turn.case.acknowledgement is None
    if first:
        turn.set(acknowledgement=Acknowledgement(order.command.actor, order.at))
    ladder.halt(turn)
    if first and "acknowledged" not in turn.case.milestones:
        deadlines.passed(turn, "acknowledged", order.at)


def _unacknowledge(order: Order) -> None:
    turn = order.turn
    if turn.case.acknowledgement is None:
        order.refuse("refused_not_acknowledged")
        return
    _release(order, "unacknowledged_by")
    ladder.start(turn)


def _release(order: Order, sentence: str, **values: object) -> None:
    """Nobody has the case any more."""
    turn = order.turn
    if turn.case.state is CaseState.WAITING:
        deadlines.resume(turn, order.at)
    turn.set(acknowledgement=None, handler=None)
    order.enter(CaseState.CLASSIFIED, sentence, **values)
    deadlines.take_back(turn, "acknowledged")


def _take_over(order: Order) -> None:
    _begin(order, "took_over")


def _start(order: Order) -> None:
    _begin(order, "started")


def _begin(order: Order, sentence: str) -> None:
    turn = order.turn
    if turn.case.state is CaseState.WAITING:
        deadlines.resume(turn, order.at)
    _take_notice(order)
    turn.set(handler=order.command.actor)
    order.enter(CaseState.IN_PROGRESS, sentence)


def _wait(order: Order) -> None:
    turn = order.turn
    if turn.case.state not in _HANDLED:
        order.refuse("refused_not_acknowledged" if turn.case.acknowledgement is None else "refused_state")
        return
    if waiting.may_begin(order):
        until = order.instant("until")
        waiting.begin(turn, order.at, order.command.reason, code=order.word("reason_code"), until=until)
        order.enter(CaseState.WAITING, "waiting")


def _resume(order: Order) -> None:
    deadlines.resume(order.turn, order.at)
    order.enter(CaseState.IN_PROGRESS, "resumed")


def _milestone(order: Order) -> None:
    turn = order.turn
    wanted = order.argument("milestone")
    found = next((known for known in turn.rules.plan.plan.milestones if known.id == wanted), None)
    if found is None:
        order.refuse("refused_argument", argument="milestone")
        return
    if not approvals.needed(order, found.id):
        _pass(order, found)


def _pass(order: Order, milestone: Milestone) -> None:
    turn = order.turn
    label = wording.pair(milestone.zh, milestone.en)
    order.note(ChangeKind.STATE_CHANGED, "milestone", values={"milestone": label}, milestone=milestone.id)
    if milestone.id not in turn.case.milestones:
        deadlines.passed(turn, milestone.id, order.at)


def _approve(order: Order) -> None:
    """What had waited for this approval happens now."""
    turn = order.turn
    milestone = approvals.approve(order)
    found = next((known for known in turn.rules.plan.plan.milestones if known.id == milestone), None)
    if milestone == "resolved" and turn.case.open:
        endings.finish(order)
    elif milestone == "closed":
        endings.shut(order)
    elif found is not None:
        _pass(order, found)


def _level(order: Order) -> str | None:
    """The level the command names, or None after refusing it."""
    wanted = order.argument("level")
    if isinstance(wanted, str) and any(level.id == wanted for level in order.turn.rules.plan.plan.levels):
        return wanted
    order.refuse("refused_argument", argument="level")
    return None


def _raise(order: Order) -> None:
    turn = order.turn
    level = _level(order)
    if level is None:
        return
    label = turn.level_words(level)
    if turn.rules.plan.rank(level) <= turn.rules.plan.rank(turn.case.level):
        order.refuse("refused_not_higher", level=label)
        return
    raised = turn.both("raised", level=label)
    because = wording.by_both(order.command.actor, raised, order.command.reason)
    raise_level(turn, level, at=order.at, because=because, decided_by=None)


def _lower(order: Order) -> None:
    turn, case, plan = order.turn, order.turn.case, order.turn.rules.plan
    level = _level(order)
    if level is None:
        return
    label = turn.level_label(level)
    if plan.rank(level) > plan.rank(case.level):
        order.refuse("refused_not_lower", level=turn.level_words(level))
        return
    turn.set(overruling=Overruling(order.command.issued_at, plan.rank(case.level), case.decided_by))
    if level == case.level:
        order.note(ChangeKind.COMMENTED, "lowered_already", values={"level": turn.level_words(level)})
        return
    turn.set(level=level, kept_proposal=None)
    lowered = turn.both("lowered", level=turn.level_words(level))
    turn.decided(wording.by_both(order.command.actor, lowered, order.command.reason))
    order.note(
        ChangeKind.LEVEL_LOWERED,
        "lowered",
        values={"level": turn.level_words(level)},
        before=case.level or "",
        level=level,
        level_label=label,
    )
    notices.at(turn, "level-changed")
    if not case.open:
        return
    held = case.held
    activation.consider(turn)
    deadlines.refresh(turn)
    if turn.case.held:
        return
    if held:
        ladder.start(turn)
    present = case.ladder.tier if case.ladder is not None else None
    if case.paging and present not in {tier.id for tier in ladder.tiers_of(turn)}:
        # The tier that was being paged is none of this level's: somebody of this level must answer instead.
        ladder.start(turn)
    turn.request(Purpose.INFORM, plan.informed(level), channels=INFORM_CHANNELS)


def _cannot_handle(order: Order) -> None:
    turn = order.turn
    if not ladder.tiers_of(turn):
        order.refuse("refused_no_tier")
        return
    above = ladder.next_tier(turn)
    tier = above.label if above else ""
    what = turn.both("cannot_handle", tier=tier)
    _release(order, "cannot_handle", tier=tier)
    ladder.move_up(turn, wording.by_both(order.command.actor, what, order.command.reason))


def _reopen(order: Order) -> None:
    turn = order.turn
    actor, reason = order.command.actor, order.command.reason
    reopen(turn, wording.by_both(actor, turn.both("reopened"), reason))
    ladder.start(turn)


def _comment(order: Order) -> None:
    order.note(ChangeKind.COMMENTED, "commented")


def _move_plan(order: Order) -> None:
    """The classifier judges the case by the other version first; what follows comes with its classification."""
    if order.turn.case.kind is CaseKind.WARNING:
        order.refuse("move_refused_warning")


_ACTIONS: Final[Mapping[CommandKind, Callable[[Order], None]]] = MappingProxyType(
    {
        CommandKind.ACKNOWLEDGE: _acknowledge,
        CommandKind.UNACKNOWLEDGE: _unacknowledge,
        CommandKind.TAKE_OVER: _take_over,
        CommandKind.START: _start,
        CommandKind.WAIT: _wait,
        CommandKind.RESUME: _resume,
        CommandKind.MILESTONE: _milestone,
        CommandKind.RAISE_LEVEL: _raise,
        CommandKind.LOWER_LEVEL: _lower,
        CommandKind.CANNOT_HANDLE: _cannot_handle,
        CommandKind.RESOLVE: endings.resolve,
        CommandKind.CLOSE: endings.close,
        CommandKind.REOPEN: _reopen,
        CommandKind.WITHDRAW: endings.withdraw,
        CommandKind.INVALIDATE: endings.invalidate,
        CommandKind.MERGE: endings.merge,
        CommandKind.SPLIT: endings.split,
        CommandKind.EXTENSION_REQUEST: extension.ask,
        CommandKind.EXTENSION_APPROVE: extension.approve,
        CommandKind.EXTENSION_DENY: extension.deny,
        CommandKind.COMPLAINANT_TOLD: extension.told,
        CommandKind.EXCLUDE: clock_orders.exclude,
        CommandKind.RESTART: clock_orders.restart,
        CommandKind.ACTIVATE: activation.activate,
        CommandKind.DECLINE: activation.decline,
        CommandKind.APPROVAL_REQUEST: approvals.request,
        CommandKind.APPROVE: _approve,
        CommandKind.REFUSE: approvals.refuse,
        CommandKind.TICK: checklist.tick,
        CommandKind.BYPASS: bypass.take,
        CommandKind.COMMENT: _comment,
        CommandKind.MOVE_PLAN: _move_plan,
        CommandKind.HOLD: retention.hold,
        CommandKind.RELEASE_HOLD: retention.release,
        CommandKind.ERASE: retention.erase,
    }
)
