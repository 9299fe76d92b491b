"""Fixtures of the console's tests."""

from collections.abc import AsyncIterator

import pytest

from shared.db.engine import Database
from tests.support.console import console_database, console_url, migrated_console
from tests.support.postgres import PostgresServer

__all__ = ["console_database", "console_url", "other_console_database"]


@pytest.fixture
async def other_console_database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A second schema, to compare."""
    async with migrated_console(postgres) as url:
        database = Database.connect(url, application="fenghuo-test", pool_size=3)
        yield database
        await database.close()
