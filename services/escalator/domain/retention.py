"""How long what was told of a case is kept: holds, erasing on request, erasing when its time is over."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.escalator.domain import recusal
from services.escalator.domain.case import Case, Hold
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.orders import Order
from services.escalator.domain.time_bases import Rules
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.values import ActorKind, Place

KEPT_CHANGES: Final = (ChangeKind.HELD, ChangeKind.HOLD_RELEASED, ChangeKind.ERASED)
"""Changes that keep their words: they are the record of what was kept and erased, by whom and why."""
KEPT_DETAILS: Final = (
    "level",
    "level_label",
    "before",
    "tier",
    "state",
    "clock",
    "milestone",
    "threshold",
    "due_at",
    "role",
    "person",
    "into",
    "case",
    "command",
    "actor",
    "actor_kind",
    "approval",
    "gate",
    "item",
)
"""Details of other changes that stay: ids of the plan and the roster, instants, numbers of cases."""


def hold(order: Order) -> None:
    """`hold`: from now on nothing of the case is erased, whatever the settings or a request say."""
    turn = order.turn
    if turn.case.erased_at is not None:
        order.refuse("refused_erased")
    elif turn.case.hold is not None:
        order.refuse("refused_held", actor=turn.case.hold.actor.ref)
    else:
        turn.set(hold=Hold(order.command.actor, order.at, order.command.reason or ""))
        order.note(ChangeKind.HELD, "held")


def release(order: Order) -> None:
    """`release-hold`: its time counts again, and what was over before is erased by the next run."""
    if order.turn.case.hold is None:
        order.refuse("refused_not_held")
        return
    order.turn.set(hold=None)
    order.note(ChangeKind.HOLD_RELEASED, "hold_released")


def erase(order: Order) -> None:
    """`erase` of a case that runs one plan only; see `erase_all`."""
    why = obstacle([order.turn.case], ())
    if why is not None:
        order.refuse(why)
    else:
        _take_out(order)


def erase_all(
    found: Sequence[tuple[Rules, Case]], command: CommandIssuedV1, now: datetime, others: Iterable[Case]
) -> tuple[list[Decision], bool]:
    """`erase` of a case under all its plans; False, with the refusals, when nothing is erased.

    `others` as for `obstacle`.
    """
    why = obstacle([case for _, case in found], others)
    if why is not None:
        return [_refused(*one, command, now, why) for one in found], False
    turns = [_erased(*one, command, now) for one in found]
    if all(turn.case.erased_at is not None for turn in turns):
        return [_unmoved(turn.decide(), case) for turn, (_, case) in zip(turns, found, strict=True)], True
    refusals = [
        turn.decide() if turn.case.erased_at is None else _refused(*one, command, now, "refused_erase_elsewhere")
        for turn, one in zip(turns, found, strict=True)
    ]
    return refusals, False


def _unmoved(decision: Decision, before: Case) -> Decision:
    """An erasure is nothing that happened to the case: what is left of it is not kept the longer for it."""
    return replace(decision, case=decision.case.evolve(changed_at=before.changed_at))


def _erased(rules: Rules, case: Case, command: CommandIssuedV1, now: datetime) -> Turn:
    turn = Turn(rules, case, now)
    order = Order(turn, command)
    if command.actor.kind is not ActorKind.PERSON:
        order.refuse("refused_person")
    elif recusal.keeps_out(turn.rules, case, command.actor):
        order.refuse("refused_recused", actor=command.actor.ref)
    elif not (command.reason or "").strip():
        order.refuse("refused_reason")
    else:
        _take_out(order)
    return turn


def _take_out(order: Order) -> None:
    order.turn.set(**_blank(order.turn.case), erased_at=order.turn.now)
    order.note(ChangeKind.ERASED, "erased")


def _refused(rules: Rules, case: Case, command: CommandIssuedV1, now: datetime, why: str) -> Decision:
    turn = Turn(rules, case, now)
    Order(turn, command).refuse(why)
    return turn.decide()


def expired(rules: Rules, case: Case, now: datetime, days: int) -> Decision:
    """The case without what was told of it, because its time of so many days is over."""
    turn = Turn(rules, case, now)
    turn.set(**_blank(case), erased_at=now)
    turn.note(ChangeKind.ERASED, turn.both("erased_by_age", days=days))
    return _unmoved(turn.decide(), case)


def obstacle(cases: Sequence[Case], others: Iterable[Case], *, again: bool = False) -> str | None:
    """Why nothing may be erased of a case, as a sentence's name; None when it may.

    `cases` is the case under each of its plans, `others` are those known here, with all it was merged into. What is
    open or held is not erased, nor what a case that goes on for it still holds. `again`: what is left of it shall go.
    """
    if any(case.hold is not None for case in cases):
        return "refused_erase_held"
    if not all(case.ended for case in cases):
        return "refused_erase_open"
    if not again and all(case.erased_at is not None for case in cases):
        return "refused_erased"
    into = {case.merged_into for case in cases if case.state is CaseState.MERGED}
    if any(other.case_id in into and other.erased_at is None for other in others):
        return "refused_erase_merged"
    return None


def _blank(case: Case) -> dict[str, object]:
    """What people told or wrote is replaced by nothing; ids, instants, levels and who decided stay."""
    return {
        "title": None,
        "title_en": None,
        "because": None,
        "because_other": None,
        "outcome": None,
        "place": Place(),
        "inputs": {},
        "facts": {},
        "adopted": {},
        "extensions": tuple(replace(one, reason="") for one in case.extensions),
    }
