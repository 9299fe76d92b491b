"""The one-shot job of a deployment, as a process, on a server of its own: its roles are those of a whole server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.line.layout import SERVICES
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database
from shared.db.migrate import needs_migration
from shared.db.provision import service_url
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    made = subprocess.run(
        ["sh", ROOT / "deploy" / "compose" / "make-env.sh"], capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in made.stdout.splitlines())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("own") / "data", free_port(), settings={"fsync": "off"})
    server.start()
    yield server
    server.stop()


def _provision(server: EmbeddedPostgres, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    return subprocess.run(
        [sys.executable, "-m", "services.provision"],
        cwd=ROOT,
        env={**inherited, **environment, "FENGHUO_ADMIN_DATABASE_URL": server.url()},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


async def test_a_fresh_server_is_made_ready_and_a_second_run_changes_nothing(
    server: EmbeddedPostgres, environment: dict[str, str]
) -> None:
    for _ in range(2):
        done = _provision(server, environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("the database server is ready\n")
    for service in SERVICES:
        url = service_url(server.url(), service, environment[f"FENGHUO_{service.upper()}_DATABASE_PASSWORD"])
        assert not await needs_migration(service, url)
    made = environment["FENGHUO_INTAKE_DATABASE_PASSWORD"]
    intake = Database.connect(service_url(server.url(), "intake", made), application="test", pool_size=2)
    keys = KeyStore(intake, environment["FENGHUO_KEY_PEPPER"].encode())
    operator = await keys.authenticate(environment["FENGHUO_OPERATOR_KEY"])
    console = await keys.authenticate(environment["FENGHUO_INTAKE_KEY"])
    await intake.close()
    assert operator is not None
    assert operator.scopes == frozenset(Scope)
    assert console is not None
    assert Scope.REPORT not in console.scopes


async def test_a_new_password_takes_the_place_of_the_old_one(
    server: EmbeddedPostgres, environment: dict[str, str]
) -> None:
    assert _provision(server, environment).returncode == 0
    changed = {**environment, "FENGHUO_INTAKE_DATABASE_PASSWORD": "another-password-of-intake"}
    assert _provision(server, changed).returncode == 0
    entered = await asyncpg.connect(service_url(server.url(), "intake", "another-password-of-intake"))
    await entered.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(service_url(server.url(), "intake", environment["FENGHUO_INTAKE_DATABASE_PASSWORD"]))


def test_a_wrong_administrator_is_said_in_one_line(server: EmbeddedPostgres, environment: dict[str, str]) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    wrong = server.url().replace("@", "wrong@", 1)
    # With passwords that let every service in there would be nothing to ask an administrator for.
    needed = {**environment, "FENGHUO_NOTIFIER_DATABASE_PASSWORD": "a-new-password-of-the-notifier"}
    done = subprocess.run(
        [sys.executable, "-m", "services.provision"],
        cwd=ROOT,
        env={**inherited, **needed, "FENGHUO_ADMIN_DATABASE_URL": wrong},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The database server cannot be prepared:")
    assert "Traceback" not in done.stderr
