import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGQUIT

import asyncpg
import pytest

from shared.embedded import postgres as launcher
from shared.embedded.errors import EmbeddedError, EmbeddedPartMissingError, PortInUseError
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port, is_running, signal_child


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), free_port())
    made.start()
    yield made
    made.stop()


async def value(server: EmbeddedPostgres, sql: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_started_server_answers_with_durable_settings_in_utc(server: EmbeddedPostgres) -> None:
    assert await value(server, "SELECT current_setting('fsync')") == "on"
    assert await value(server, "SELECT current_setting('timezone')") == "UTC"
    assert await value(server, "SELECT current_setting('listen_addresses')") == "127.0.0.1"
    assert await value(server, "SELECT current_setting('unix_socket_directories')") == ""
    assert await value(server, "SELECT pg_encoding_to_char(encoding) FROM pg_database LIMIT 1") == "UTF8"


async def test_a_wrong_password_is_refused_and_the_right_one_is_kept_as_a_scram_verifier(
    server: EmbeddedPostgres,
) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url(password="guessed"))
    stored = await value(server, "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
    assert str(stored).startswith("SCRAM-SHA-256$")
    assert (server.data_dir / "superuser-password").stat().st_mode & 0o077 == 0


def test_other_interfaces_are_closed(server: EmbeddedPostgres) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", server.port), timeout=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_the_server_of_root_runs_without_rights(server: EmbeddedPostgres) -> None:
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "CapEff:\t0000000000000000" in status
    assert "Groups:\t\n" in status or "Groups:\t \n" in status


async def test_committed_rows_survive_kill_and_the_next_start_waits_for_what_is_left(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "data", free_port())
    server.start()
    try:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 500)")
        # A session that is busy does not notice for a while that its postmaster is gone.
        busy = await asyncpg.connect(server.url())
        pid = await busy.fetchval("SELECT pg_backend_pid()")
        sleeping = busy.execute("DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END $$")
        task = asyncio.ensure_future(sleeping)
        await asyncio.sleep(0.1)
        server.kill()
        assert is_running(pid)
        server.start()
        assert not is_running(pid)
        assert await value(server, "SELECT count(*) FROM kept") == 500
        with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
            await task
        connection.terminate()
        busy.terminate()
    finally:
        server.stop()


def test_a_pid_file_that_names_an_unrelated_live_process_does_not_stop_the_start(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, free_port())
    server.prepare()
    # Only a process of the same user would make PostgreSQL believe that file.
    stranger = subprocess.Popen(["sleep", "60"], user=65534 if os.geteuid() == 0 else None, cwd="/")
    try:
        (tmp_path / "pgdata" / "postmaster.pid").write_text(f"{stranger.pid}\n{tmp_path}\n", encoding="ascii")
        server.start()
    finally:
        server.stop()
        stranger.kill()
        stranger.wait()


def test_a_warm_start_initialises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedPostgres(tmp_path, free_port())
    server.start()
    server.stop()
    version = (tmp_path / "pgdata" / "PG_VERSION").stat()

    def refuse(*_: object) -> None:
        pytest.fail("initdb ran over a cluster that exists")

    monkeypatch.setattr(EmbeddedPostgres, "_run_initdb", refuse)
    server.start()
    server.stop()
    assert (tmp_path / "pgdata" / "PG_VERSION").stat().st_ino == version.st_ino


def test_starting_twice_is_once_and_a_second_server_over_the_same_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(tmp_path, free_port())
    server.start()
    try:
        pid = server.pid
        server.start()
        assert server.pid == pid
        monkeypatch.setattr(launcher, "_SHUTDOWN_SECONDS", 0.1)
        with pytest.raises(EmbeddedError, match=f"in use by the running process {pid}"):
            EmbeddedPostgres(tmp_path, free_port()).start()
        assert server.pid == pid
    finally:
        server.stop()


def test_a_taken_port_is_named_with_its_setting(server: EmbeddedPostgres, tmp_path: Path) -> None:
    with pytest.raises(PortInUseError, match=f"Port {server.port} on 127.0.0.1 .* set FENGHUO_POSTGRES_PORT"):
        EmbeddedPostgres(tmp_path, server.port, port_setting="FENGHUO_POSTGRES_PORT").start()


def test_a_directory_of_another_major_version_is_refused_untouched(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, free_port())
    (tmp_path / "pgdata").mkdir()
    (tmp_path / "pgdata" / "PG_VERSION").write_text("15\n", encoding="ascii")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 15 and this is 18"):
        server.start()
    assert [path.name for path in (tmp_path / "pgdata").iterdir()] == ["PG_VERSION"]


def test_an_interrupted_initialisation_is_begun_again(tmp_path: Path) -> None:
    half_made = tmp_path / "pgdata.unfinished"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n", encoding="ascii")
    server = EmbeddedPostgres(tmp_path, free_port())
    server.start()
    server.stop()
    assert not half_made.exists()


def test_without_the_wheel_the_word_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPartMissingError, match=r"pip install 'fenghuo\[embedded\]'"):
        EmbeddedPostgres(tmp_path, free_port()).start()


@pytest.fixture
def reachable() -> Iterator[str]:
    made = Path(tempfile.mkdtemp(prefix="fenghuo-test-"))
    made.chmod(0o755)
    yield str(made)
    shutil.rmtree(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
async def test_root_may_install_where_nobody_else_may_look(
    tmp_path: Path, reachable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_reachable", lambda _: False)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: reachable)
    server = EmbeddedPostgres(tmp_path, free_port())
    try:
        server.start()
        assert server.child().argv[0].startswith(f"{reachable}/fenghuo-postgres-")
        assert await value(server, "SELECT count(*) > 0 FROM pg_timezone_names") is True
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_ordinary_user_starts_it_as_himself() -> None:
    home = Path(tempfile.mkdtemp(prefix="fenghuo-user-", dir="/tmp"))  # the other user can reach it
    daemon = pwd.getpwnam("daemon")  # initdb insists on a user that has a name
    os.chown(home, daemon.pw_uid, daemon.pw_gid)
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        # An interpreter in root's home cannot be started by somebody else, so this one changes.
        try:
            os.setgroups([])
            os.setgid(daemon.pw_gid)
            os.setuid(daemon.pw_uid)
            server = EmbeddedPostgres(home / "data", free_port())
            server.start()
            os.write(tell, str(Path(f"/proc/{server.pid}").stat().st_uid).encode())
            server.stop()
        except BaseException as error:  # noqa: BLE001 - the parent asserts on what is said
            os.write(tell, repr(error).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as words:
        assert words.read() == str(daemon.pw_uid)
    os.waitpid(child, 0)
    shutil.rmtree(home)


def test_no_server_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from shared.embedded.postgres import EmbeddedPostgres;"
        f"s = EmbeddedPostgres(Path({str(tmp_path)!r}), {free_port()}); s.start();"
        "print(s.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    alive = is_running(pid)
    if alive:
        signal_child(pid, SIGQUIT)
    assert not alive
