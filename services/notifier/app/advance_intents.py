"""The step that every use case of the ledger shares: decide anew for locked intents, save, publish what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.app.ask_stand_in import ask_stand_in
from services.notifier.app.publish_about import publish_about
from services.notifier.app.rules import Rules
from services.notifier.domain.delivery import (
    Answer,
    Attempt,
    Case,
    Decision,
    Outcome,
    Verdict,
    decide,
    must_publish,
)
from services.notifier.domain.ledger import Intent, RecordedAnswer
from services.notifier.domain.noise import Ruling
from services.notifier.domain.reach import Reach, reach
from services.notifier.domain.roster import Person
from services.notifier.domain.urgency import Lane
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from shared.contracts.notifications import NotificationSettledV1, Settlement
from shared.contracts.values import Bilingual, ChannelKind, Language
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.metrics import DELIVERY_SETTLEMENTS, NOISE_RULINGS

_REASON_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Advanced:
    """An intent after the decision. `intent` carries its next step; it is not saved yet."""

    intent: Intent
    decision: Decision


async def advance(
    tx: Tx,
    intents: Sequence[Intent],
    history: Mapping[UUID, Sequence[Attempt]],
    *,
    rules: Rules,
    ids: Ids,
    noise: Mapping[UUID, Ruling] | None = None,
) -> list[Advanced]:
    """Decide for each intent, record overdue attempts as unknown, and put new settlements into the outbox.

    What `noise` rules waits or is left out. What becomes of a message that carries others becomes of those too. The
    caller holds the rows' locks and saves the intents; those carried are saved here.
    """
    found: list[Advanced] = []
    overdue: list[RecordedAnswer] = []
    carriers: dict[UUID, Verdict] = {}
    for given in intents:
        ruled = (noise or {}).get(given.id)
        intent = given if ruled is None else _ruled(given, ruled, tx)
        attempts = tuple(history.get(intent.id, ()))
        decision = _decision(intent, attempts, tx, rules)
        until = {attempt.id: attempt.answer_until for attempt in attempts}
        overdue += [
            RecordedAnswer(one, Outcome(Answer.UNKNOWN, until[one], "no answer was recorded in time"))
            for one in decision.unanswered
        ]
        moved = replace(
            intent,
            lane=_lane(intent, attempts),
            next_channel=_next_channel(intent, attempts, decision),
            due_at=tx.now if decision.sends else decision.look_again_at,
            waits=_shortened(decision.waits),
        )
        if ruled is not None and decision.sends:
            decision = replace(decision, sends=())
            moved = replace(moved, due_at=ruled.until)
        if must_publish(intent.published, decision.verdict) and decision.verdict is not None:
            moved = replace(moved, published=decision.verdict, settled_at=tx.now)
            instead = ask_stand_in(tx, intent, decision.verdict, rules, ids=ids)
            _publish(tx, moved, decision.verdict, rules, ids=ids, instead=instead)
            if moved.is_carrier:
                carriers[moved.id] = decision.verdict
        found.append(Advanced(moved, decision))
    await attempt_rows.end(tx, overdue)
    if carriers:
        await _carry(tx, carriers, rules, ids=ids)
    return found


def _ruled(intent: Intent, ruled: Ruling, tx: Tx) -> Intent:
    """The intent with why it waits; without an end to the waiting it is stopped."""
    NOISE_RULINGS.labels(ruled.rule.value).inc()
    if ruled.until is None:
        return replace(intent, noise=ruled, stopped=ruled.words)
    return replace(intent, noise=ruled, held_at=intent.held_at or tx.now)


async def _carry(tx: Tx, carriers: Mapping[UUID, Verdict], rules: Rules, *, ids: Ids) -> None:
    """Those told in the same message share its settlement. A message that was stopped sets them free again."""
    carried = await ledger.lock_carried(tx, carriers)
    moved: list[Intent] = []
    for one in carried:
        verdict = carriers[one.bundle] if one.bundle is not None else None
        if verdict is None or one.stopped is not None:
            continue
        if verdict.settlement is Settlement.SUPPRESSED:
            moved.append(replace(one, bundle=None, due_at=tx.now))
        elif must_publish(one.published, verdict):
            said = replace(
                verdict,
                reason=f"told in one message with others; {verdict.reason}",
                reason_zh=f"与其他事项合并为一条消息；{verdict.reason_zh}",
            )
            moved.append(replace(one, published=said, settled_at=tx.now))
            _publish(tx, moved[-1], said, rules, ids=ids, instead=ask_stand_in(tx, one, said, rules, ids=ids))
    ledger.save(tx, moved)
    # The caller may save one of them again, and one statement cannot write a row twice.
    await tx.write_now()


def _publish(
    tx: Tx, intent: Intent, verdict: Verdict, rules: Rules, *, ids: Ids, instead: Person | None = None
) -> None:
    """Tell the other services how this intent was settled, with the transaction's commit."""
    body = intent.request.body
    route = verdict.route
    DELIVERY_SETTLEMENTS.labels(route.channel.value if route else "none", verdict.settlement.value).inc()
    said = NotificationSettledV1(
        request_id=body.request_id,
        intent_id=intent.id,
        number=body.subject.number,
        plan=body.subject.plan,
        purpose=body.purpose,
        step=body.step,
        role=intent.role,
        role_words=_role_words(intent, rules),
        person=intent.person,
        person_label=intent.person_label,
        channel=route.channel if route else None,
        provider=route.provider if route else None,
        settlement=verdict.settlement,
        attempts=intent.attempts,
        reason=verdict.reason[:_REASON_LENGTH],
        reason_words=_words(verdict),
        stand_in=instead.id if instead is not None else None,
        stand_in_label=_label(instead, body.language) if instead is not None else None,
        settled_at=tx.now,
        drill=body.drill,
    )
    publish_about(tx, intent.request, said, ids=ids)


def _label(person: Person, language: Language) -> str:
    return (person.label.en if language == "en" else person.label.zh)[:_REASON_LENGTH]


def _role_words(intent: Intent, rules: Rules) -> Bilingual | None:
    roster = rules.rosters.of(intent.request.org)
    role = roster.roles.get(intent.role) if roster is not None else None
    return role.label if role is not None else None


def _words(verdict: Verdict) -> Bilingual:
    return Bilingual(zh=(verdict.reason_zh or verdict.reason)[:_REASON_LENGTH], en=verdict.reason[:_REASON_LENGTH])


def _shortened(words: Bilingual | None) -> Bilingual | None:
    return words and Bilingual(zh=words.zh[:_REASON_LENGTH], en=words.en[:_REASON_LENGTH])


def _reach_of(intent: Intent, rules: Rules) -> Reach:
    """The routes to this intent's person by the roster in force now."""
    roster = rules.rosters.of(intent.request.org)
    person = roster.people.get(intent.person) if roster is not None and intent.person is not None else None
    if roster is None or person is None:
        return Reach((), (f"{intent.person} is no longer in the roster",))
    body = intent.request.body
    ways = reach(person, body.channels, rules.providers, only=body.contact, unverified=roster.pages_unverified)
    return rules.routed(ways, {contact.id: contact.to for contact in person.contacts})


def _decision(intent: Intent, attempts: tuple[Attempt, ...], tx: Tx, rules: Rules) -> Decision:
    if intent.person is None:
        because = f"nobody is on duty: {intent.because.en}"
        return Decision((), None, Verdict(Settlement.NOBODY, because, None, intent.because.zh), ())
    ways = _reach_of(intent, rules)
    body = intent.request.body
    case = Case(
        routes=ways.routes,
        skipped=ways.skipped,
        attempts=attempts,
        # What had to wait has all the time for trying when the waiting is over.
        requested_at=max(intent.request.accepted_at, _waited_until(intent)),
        parallel=body.all_channels,
        stopped=intent.stopped,
        barred=rules.choice.barred(tx.now) if rules.choice is not None else {},
        next_step_at=body.stale_after,
    )
    return decide(case, rules.policy, tx.now)


def _waited_until(intent: Intent) -> datetime:
    until = intent.noise.until if intent.noise is not None else None
    return until if until is not None and intent.held_at is not None else intent.request.accepted_at


def _lane(intent: Intent, attempts: Sequence[Attempt]) -> Lane:
    """Once a call was made everything further is a retry; first calls on further channels of one step are not."""
    return Lane.RETRY if attempts else intent.lane


def _next_channel(intent: Intent, attempts: Sequence[Attempt], decision: Decision) -> ChannelKind | None:
    if decision.sends:
        return decision.sends[0].route.channel
    if decision.look_again_at is not None and attempts:
        return attempts[-1].route.channel
    # Nothing could be called yet, for every provider is barred: without a channel nobody would ever claim it.
    return intent.next_channel or intent.request.body.channels[0]
