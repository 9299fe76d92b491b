"""Somebody answered for a case, or it is over: what was asked for before that is not sent any more."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.notifier.app.advance_intents import advance
from services.notifier.app.rules import Rules
from services.notifier.domain.urgency import answered_before
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from services.notifier.store import noise as noise_rows
from services.notifier.store.noise import Answered, Case
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseEscalatedV1, CaseState
from shared.db.engine import Database
from shared.kafka.outcome import DONE, Outcome
from shared.runtime.ids import Ids

_OVER: Final = frozenset(
    {CaseState.RESOLVED, CaseState.CLOSED, CaseState.WITHDRAWN, CaseState.INVALID, CaseState.MERGED}
)


async def stop_answered(
    events: Sequence[Event[CaseEscalatedV1]], *, database: Database, rules: Rules, ids: Ids
) -> Sequence[Outcome]:
    """Stop what an acknowledgement or the end of a case made superfluous; a call in flight ends by itself.

    Applying an event again changes nothing, and an older one never takes the place of a newer one.
    """
    answers: dict[Case, Answered] = {}
    for event in events:
        answer = _answer(event.data)
        case = (event.org, event.case_id, event.data.plan.name)
        if answer is not None and (case not in answers or answers[case].at <= answer.at):
            answers[case] = answer
    if answers:
        async with database.transaction() as tx:
            await noise_rows.note_answers(tx, answers)
            locked = await ledger.lock(tx, await noise_rows.open_intents_of(tx, answers))
            stopped = []
            for one in locked:
                body, answer = one.request.body, answers[one.notice.case]
                words = answered_before(body.purpose, body.requested_at, answer.at, is_over=answer.is_over)
                if words is not None and one.stopped is None:
                    stopped.append(replace(one, stopped=words))
            history = await attempt_rows.history(tx, [one.id for one in stopped if one.attempts])
            moved = await advance(tx, stopped, history, rules=rules, ids=ids)
            ledger.save(tx, [one.intent for one in moved])
    return [DONE for _ in events]


def _answer(case: CaseEscalatedV1) -> Answered | None:
    if case.state in _OVER:
        return Answered(case.changed_at, is_over=True)
    return Answered(case.acknowledged_at, is_over=False) if case.acknowledged_at is not None else None
