"""Watches the watch: looks for deadlines that were not kept although nothing complained."""

from datetime import timedelta
from typing import Final

from services.escalator.store.cases import CaseKey, open_counts
from services.escalator.store.faults import TimerFaults, find_faults
from shared.db.engine import Database
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CASES_OPEN, CLOCKS_OVERDUE, CLOCKS_UNARMED, FIRES_UNPUBLISHED

_log = get_logger(__name__)
GRACE: Final = timedelta(seconds=10)
_MOST: Final = 20_000


class AuditTimers:
    """Each call looks at everything due and at the next part of the cases that count time."""

    def __init__(self, database: Database, *, grace: timedelta = GRACE, most: int = _MOST) -> None:
        self._database = database
        self._grace = grace
        self._most = most
        self._checked_to: CaseKey | None = None

    async def __call__(self) -> TimerFaults:
        """Publish what was found as metrics; anything found is logged as an error."""
        async with self._database.transaction() as tx:
            faults = await find_faults(tx, grace=self._grace, checked_to=self._checked_to, most=self._most)
            counts = await open_counts(tx)
        self._checked_to = faults.checked_to
        CLOCKS_OVERDUE.set(faults.overdue)
        CLOCKS_UNARMED.set(faults.unarmed)
        FIRES_UNPUBLISHED.set(faults.unpublished)
        CASES_OPEN.clear()
        for plan, level, cases in counts:
            CASES_OPEN.labels(plan, level or "none").set(cases)
        if faults.overdue or faults.unarmed or faults.unpublished:
            _log.error(
                "timers.audit_failed",
                overdue=faults.overdue,
                unarmed=faults.unarmed,
                unpublished=faults.unpublished,
            )
        return faults
