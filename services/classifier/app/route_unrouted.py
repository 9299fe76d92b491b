"""Offer cases that no plan applied to to the plans there are now."""

from typing import Final
from uuid import UUID

from services.classifier.app.judge_cases import Ports, Subject, judge_cases
from services.classifier.domain.announcements import Cause
from services.classifier.store.cases import claim_unrouted_cases
from shared.db.engine import Database
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_BATCH: Final = 500


async def route_unrouted(database: Database, ports: Ports) -> int:
    """Classify every waiting case that a plan of today's library applies to; how many were looked at."""
    after, seen = UUID(int=0), 0
    while True:
        async with database.transaction() as tx:
            waiting = await claim_unrouted_cases(tx, after, _BATCH)
            subjects = [
                Subject(
                    case.case_id,
                    case.org,
                    case.state,
                    case.runs,
                    case.unrouted_since,
                    new=False,
                    route=True,
                    cause=Cause(),
                )
                for case in waiting.values()
            ]
            await judge_cases(tx, subjects, ports)
        seen += len(waiting)
        if len(waiting) < _BATCH:
            return seen
        after = max(waiting)
