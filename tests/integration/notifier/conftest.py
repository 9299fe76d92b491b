"""Registers the notifier's fixtures; the pieces themselves are in `desk`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.access.api_keys import Scope
from shared.db.engine import Database
from shared.db.migrate import migrate
from tests.integration.notifier.desk import Desk, ear
from tests.integration.notifier.office import TEXT, Office
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


@pytest.fixture
async def database(notifier_url: str) -> AsyncIterator[Database]:
    made = Database.connect(notifier_url, application="test-rosters", pool_size=3)
    yield made
    await made.close()


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    file = tmp_path / "roster.yaml"
    file.write_text(TEXT, encoding="utf-8")
    made = Office(file, database)
    await made.book.refresh()
    await made.sign_in(Scope.READ, Scope.ROSTER)
    yield made
    await made.http.aclose()
