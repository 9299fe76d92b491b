"""What every service does when a case is erased: delete its share at once, and again what comes late."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseErasedV1, ErasedPart
from shared.contracts.topics import CASES_ERASED
from shared.db.engine import Database
from shared.db.erasures import Erasure, claim_erasures, forget_published, looked_at, note_erasures
from shared.db.tx import Tx
from shared.kafka.consumer import BatchConsumer, ConsumerPolicy
from shared.kafka.outcome import DONE, DUPLICATE, Outcome
from shared.kafka.settings import KafkaSettings
from shared.runtime.metrics import ERASED_ROWS

ERASE_AGAIN_EVERY: Final = timedelta(seconds=30)
_AT_ONCE: Final = 100
# Seldom is there anything, and asking for it costs a broker as much as if there were.
_SELDOM: Final = ConsumerPolicy(interval=1.0)
Erase = Callable[[Tx, Sequence[UUID]], Awaitable[int]]
"""Deletes or empties a service's rows of these cases; how many. Doing it again does no harm."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a service holds of cases: what is personal of it, and all of it."""

    personal_data: Erase
    case: Erase

    async def erase(self, tx: Tx, erasures: Sequence[Erasure]) -> int:
        """Erase so much of each case as its erasure says; how many rows."""
        rows = 0
        for part, erase in ((ErasedPart.PERSONAL_DATA, self.personal_data), (ErasedPart.CASE, self.case)):
            case_ids = sorted({one.case_id for one in erasures if one.part is part})
            found = await erase(tx, case_ids) if case_ids else 0
            if found:
                _count(tx, part, found)
            rows += found
        return rows


class Erasing:
    """Handler of `cases-erased` and job in one: restarted at any point it goes on where it stood."""

    def __init__(self, database: Database, share: Share) -> None:
        self._database = database
        self._share = share

    async def __call__(self, events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        """Erase what the events say. One outcome an event, in their order."""
        async with self._database.transaction() as tx:
            fresh = set(await tx.first_seen([event.id for event in events]))
            erasures = [erasure_of(event) for event in events if event.id in fresh]
            if erasures:
                await note_erasures(tx, erasures)
                await self._share.erase(tx, erasures)
        return [DONE if event.id in fresh else DUPLICATE for event in events]

    async def again(self) -> None:
        """Erase what came late, and what the outbox holds, for every case whose time it is: small transactions."""
        while True:
            async with self._database.transaction() as tx:
                due = await claim_erasures(tx, _AT_ONCE)
                if due:
                    await self._share.erase(tx, due)
                    await forget_published(tx, due)
                    await looked_at(tx, due)
            if len(due) < _AT_ONCE:
                return

    def consumer(self, service: str, kafka: KafkaSettings) -> BatchConsumer:
        """The consumer that feeds it, in the group `<service>-erasures`."""
        return BatchConsumer(
            group=f"{service}-erasures",
            topics=[CASES_ERASED],
            handler=self,
            database=self._database,
            kafka=kafka,
            policy=_SELDOM,
        )


def erasure_of(event: Event[CaseErasedV1]) -> Erasure:
    """What the event says, as it is remembered."""
    data = event.data
    return Erasure(
        case_id=event.case_id,
        org=event.org,
        number=data.number,
        part=data.part,
        last_changed_at=data.last_changed_at,
        erased_at=data.erased_at,
        actor=data.actor.ref if data.actor is not None else None,
        reason=data.reason,
    )


def _count(tx: Tx, part: ErasedPart, rows: int) -> None:
    tx.after_commit.append(lambda: ERASED_ROWS.labels(part.value).inc(rows))
