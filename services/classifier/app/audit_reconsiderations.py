"""The watcher of the reconsiderations: what is late is counted and told."""

from datetime import timedelta

from services.classifier.store.reconsiderations import overdue
from shared.db.engine import Database
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CLOCKS_OVERDUE

_log = get_logger(__name__)


async def audit_reconsiderations(database: Database, grace: timedelta) -> int:
    """How many instants passed longer than `grace` ago and nobody worked on: 0 when all is well."""
    async with database.transaction() as tx:
        late = await overdue(tx, grace)
    CLOCKS_OVERDUE.set(late)
    if late:
        _log.error("reconsideration.overdue", count=late, grace_s=grace.total_seconds())
    return late
