"""Judge cases again whose level the passing of time alone may have changed."""

from typing import Final

from services.classifier.app.judge_cases import Ports, Subject, judge_cases
from services.classifier.domain.announcements import Cause
from services.classifier.store.cases import StoredCase, claim_due_cases
from services.classifier.store.reconsiderations import arm
from shared.db.engine import Database
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CLOCK_LATENESS, CLOCKS_FIRED

_log = get_logger(__name__)
_BATCH: Final = 500


async def reconsider_due(database: Database, ports: Ports) -> int:
    """Work on at most 500 due cases in one transaction; how many they were.

    Each instant is worked on once, however many replicas sweep: the case and the instant are taken together, and what
    one of them holds the others pass over.
    """
    async with database.transaction() as tx:
        claimed = await claim_due_cases(tx, _BATCH)
        if not claimed:
            return 0
        now = tx.now
        refused = await judge_cases(tx, [_subject(stored) for stored in claimed.values()], ports)
        for case_id, reason in refused.items():
            _log.error("case.not_reconsidered", case_id=str(case_id), reason=reason)
        arm(tx, {(case_id, plan): None for case_id in refused for plan in claimed[case_id].runs})
    for stored in claimed.values():
        for run in stored.runs.values():
            if run.reconsider_at is not None and run.reconsider_at <= now:
                CLOCKS_FIRED.labels("reconsider").inc()
                CLOCK_LATENESS.observe((now - run.reconsider_at).total_seconds())
    return len(claimed)


def _subject(stored: StoredCase) -> Subject:
    return Subject(
        case_id=stored.case_id,
        org=stored.org,
        state=stored.state,
        runs=stored.runs,
        unrouted_since=stored.unrouted_since,
        new=False,
        route=False,
        cause=Cause(),
    )
