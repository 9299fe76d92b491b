"""A register of its own for each test, reached through its real HTTP doors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.support.postgres import Database, PostgresServer
from tests.support.register import Register, migrate_intake, open_register


@pytest.fixture
async def intake_database(postgres: PostgresServer) -> AsyncIterator[Database]:
    made = await postgres.create("intake", migrate_intake)
    yield made
    await postgres.drop(made)


@pytest.fixture
async def register(intake_database: Database) -> AsyncIterator[Register]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_register(intake_database.url("intake")))
        await asyncio.sleep(0)
