"""Watches the watch: looks for deadlines that were not kept although nothing complained, and puts right what it may.

What the table of timers lacks or has wrong follows from the cases alone, so it is put right at once. What was fired
and never told cannot be made good here: whether anybody heard of it by another way is not known.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import to_jsonable_python

from services.escalator.app.record_decisions import Wake
from services.escalator.domain.decision import Timer
from services.escalator.domain.watching import Fault, FaultKind, Repair, repair
from services.escalator.store import faults as look
from services.escalator.store.cases import CaseKey, StoredCase, lock_cases, open_counts, read_bodies
from services.escalator.store.plans import Plans
from services.escalator.store.timers import TimerRow, arm, armed_timers, disarm
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.logging import get_logger
from shared.runtime.metrics import (
    CASES_OPEN,
    CLOCKS_MISARMED,
    CLOCKS_OVERDUE,
    CLOCKS_UNARMED,
    FIRES_UNPUBLISHED,
    TIMERS_HEALED,
)

_log = get_logger(__name__)
GRACE: Final = timedelta(seconds=10)
_MOST: Final = 20_000
_COUNTED: Final = 500_000
"""Cases whose timers are counted at one look, so that two looks a minute go round a million of them."""
_IN_DEPTH: Final = 1_000
_TOGETHER: Final = 50
"""Cases read and compared at a time: between them the process does what is due."""
_NAMED: Final = 20
_GAUGES: Final = {
    FaultKind.OVERDUE: CLOCKS_OVERDUE,
    FaultKind.UNARMED: CLOCKS_UNARMED,
    FaultKind.MISARMED: CLOCKS_MISARMED,
    FaultKind.UNPUBLISHED: FIRES_UNPUBLISHED,
}


@dataclass(frozen=True, slots=True)
class Audit:
    """What one look found, in all and, for the first of each kind, by name."""

    at: datetime
    overdue: int
    unarmed: int
    misarmed: int
    unpublished: int
    faults: tuple[Fault, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.overdue or self.unarmed or self.misarmed or self.unpublished)


class AuditTimers:
    """Each call looks at everything due and fired, counts the timers of the next part of the cases, compares some.

    Counted: as many timers as the case had armed when it was written last. Compared: every timer with what the case,
    read anew, waits for, its pages and decisions included; that is a sample that goes round. Whatever does not look
    right is compared under lock before it is called a fault.
    """

    def __init__(
        self,
        database: Database,
        plans: Plans,
        wake: Wake,
        *,
        grace: timedelta = GRACE,
        most: int = _MOST,
        counted: int = _COUNTED,
        in_depth: int = _IN_DEPTH,
    ) -> None:
        self._database = database
        self._plans = plans
        self._wake = wake
        self._grace = grace
        self._most = most
        self._counted = counted
        self._in_depth = in_depth
        self._counted_to: CaseKey | None = None
        self._compared_to: CaseKey | None = None
        self._last: Audit | None = None

    async def __call__(self) -> Audit:
        """Publish what was found as metrics; anything found is logged as an error, with its case."""
        async with self._database.transaction() as tx:
            overdue = await look.overdue(tx, self._grace, self._most, _NAMED)
            unpublished = await look.unpublished(tx, self._most, _NAMED)
            counted = await look.miscounted(tx, self._counted_to, self._counted, self._most)
            slice_ = await look.next_cases(tx, self._compared_to, self._in_depth)
            suspects = await self._suspects(tx, slice_.keys)
            counts = await open_counts(tx)
            now = tx.now
        mended = await self._mend(sorted({*counted.keys, *suspects}))
        self._counted_to, self._compared_to = counted.upto, slice_.upto
        if overdue.faults:
            # Whoever sleeps too long, or believes that nothing is armed so early, looks again.
            self._wake(min(fault.since for fault in overdue.faults if fault.since is not None))
        kinds = Counter(fault.kind for fault in mended)
        named = (*overdue.faults, *mended[:_NAMED], *unpublished.faults)
        audit = Audit(now, overdue.count, kinds[FaultKind.UNARMED], kinds[FaultKind.MISARMED], unpublished.count, named)
        self._publish(audit, counts)
        self._last = audit
        return audit

    def shown(self, org: str) -> dict[str, Any]:
        """The last look for people: all counts, and what is named of this organisation. Empty before the first."""
        if self._last is None:
            return {"at": None, "faults": []}
        found: dict[str, Any] = to_jsonable_python(asdict(self._last))
        return found | {"faults": [fault for fault in found["faults"] if fault["org"] == org]}

    async def _suspects(self, tx: Tx, keys: Sequence[CaseKey]) -> list[CaseKey]:
        """Cases whose timers do not look right; nothing is locked, so some may only be in motion."""
        found: list[CaseKey] = []
        for first in range(0, len(keys), _TOGETHER):
            part = keys[first : first + _TOGETHER]
            stored = await read_bodies(tx, part)
            table = await armed_timers(tx, part)
            await self._plans.load(tx, [one.case.plan for one in stored.values()])
            found += [key for key, one in stored.items() if self._repair(one, table[key]).faults]
        return found

    async def _mend(self, keys: Sequence[CaseKey]) -> tuple[Fault, ...]:
        """Look again under lock and put the table right."""
        if not keys:
            return ()
        found: list[Fault] = []
        async with self._database.transaction() as tx:
            stored = {one.key: one for one in await lock_cases(tx, {key[0] for key in keys})}
            held = [key for key in keys if key in stored]
            await self._plans.load(tx, [stored[key].case.plan for key in held])
            table = await armed_timers(tx, held)
            gone: list[tuple[CaseKey, str]] = []
            rows: list[TimerRow] = []
            for key in held:
                made = self._repair(stored[key], table[key])
                found += made.faults
                gone += [(key, subject) for subject in made.disarm]
                rows += [TimerRow(key, timer) for timer in made.arm]
            disarm(tx, gone)
            arm(tx, rows)
            if rows:
                earliest = min(row.timer.due_at for row in rows)
                tx.after_commit.append(lambda: self._wake(earliest))
        return tuple(found)

    def _repair(self, stored: StoredCase, table: Mapping[str, Timer]) -> Repair:
        case = stored.case
        try:
            return repair(self._plans.rules_of(case.plan), case, table)
        except Exception as error:  # noqa: BLE001  # a case that cannot be judged must not hide the others' faults
            _log.error("timers.unreadable", case_id=str(case.case_id), plan=case.plan.name, error=repr(error))
            return Repair()

    def _publish(self, audit: Audit, counts: Sequence[tuple[str, str, int]]) -> None:
        for kind, gauge in _GAUGES.items():
            gauge.set(getattr(audit, kind.value))
        CASES_OPEN.clear()
        for plan, level, cases in counts:
            CASES_OPEN.labels(plan, level or "none").set(cases)
        for fault in audit.faults:
            _log.error(
                "timers.fault",
                kind=fault.kind.value,
                case_id=str(fault.case_id),
                plan=fault.plan,
                subject=fault.subject,
                since=fault.since.isoformat() if fault.since else None,
                healed=fault.healed,
            )
            if fault.healed:
                TIMERS_HEALED.labels(fault.kind.value).inc()
        if not audit.clean:
            _log.error(
                "timers.audit_failed",
                overdue=audit.overdue,
                unarmed=audit.unarmed,
                misarmed=audit.misarmed,
                unpublished=audit.unpublished,
            )
