"""A live test with who has answered, and whether anything can still change."""

from uuid import UUID

from services.notifier.domain.live_tests import LiveTest
from services.notifier.store.live_tests import find_test
from shared.db.engine import Database


async def show_live_test(org: str, test_id: UUID, *, database: Database) -> tuple[LiveTest, bool] | None:
    """The test, and True when it is over; None when the organisation has no such test."""
    async with database.transaction() as tx:
        test = await find_test(tx, org, test_id)
        return None if test is None else (test, test.is_over(tx.now))
