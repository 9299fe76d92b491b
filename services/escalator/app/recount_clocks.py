"""Takes over calendars that changed on disk and counts again what was counted by an older edition of them."""

import asyncio
from collections.abc import Callable
from typing import Final

from services.escalator.app.record_decisions import Decided, Wake, record_decisions
from services.escalator.domain.recounting import recount
from services.escalator.domain.time_bases import NeedsCalendarError
from services.escalator.store.cases import CaseKey, lock_cases
from services.escalator.store.plans import Plans
from services.escalator.store.recounting import counted_otherwise
from shared.calendars.library import CalendarFilesError, CalendarLibrary
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CALENDAR_YEARS_MISSING, CALENDARS_BROKEN, CLOCKS_RECOUNTED

_log = get_logger(__name__)
BATCH: Final = 500


class RecountClocks:
    """Each call reads the calendars if they changed, counts again what needs it, and says which lists are overdue.

    Calendars that are broken on disk are refused and the ones in force stay.
    """

    def __init__(
        self,
        database: Database,
        plans: Plans,
        ids: Ids,
        wake: Wake,
        read: Callable[[], CalendarLibrary | None],
        *,
        batch: int = BATCH,
    ) -> None:
        """`read` gives the calendars when they changed since it was asked last; None when they did not."""
        self._database = database
        self._plans = plans
        self._ids = ids
        self._wake = wake
        self._read = read
        self._batch = batch
        self._counted: frozenset[str] | None = None
        self._lacking = False

    async def __call__(self) -> int:
        """How many clocks were counted again."""
        await self._take_over()
        self._watch_years()
        identities = self._plans.calendar_identities()
        if identities == self._counted:
            return 0
        done = 0
        last: CaseKey | None = None
        while True:
            async with self._database.transaction() as tx:
                found = await counted_otherwise(tx, identities, last, self._batch)
                done += await self._recount(tx, found) if found else 0
            if len(found) < self._batch:
                break
            last = found[-1]
        self._counted = identities
        if done:
            CLOCKS_RECOUNTED.inc(done)
            _log.info("clocks.recounted", clocks=done, calendars=sorted(identities))
        return done

    async def _take_over(self) -> None:
        try:
            library = await asyncio.to_thread(self._read)
        except CalendarFilesError as error:
            CALENDARS_BROKEN.set(1)
            _log.error("calendars.refused", problems=[str(problem) for problem in error.problems])
            return
        if library is not None:
            self._lacking = False
            try:
                self._plans.count_by(library)
                _log.info("calendars.taken_over", calendars=list(library.names()))
            except NeedsCalendarError as error:
                self._lacking = True
                _log.error("calendars.refused", problems=str(error).splitlines())
        CALENDARS_BROKEN.set(1 if self._lacking else 0)

    def _watch_years(self) -> None:
        """By the alarm's day the next year's list must be there; the metric pages somebody."""
        now = self._database.clock.now()
        for files in self._plans.calendar_files():
            overdue = files.overdue_year(now.astimezone(files.zone).date())
            CALENDAR_YEARS_MISSING.labels(files.name).set(1 if overdue is not None else 0)
            if overdue is not None:
                _log.error("calendar.year_missing", calendar=files.name, year=overdue, status=files.status(overdue))

    async def _recount(self, tx: Tx, keys: list[CaseKey]) -> int:
        wanted = set(keys)
        stored = [one for one in await lock_cases(tx, {key[0] for key in keys}) if one.key in wanted]
        await self._plans.load(tx, {one.case.plan for one in stored})
        decided: list[Decided] = []
        for one in stored:
            rules = self._plans.rules_of(one.case.plan)
            decision = recount(rules, one.case, tx.now)
            if decision.ignored is None:
                decided.append(Decided(rules, one.case, decision, "calendar", one.traceparent, one.marks))
        await record_decisions(tx, decided, ids=self._ids, wake=self._wake)
        return sum(len(one.decision.entries) for one in decided)
