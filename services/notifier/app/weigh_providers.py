"""Replicas tell each other what they spent, and everybody learns whose messages arrive and who was not reached."""

from datetime import date, datetime, timedelta
from typing import Final, Protocol

from services.notifier.store import provider_days
from shared.db.engine import Database
from shared.runtime.metrics import DELIVERY_NO_WAY, NOTIFIED_NOBODY

_OVER: Final = timedelta(minutes=15)
_ENOUGH_TO_JUDGE: Final = 10
_NOBODY_SHOWN: Final = timedelta(hours=1)


class WeighedProviders(Protocol):
    """The providers of this process."""

    def take_spending(self) -> dict[tuple[str, date], int]: ...

    def put_back(self, spending: dict[tuple[str, date], int]) -> None: ...

    def put_totals(self, totals: dict[str, int], today: date) -> None: ...

    def put_delivered(self, shares: dict[str, float]) -> None: ...

    def receipts_within(self) -> dict[str, timedelta]: ...

    def today(self, now: datetime) -> date: ...


async def weigh_providers(*, database: Database, providers: WeighedProviders) -> None:
    """Exchange spending and arrivals with the database. Raises its errors; then nothing is lost or counted twice."""
    spending = providers.take_spending()
    try:
        async with database.transaction() as tx:
            await provider_days.add_spending(tx, spending)
            today = providers.today(tx.now)
            totals = await provider_days.spent_on(tx, today)
            found = await provider_days.arrivals(tx, providers.receipts_within(), now=tx.now, over=_OVER)
            DELIVERY_NO_WAY.set(await provider_days.without_a_way(tx))
            NOTIFIED_NOBODY.set(await provider_days.reached_nobody(tx, since=tx.now - _NOBODY_SHOWN))
    except BaseException:
        providers.put_back(spending)
        raise
    providers.put_totals(totals, today)
    providers.put_delivered({name: good / taken for name, taken, good in found if taken >= _ENOUGH_TO_JUDGE})
