"""The escalator as its use cases see it: a migrated schema, a plan from text, events, and what was published."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import pytest

from services.escalator.app.apply_events import ApplyEvents
from services.escalator.app.fire_due_timers import FireDueTimers, Swept
from services.escalator.domain.clocks import Entry
from services.escalator.store.cases import StoredCase
from services.escalator.store.history import clock_records
from services.escalator.store.plans import Plans
from shared.calendars.library import CalendarLibrary
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event, decode
from shared.contracts.escalations import CaseEscalatedV1, ChangeKind
from shared.contracts.notifications import NotificationRequestedV1
from shared.contracts.values import Contract
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.db.outbox import headers_from_text
from shared.db.tx import Tx
from shared.kafka.outcome import Outcome
from shared.plans.library import PlanLibrary
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids, TimeOrderedIds
from tests.support.clock import ManualClock
from tests.support.escalations import START, classified, command, rules
from tests.support.postgres import Database as TestDatabase
from tests.support.postgres import PostgresServer

IDS: Final = TimeOrderedIds()
RULES: Final = rules()


def event(case_id: UUID, data: Contract, when: datetime = START, org: str = "org-a") -> Event[Any]:
    return Event(id=IDS.new(), source="/fenghuo/test", time=when, org=org, case_id=case_id, data=data)


def classification(case_id: UUID, level: str | None = "yellow", *, revision: int = 1, **fields: Any) -> Event[Any]:
    plan = fields.pop("plan", RULES.plan.ref)
    return event(case_id, classified(plan, level, revision=revision, **fields))


async def clock_log(tx: Tx, stored: StoredCase, clock: str) -> list[Entry]:
    """The whole log of one clock, oldest first, as the service explains it."""
    logged, _ = await clock_records(tx, stored)
    return [one.entry for one in logged.get(clock, ())]


def order(case_id: UUID, kind: CommandKind, when: datetime, **fields: Any) -> Event[CommandIssuedV1]:
    return event(case_id, command(kind, when, **fields), when)


@dataclass
class Escalator:
    """One replica on a database that others may share. The test moves `clock`, unless it asked for a real one."""

    database: Database
    clock: Any
    url: str
    apply: ApplyEvents
    fire: FireDueTimers
    armed: list[datetime] = field(default_factory=list)
    plans: Plans = field(default_factory=lambda: Plans(PlanLibrary([])))

    async def take(self, *events: Event[Any]) -> list[Outcome]:
        return list(await self.apply(events))

    async def sweep(self) -> list[Swept]:
        """Fire until nothing is due."""
        done = []
        while (swept := await self.fire()).claimed:
            done.append(swept)
        return done

    async def published(self) -> list[Event[Any]]:
        """Everything in the outbox, in order."""
        found = await self.rows("SELECT headers, value FROM outbox ORDER BY seq")
        return [decode(headers_from_text(row["headers"]), row["value"]) for row in found]

    async def escalations(self) -> list[CaseEscalatedV1]:
        return [event.data for event in await self.published() if isinstance(event.data, CaseEscalatedV1)]

    async def requests(self) -> list[NotificationRequestedV1]:
        return [event.data for event in await self.published() if isinstance(event.data, NotificationRequestedV1)]

    async def kinds(self) -> list[ChangeKind]:
        return [change.kind for escalated in await self.escalations() for change in escalated.changes]

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch(sql, **parameters)]


def create_escalator(
    url: str,
    *,
    clock: Clock | None = None,
    ids: Ids = IDS,
    batch: int = 500,
    wake: Any = None,
    library: PlanLibrary | None = None,
    calendars: CalendarLibrary | None = None,
) -> Escalator:
    """A replica; several may share one database."""
    ticking = clock or ManualClock(START)
    database = Database.connect(url, application="tests", pool_size=4, clock=ticking)
    plans = Plans(library if library is not None else PlanLibrary([RULES.plan]), calendars)
    armed: list[datetime] = []
    wake = wake or armed.append
    return Escalator(
        database,
        ticking,
        url,
        ApplyEvents(database, plans, ids, wake),
        FireDueTimers(database, plans, ids, wake, batch=batch),
        armed,
        plans,
    )


async def _build(database: TestDatabase) -> None:
    await asyncio.to_thread(migrate, "escalator", database.url("escalator"))


@pytest.fixture
async def escalator_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a freshly migrated schema of the escalator."""
    made = await postgres.create("escalator", _build)
    yield made.url("escalator")
    await postgres.drop(made)


@pytest.fixture
async def escalator(escalator_url: str) -> AsyncIterator[Escalator]:
    made = create_escalator(escalator_url)
    yield made
    await made.database.close()
