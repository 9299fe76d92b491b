"""Tells organisations of their duties when they come round: each round once, however many processes ask."""

from datetime import datetime

from services.escalator.app.record_decisions import SOURCE
from services.escalator.domain.organisation_duties import DutyOf, number_of, request_for, subject_id
from services.escalator.store.duties import (
    DutyKey,
    Round,
    ToldRound,
    claim,
    organisations,
    record_told,
    rounds,
    save_rounds,
)
from services.escalator.store.plans import Plans
from shared.contracts.envelope import Event
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import DUTIES_DUE
from shared.runtime.tracing import next_span

_log = get_logger(__name__)
_ANY = "*"


class TellDuties:
    """For every organisation that has had a case of a plan, or that the plan's `applies` names."""

    def __init__(self, database: Database, plans: Plans, ids: Ids) -> None:
        self._database = database
        self._plans = plans
        self._ids = ids

    async def __call__(self) -> int:
        """How many rounds were told. After a downtime only the latest one is; those it stands for are recorded.

        A duty begins when it is first seen here: what would have been due before is not told.
        """
        async with self._database.transaction() as tx:
            wanted = self._wanted(await organisations(tx))
            if not wanted:
                return 0
            await self._begin(tx, wanted)
            told = 0
            for found in await claim(tx, sorted(wanted)):
                told += await self._tell(tx, wanted[found.key], found)
        return told

    def _wanted(self, known: list[tuple[str, str]]) -> dict[DutyKey, DutyOf]:
        orgs: dict[str, set[str]] = {}
        for org, plan in known:
            orgs.setdefault(plan, set()).add(org)
        found = (
            DutyOf(org, rules.of(org), duty)
            for rules in self._plans.in_force()
            for duty in rules.plan.duties
            for org in orgs.get(rules.plan.name, set())
            | {named for named in rules.plan.plan.applies.organisations if not named.endswith(_ANY)}
        )
        return {one.key: one for one in found}

    async def _begin(self, tx: Tx, wanted: dict[DutyKey, DutyOf]) -> None:
        """Duties that are new, or come round by another schedule than before, count from now."""
        known = await rounds(tx)
        changed = [
            Round(key, one.schedule, tx.now, one.next_due(tx.now))
            for key, one in wanted.items()
            if key not in known or known[key].schedule != one.schedule
        ]
        await save_rounds(tx, changed)

    async def _tell(self, tx: Tx, duty: DutyOf, found: Round) -> int:
        due = duty.due_between(found.through, tx.now)
        through = due[-1] if due else found.through
        await save_rounds(tx, [Round(found.key, found.schedule, through, duty.next_due(max(through, tx.now)))])
        rows = [ToldRound(duty.key, at, number_of(duty, at), told=at == through) for at in due]
        new = await record_told(tx, rows)
        missed = sum(1 for row in rows if not row.told and (row.key, row.due_at) in new)
        tx.after_commit.append(lambda: DUTIES_DUE.labels("missed").inc(missed))
        if not due or (duty.key, through) not in new:
            return 0
        self._request(tx, duty, through)
        tx.after_commit.append(lambda: DUTIES_DUE.labels("told").inc())
        _log.info("duty.told", org=duty.org, plan=duty.rules.plan.name, duty=duty.duty.id, missed=missed)
        return 1

    def _request(self, tx: Tx, duty: DutyOf, due_at: datetime) -> None:
        tx.outbox.add(
            Event(
                id=self._ids.new(),
                source=SOURCE,
                time=tx.now,
                org=duty.org,
                case_id=subject_id(duty, due_at),
                data=request_for(duty, due_at, tx.now),
                causation=f"duty/{duty.duty.id}/{due_at.isoformat()}",
                traceparent=next_span(None),
            )
        )
