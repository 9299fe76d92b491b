"""Lets time pass: fires what has come due, a batch in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.escalator.app.record_decisions import Decided, Wake, record_decisions
from services.escalator.domain.case import Case
from services.escalator.domain.decision import armed
from services.escalator.domain.firing import fire
from services.escalator.store.cases import CaseKey
from services.escalator.store.plans import Plans
from services.escalator.store.timers import DueTimer, TimerRow, arm, claim_due, disarm, next_due
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.metrics import CLOCK_LATENESS

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """`claimed` timers were looked at, `fired` thresholds passed. `next_due` is the earliest one still armed."""

    claimed: int
    fired: int
    next_due: datetime | None


class FireDueTimers:
    """Any number of processes may call this at once: each timer is fired by one of them, exactly once."""

    def __init__(self, database: Database, plans: Plans, ids: Ids, wake: Wake, *, batch: int = BATCH) -> None:
        self._database = database
        self._plans = plans
        self._ids = ids
        self._wake = wake
        self._batch = batch

    async def __call__(self) -> Swept:
        """Fire at most one batch of due timers, the earliest first."""
        async with self._database.transaction() as tx:
            due = await claim_due(tx, self._batch)
            fired = await self._fire(tx, due) if due else 0
            following = await next_due(tx) if len(due) < self._batch else tx.now
        return Swept(len(due), fired, following)

    async def _fire(self, tx: Tx, due: list[DueTimer]) -> int:
        await self._plans.load(tx, {one.stored.case.plan for one in due})
        cases: dict[CaseKey, Case] = {}
        decided: list[Decided] = []
        void: list[DueTimer] = []
        for one in due:
            key = one.stored.key
            case = cases.get(key, one.stored.case)
            rules = self._plans.find(case.plan)
            if rules is None:
                raise LookupError(f"the snapshot of plan '{case.plan.name}' {case.plan.sha256} is missing")
            decision = fire(rules, case, one.timer, tx.now)
            if decision.ignored is not None:
                void.append(one)
                continue
            cases[key] = decision.case
            cause = f"{one.timer.subject}/{one.timer.generation}/{one.timer.threshold}"
            decided.append(Decided(rules, case, decision, cause, one.stored.traceparent))
        await self._rearm(tx, void)
        fired = await record_decisions(tx, decided, ids=self._ids, wake=self._wake)
        tx.after_commit.append(lambda: _observe_lateness(due, tx.now))
        return fired

    async def _rearm(self, tx: Tx, void: list[DueTimer]) -> None:
        """Put right what the table says about timers that no longer count, so that they are not found again."""
        gone, wanted = [], []
        for one in void:
            rules = self._plans.find(one.stored.case.plan)
            known = armed(one.stored.case, rules) if rules is not None else ()
            timer = next((timer for timer in known if timer.subject == one.timer.subject), None)
            if timer is None:
                gone.append((one.stored.key, one.timer.subject))
            else:
                wanted.append(TimerRow(one.stored.key, timer))
        await disarm(tx, gone)
        await arm(tx, wanted)


def _observe_lateness(due: list[DueTimer], now: datetime) -> None:
    for one in due:
        CLOCK_LATENESS.observe((now - one.timer.due_at).total_seconds())
