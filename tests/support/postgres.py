"""A real PostgreSQL for the tests, and a database of its own for each test that asks.

Fixtures: `postgres` (the server, once a session) and `database` (a fresh database with a schema and a role for each
service). FENGHUO_TEST_DATABASE_URL names the administrator's address of a running server >= 15 to use instead of the
embedded one.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from shared.db.provision import provision_service, service_url
from shared.embedded.errors import EmbeddedPartMissingError
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port

SERVICES: Final = ("intake", "classifier", "escalator", "notifier", "console")
# Roles belong to the whole server, so sessions that run at the same time have to agree on the password.
_PASSWORD: Final = "only-for-tests"
# Safe here: the crashes that tests stage are of processes, never of the machine.
_THROW_AWAY: Final = {"fsync": "off", "full_page_writes": "off", "max_connections": "300"}


@dataclass(frozen=True)
class Database:
    """A database that belongs to one test."""

    name: str
    admin_url: str

    def url(self, service: str) -> str:
        """`postgresql://` address of a service's role, whose search path is its schema."""
        return service_url(self.admin_url, service, _PASSWORD, self.name)


class PostgresServer:
    """The server of a test session, with templates that are built once and cloned in some 30 ms."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._run = secrets.token_hex(4)
        self._templates: dict[str, str] = {}
        self._count = 0

    async def create(self, template: str, build: Callable[[Database], Awaitable[None]] | None = None) -> Database:
        """A fresh clone of the named template; the first call of a session builds it.

        A template begins with every service's schema and role; `build` adds what the caller needs, such as migrations,
        and must leave no connection open.
        """
        if template not in self._templates:
            made = self._named(f"fh_{self._run}_t_{template}")
            for service in SERVICES:
                await provision_service(self.admin_url, service, _PASSWORD, database=made.name)
            if build is not None:
                await build(made)
            await self._admin(f'ALTER DATABASE "{made.name}" ALLOW_CONNECTIONS false')
            await self._admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", made.name)
            self._templates[template] = made.name
        self._count += 1
        clone = self._named(f"fh_{self._run}_{self._count}")
        await self._admin(f'CREATE DATABASE "{clone.name}" TEMPLATE "{self._templates[template]}"')
        return clone

    async def drop(self, database: Database) -> None:
        """Remove a database, ending whatever still uses it."""
        await self._admin(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    async def close(self) -> None:
        """Remove the session's templates."""
        for name in self._templates.values():
            await self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._templates.clear()

    def _named(self, name: str) -> Database:
        parts = urlsplit(self.admin_url)
        return Database(name, urlunsplit(parts._replace(path=f"/{name}")))

    async def _admin(self, statement: str, *arguments: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's server."""
    given = os.environ.get("FENGHUO_TEST_DATABASE_URL")
    if given:
        borrowed = PostgresServer(given)
        yield borrowed
        asyncio.run(borrowed.close())
        return
    directory = Path(tempfile.mkdtemp(prefix="fenghuo-test-postgres-"))
    server = EmbeddedPostgres(directory, free_port(), settings=_THROW_AWAY)
    try:
        server.start()
        yield PostgresServer(server.url())
    except EmbeddedPartMissingError as missing:
        pytest.fail(str(missing))
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """An empty database with every service's schema and role."""
    made = await postgres.create("empty")
    yield made
    await postgres.drop(made)
