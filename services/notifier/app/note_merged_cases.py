"""Another case goes on for one whose people were told: remembered, so that whoever answers late is told which."""

from collections.abc import Sequence

from services.notifier.store.merged_cases import MergedCase, note
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseMergedV1
from shared.db.engine import Database


async def note_merged_cases(events: Sequence[Event[CaseMergedV1]], *, database: Database) -> None:
    """The latest revision of each case stands, in whatever order and however often they come."""
    latest: dict[tuple[object, ...], MergedCase] = {}
    for event in events:
        one = MergedCase(event.org, event.case_id, event.data.plan.name, event.data.into, event.data.revision)
        known = latest.get(one.key)
        if known is None or known.revision <= one.revision:
            latest[one.key] = one
    async with database.transaction() as tx:
        await note(tx, sorted(latest.values(), key=str))
