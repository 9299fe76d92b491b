"""Registers the notifier's fixtures; the pieces themselves are in `desk`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.db.migrate import migrate
from tests.integration.notifier.desk import Desk, ear
from tests.support.postgres import Database as TestDatabase
from tests.support.postgres import PostgresServer
from tests.support.sink import Sink


async def _migrated(database: TestDatabase) -> None:
    await asyncio.to_thread(migrate, "notifier", database.url("notifier"))


@pytest.fixture
async def notifier_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a fresh, migrated schema."""
    made = await postgres.create("notifier", _migrated)
    yield made.url("notifier")
    await postgres.drop(made)


@pytest.fixture
async def receipts_url(desks: list[Desk]) -> AsyncIterator[str]:
    """Where the gateway reports; the first desk hears it."""
    async with ear(desks) as url:
        yield url


@pytest.fixture
def desks() -> list[Desk]:
    """The desks of a test, the first one with the ear for receipts."""
    return []


@pytest.fixture
async def desk(notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]) -> AsyncIterator[Desk]:
    """A notifier whose sender runs."""
    made = Desk(notifier_url, sink, receipts_url)
    desks.append(made)
    made.start()
    yield made
    await made.stop()


@pytest.fixture
async def still_desk(notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]) -> AsyncIterator[Desk]:
    """A notifier whose sender does not run: the test makes each step."""
    made = Desk(notifier_url, sink, receipts_url)
    desks.append(made)
    yield made
    await made.stop()
