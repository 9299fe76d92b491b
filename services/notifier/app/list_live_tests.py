"""The last live tests, those of the schedule among them: who was asked, and who did not answer."""

from collections.abc import Sequence

from services.notifier.domain.live_tests import LiveTest
from services.notifier.store.live_tests import latest_tests
from shared.db.engine import Database


async def list_live_tests(org: str, limit: int, *, database: Database) -> Sequence[tuple[LiveTest, bool]]:
    """The last ones first, each with whether it is over."""
    async with database.transaction() as tx:
        return [(one, one.is_over(tx.now)) for one in await latest_tests(tx, org, limit)]
