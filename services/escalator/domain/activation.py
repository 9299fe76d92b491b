"""The gate before tiers and clocks: a named role decides whether the plan starts, and silence has its own answer."""

from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from services.escalator.domain import deadlines, informing, ladder, recusal
from services.escalator.domain.case import Activation
from services.escalator.domain.decision import Turn
from services.escalator.domain.orders import Order
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Actor
from shared.plans.obligations import CompiledActivation
from shared.plans.words import Words

_SENTENCES: Final = {"activate": "gate_silent_start", "next-tier": "gate_silent_page", "record": "gate_silent"}


def consider(turn: Turn) -> None:
    """Ask at the gate that applies to the case as it is now, unless it was passed or was asked at this very instant.

    A gate that no longer applies and was not passed holds nobody up. Starting clocks and paging is the caller's.
    """
    case = turn.case
    known = case.activation
    gate = turn.rules.plan.activation_for(case.level, case.inputs)
    if gate is None:
        if known is not None and case.held:
            turn.set(activation=None)
        return
    if known is not None and known.id == gate.id:
        if not case.held:
            return
        if known.decided is None and known.asked_at == turn.now:
            return
    _ask(turn, gate)


def facts_arrived(turn: Turn) -> None:
    """Look at the gate again with what is known now, the level being what it was.

    One that no longer applies opens by itself; another one that applies instead is asked at; one that was declined is
    asked again, since it was declined on less. What has begun is not held up by a gate that begins to apply later.
    """
    case = turn.case
    known = case.activation
    if known is None or not case.held:
        return
    gate = turn.rules.plan.activation_for(case.level, case.inputs)
    if gate is None:
        turn.note(ChangeKind.ACTIVATED, turn.both("gate_lifted", gate=_label(turn)), activation=known.id, by_facts=True)
        turn.set(activation=None)
        _begin(turn)
    elif gate.id != known.id or known.decided == "declined":
        _ask(turn, gate)


def start_unless_held(turn: Turn, sentence: str) -> None:
    """Page the ladder and inform, or ask at the gate first."""
    ladder.start(turn, sentence)
    if not turn.case.held:
        informing.at_level(turn)


def activate(order: Order) -> None:
    """`activate`: argument `role`, one of the gate's. Tiers and clocks start now."""
    if not _may_decide(order):
        return
    order.note(ChangeKind.ACTIVATED, "activated", values={"gate": _label(order.turn)}, **_details(order))
    _decide(order.turn, "activated", order.command.actor, order.at)
    _begin(order.turn)


def decline(order: Order) -> None:
    """`decline`: argument `role`, one of the gate's. The case stays open; nobody is paged or informed."""
    if not _may_decide(order):
        return
    turn = order.turn
    paged = turn.case.ladder.roles if turn.case.paging and turn.case.ladder is not None else ()
    order.note(ChangeKind.DECLINED, "declined", values={"gate": _label(turn)}, **_details(order))
    _decide(turn, "declined", order.command.actor, order.at)
    ladder.halt(turn)
    # Only those whom silence had woken need to hear that nothing follows.
    turn.request(Purpose.STAND_DOWN, paged, because=turn.both("declined", gate=_label(turn)))


def time_passed(turn: Turn) -> None:
    """Nobody decided in time: the plan says what silence means."""
    known, gate = turn.case.activation, _gate(turn)
    if known is None or gate is None:
        return
    label = _label(turn)
    turn.note(ChangeKind.ACTIVATION_OVERDUE, turn.both(_SENTENCES[gate.on_silence], gate=label), activation=gate.id)
    if gate.on_silence == "activate":
        _decide(turn, "activated", None, turn.now)
        turn.note(ChangeKind.ACTIVATED, turn.both("activated", gate=label), activation=gate.id, by_silence=True)
        _begin(turn)
        return
    _decide(turn, "silent", None, turn.now)
    if gate.on_silence == "next-tier" and turn.case.activation is not None:
        turn.set(activation=replace(turn.case.activation, paging=True))
        ladder.start(turn)


def _ask(turn: Turn, gate: CompiledActivation) -> None:
    case = turn.case
    until = turn.now + gate.within
    generation = case.activation.generation + 1 if case.activation is not None else 1
    ladder.halt(turn)
    turn.set(
        activation=Activation(gate.id, turn.now, until, generation),
        steps=case.steps + 1,
        paged_roles=tuple(dict.fromkeys((*case.paged_roles, *gate.roles))),
    )
    label, roles = _label(turn), recusal.without(turn.rules, case, gate.roles, "handling")
    turn.note(
        ChangeKind.ACTIVATION_ASKED,
        turn.both("gate_asked", gate=label, roles=", ".join(roles)),
        activation=gate.id,
        roles=list(roles),
        until=until.isoformat(),
        source=gate.source,
    )
    turn.request(Purpose.PAGE, roles, channels=gate.channels, because=gate.words, due_at=until, stale_after=until)


def _begin(turn: Turn) -> None:
    deadlines.refresh(turn)
    if not turn.case.open:
        return
    if turn.case.acknowledgement is None:
        ladder.start(turn)
    informing.at_level(turn)


def _decide(turn: Turn, decided: Literal["activated", "declined", "silent"], actor: Actor | None, at: datetime) -> None:
    known = turn.case.activation
    if known is not None:
        turn.set(
            activation=replace(
                known,
                decided=decided,
                decided_at=at,
                actor=actor,
                until=None,
                generation=known.generation + 1,
                paging=False,
            )
        )


def _may_decide(order: Order) -> bool:
    """False after refusing: there is no gate to decide at, or the role has no say."""
    turn = order.turn
    gate, known = _gate(turn), turn.case.activation
    if gate is None or known is None or not turn.case.held:
        order.refuse("refused_no_gate")
        return False
    paged = turn.case.ladder.roles if known.paging and turn.case.ladder is not None else ()
    allowed = recusal.without(turn.rules, turn.case, (*gate.roles, *paged), "handling")
    if order.word("role") not in allowed:
        order.refuse("refused_role", roles=", ".join(allowed))
        return False
    return True


def _gate(turn: Turn) -> CompiledActivation | None:
    known = turn.case.activation
    return next((gate for gate in turn.rules.plan.activations if known is not None and gate.id == known.id), None)


def _label(turn: Turn) -> Words | str:
    gate = _gate(turn)
    return gate.words if gate is not None and gate.words is not None else ""


def _details(order: Order) -> dict[str, str]:
    known = order.turn.case.activation
    return {"activation": known.id if known is not None else "", "role": order.word("role") or ""}
