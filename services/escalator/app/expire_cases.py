"""Erase what has been kept for as long as it is to be kept: in small transactions, one replica at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.escalator.app.erase_cases import Erased, erase_cases
from services.escalator.app.record_decisions import Decided, Wake, record_decisions
from services.escalator.domain import retention
from services.escalator.domain.case import Case
from services.escalator.store import retention as rows
from services.escalator.store.cases import StoredCase, lock_cases
from services.escalator.store.plans import Plans
from shared.contracts.escalations import ErasedPart
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids, lowest_id_at
from shared.runtime.metrics import CASES_HELD, OLDEST_KEPT

_FIRST: Final = UUID(int=0)
_AT_ONCE: Final = 50
_BREATH_S: Final = 0.05


class ExpireCases:
    """What is kept for how many days after anything happened to a case that is over; a part not named stays."""

    def __init__(
        self, database: Database, plans: Plans, ids: Ids, wake: Wake, kept_days: Mapping[ErasedPart, int]
    ) -> None:
        self._database = database
        self._plans = plans
        self._ids = ids
        self._wake = wake
        self._kept_days = kept_days

    async def __call__(self) -> int:
        """How many cases were erased. Nothing that is open or held is; what another transaction holds comes next time.

        Whoever dies here leaves whole transactions behind, and the next run goes on.
        """
        erased = 0
        for part in (ErasedPart.CASE, ErasedPart.PERSONAL_DATA):
            if (days := self._kept_days.get(part)) is not None:
                erased += await self._all_of(part, days)
        await self._measure()
        return erased

    async def _all_of(self, part: ErasedPart, days: int) -> int:
        """By id, which is by age: each step takes up where the one before ended."""
        erased, after = 0, _FIRST
        while True:
            async with self._database.transaction() as tx:
                if not await rows.only_run(tx):
                    return erased
                before = tx.now - timedelta(days=days)
                due = await rows.overdue_cases(
                    tx,
                    before=before,
                    whole=part is ErasedPart.CASE,
                    after=after,
                    below=lowest_id_at(before),
                    limit=_AT_ONCE,
                )
                if not due:
                    return erased
                erased += await self._erase(tx, part, due, days)
            after = due[-1]
            await asyncio.sleep(_BREATH_S)

    async def _erase(self, tx: Tx, part: ErasedPart, due: Sequence[UUID], days: int) -> int:
        stored = await self._locked(tx, due)
        known = [one.case for one in stored]
        chosen: list[StoredCase] = []
        gone: list[Erased] = []
        for case_id in due:
            mine = [one for one in stored if one.case.case_id == case_id]
            cases = [one.case for one in mine]
            if not _is_due(cases, known, part, tx.now - timedelta(days=days)):
                continue
            chosen += mine
            gone.append(_expired(cases, part))
        if part is ErasedPart.PERSONAL_DATA:
            decided = [self._decided(one, tx.now, days) for one in chosen]
            await record_decisions(tx, decided, ids=self._ids, wake=self._wake)
        await erase_cases(tx, gone, ids=self._ids)
        return len(gone)

    async def _locked(self, tx: Tx, due: Sequence[UUID]) -> list[StoredCase]:
        """These cases under all their plans, and those they were merged into."""
        ids = set(due)
        stored = await lock_cases(tx, ids)
        while further := {one.case.merged_into for one in stored if one.case.merged_into is not None} - ids:
            ids |= further
            stored += await lock_cases(tx, further)
        await self._plans.load(tx, [one.case.plan for one in stored])
        return stored

    def _decided(self, one: StoredCase, now: datetime, days: int) -> Decided:
        rules = self._plans.rules_of(one.case.plan)
        decision = retention.expired(rules, one.case, now, days)
        return Decided(rules, one.case, decision, "retention", one.traceparent, one.marks)

    async def _measure(self) -> None:
        async with self._database.transaction() as tx:
            CASES_HELD.set(await rows.count_holds(tx))
            for part in ErasedPart:
                since = await rows.oldest_kept(tx, whole=part is ErasedPart.CASE)
                OLDEST_KEPT.labels(part.value).set((tx.now - since).total_seconds() if since is not None else 0)


def _is_due(cases: Sequence[Case], known: Sequence[Case], part: ErasedPart, before: datetime) -> bool:
    """Still, now that the case is locked."""
    if not cases or max(case.changed_at for case in cases) >= before:
        return False
    return retention.obstacle(cases, known, again=part is ErasedPart.CASE) is None


def _expired(cases: Sequence[Case], part: ErasedPart) -> Erased:
    return Erased(
        org=cases[0].org,
        case_id=cases[0].case_id,
        number=cases[0].number,
        part=part,
        why="age",
        last_changed_at=max(case.changed_at for case in cases),
    )
