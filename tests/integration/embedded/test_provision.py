import asyncio
import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.db.provision import ProvisionError, provision_service, role_of, service_url
from tests.support.postgres import Database, PostgresServer


@pytest.fixture
async def fresh(postgres: PostgresServer) -> AsyncIterator[str]:
    """The name of a database that does not exist yet: rights on a database are not copied from a template."""
    name = f"fh_{secrets.token_hex(4)}"
    yield name
    await postgres.drop(Database(name, postgres.admin_url))


async def connect(database: Database, service: str) -> asyncpg.Connection:
    return await asyncpg.connect(database.url(service))


async def test_a_service_owns_its_schema_and_finds_it_without_naming_it(database: Database) -> None:
    connection = await connect(database, "intake")
    await connection.execute("CREATE TABLE facts (id int)")
    assert await connection.fetchval("SELECT schemaname FROM pg_tables WHERE tablename = 'facts'") == "intake"
    await connection.close()


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM intake.facts",
        "CREATE TABLE intake.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "SET ROLE fenghuo_intake",
    ],
)
async def test_a_service_has_no_rights_beyond_its_schema(postgres: PostgresServer, fresh: str, forbidden: str) -> None:
    for service in ("intake", "notifier"):
        await provision_service(postgres.admin_url, service, "only-for-tests", database=fresh)
    owner = await asyncpg.connect(service_url(postgres.admin_url, "intake", "only-for-tests", fresh))
    await owner.execute("CREATE TABLE IF NOT EXISTS facts (id int)")
    other = await asyncpg.connect(service_url(postgres.admin_url, "notifier", "only-for-tests", fresh))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await other.execute(forbidden)
    await owner.close()
    await other.close()


async def test_provisioning_again_keeps_the_data_and_sets_the_new_password(
    postgres: PostgresServer, fresh: str
) -> None:
    url = await provision_service(postgres.admin_url, "drillroom", "first", database=fresh)
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    await connection.close()
    url = await provision_service(postgres.admin_url, "drillroom", "second", database=fresh)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT one FROM kept") == 1
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(service_url(postgres.admin_url, "drillroom", "first", fresh))


async def test_several_provisioners_at_once_do_not_collide(postgres: PostgresServer, fresh: str) -> None:
    names = ("intake", "classifier", "escalator", "notifier", "console")
    urls = await asyncio.gather(
        *(provision_service(postgres.admin_url, name, "only-for-tests", database=fresh) for name in names * 2)
    )
    for url in urls:
        await (await asyncpg.connect(url)).close()


async def test_an_administrator_who_is_no_superuser_can_provision(postgres: PostgresServer, fresh: str) -> None:
    manager, service = f"{fresh}_manager", f"{fresh}_managed"
    admin = await asyncpg.connect(postgres.admin_url)
    await admin.execute(f"CREATE ROLE {manager} LOGIN CREATEDB CREATEROLE PASSWORD 'only-for-tests'")
    try:
        host = postgres.admin_url.rpartition("@")[2]
        for _ in range(2):
            url = f"postgresql+asyncpg://{manager}:only-for-tests@{host}"
            made = await provision_service(url, service, "only-for-tests", database=fresh)
        connection = await asyncpg.connect(made)
        await connection.execute("CREATE TABLE mine (id int)")
        assert await connection.fetchval("SELECT current_user") == role_of(service)
        await connection.close()
    finally:
        await postgres.drop(Database(fresh, postgres.admin_url))
        await admin.execute(f"DROP ROLE IF EXISTS {role_of(service)}, {manager}")
        await admin.close()


async def test_each_test_gets_its_own_database(postgres: PostgresServer) -> None:
    first, second = await postgres.create("empty"), await postgres.create("empty")
    connection = await connect(first, "console")
    await connection.execute("CREATE TABLE seen (id int)")
    await connection.close()
    connection = await connect(second, "console")
    assert await connection.fetchval("SELECT to_regclass('seen')") is None
    await connection.close()
    await postgres.drop(first)
    await postgres.drop(second)


@pytest.mark.parametrize(
    ("service", "password", "database", "named"),
    [
        ('in"take', "x", "fenghuo", "service name"),
        ("intake", "x", "Feng Huo", "database name"),
        ("intake", "", "fenghuo", "password of intake"),
        ("intake", "烽火", "fenghuo", "password of intake"),
    ],
)
async def test_unusable_names_and_passwords_are_refused_by_name(
    service: str, password: str, database: str, named: str
) -> None:
    with pytest.raises(ProvisionError, match=named):
        await provision_service("postgresql://nobody@127.0.0.1:1/x", service, password, database=database)
