"""Child processes that never outlive their parent, started and stopped the same way for every part.

On Linux the kernel signals each child when the parent is gone, even after kill -9 (PR_SET_PDEATHSIG). That signal
belongs to the *thread* that forked, so all children are forked by one thread that lives as long as the process.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from shared.embedded.errors import ChildFailedError, PortInUseError
from shared.embedded.readiness import LOOPBACK, Probe

NOBODY: Final = 65534
_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.01
_POLL_CEILING_SECONDS: Final = 0.1
_TAIL_BYTES: Final = 16_384
_LOG_BYTES: Final = 16_777_216
_COURTESY: Final = 10  # as for nice(1)
# Rust-backed parts turn one-line errors into stack traces when this is set.
_NEVER_INHERITED: Final = frozenset({"RUST_BACKTRACE", "RUST_LIB_BACKTRACE"})

_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


class _Nursery:
    """The thread that forks all children. A forked copy of this process has lost it and gets one of its own."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._process = 0

    def fork(self, child: "Child") -> subprocess.Popen[bytes]:
        if self._executor is None or self._process != os.getpid():
            self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nursery")
            self._process = os.getpid()
        return self._executor.submit(_fork, child, self._process).result()


_nursery: Final = _Nursery()


@dataclass(frozen=True)
class Port:
    """A loopback port that a child listens on and the setting a person would change to move it."""

    number: int
    setting: str | None = None


@dataclass(frozen=True)
class Child:
    """One process to run: what to start, when it counts as ready, how to stop it.

    `env` is laid over the parent's environment. `before_start` runs before every start, also after a crash, and may
    raise EmbeddedError. `user` is a uid and gid taken on by the child, only possible for root. `death_signal` is what
    the kernel sends when the parent dies. One that `gives_way` works when the others leave it a processor.
    """

    name: str
    argv: tuple[str, ...]
    ready: Probe
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    log_file: Path | None = None
    ports: tuple[Port, ...] = ()
    user: int | None = None
    before_start: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    ready_within: float = 30.0
    stop_within: float = 10.0
    gives_way: bool = False


def spawn(child: Child) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own, its output appended to its log (or dropped without one).

    Raises PortInUseError for a port that is taken, ChildFailedError when the program cannot be executed.
    """
    for port in child.ports:
        require_free_port(port)
    if child.before_start is not None:
        child.before_start()
    return _nursery.fork(child)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The parent's environment without what disturbs children, with the extra names laid over it."""
    return {name: value for name, value in os.environ.items() if name not in _NEVER_INHERITED} | dict(extra)


def require_free_port(port: Port) -> None:
    """Raise PortInUseError when another process listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that lingers in TIME_WAIT does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port.number))
        except OSError as error:
            raise PortInUseError(port.number, port.setting) from error


def free_port() -> int:
    """A loopback port that nobody held a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        number: int = probe.getsockname()[1]
        return number


def wait_ready(child: Child, process: subprocess.Popen[bytes]) -> None:
    """Block until the child answers its probe. Raises ChildFailedError when it exits or takes too long."""
    deadline = time.monotonic() + child.ready_within
    pause = _POLL_SECONDS
    while True:
        # Asked before the probe: another process might answer in a dead child's place.
        if process.poll() is not None:
            raise ChildFailedError(
                child.name, f"ended with {exit_words(process.returncode)} before it was ready", tail(child.log_file)
            )
        if child.ready():
            return
        if time.monotonic() > deadline:
            raise ChildFailedError(child.name, f"was not ready within {child.ready_within:g} s", tail(child.log_file))
        time.sleep(pause)
        pause = min(pause * 1.5, _POLL_CEILING_SECONDS)


def stop(child: Child, process: subprocess.Popen[bytes]) -> None:
    """Ask the child to end, then end it and whatever is left in its session. Returns when it is gone and reaped."""
    signal_child(process.pid, child.stop_signal)
    try:
        process.wait(child.stop_within)
    except subprocess.TimeoutExpired:
        kill_session(process.pid)
        process.wait()


def signal_child(pid: int, number: signal.Signals) -> None:
    """Send a signal to one process; one that is gone already is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kill_session(pid: int) -> None:
    """Kill a child and the process group that it leads; one that is gone already is no error."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def tail(log_file: Path | None, lines: int = 5) -> tuple[str, ...]:
    """The last non-empty lines of a log, oldest first; none when there is no log."""
    if log_file is None or not log_file.exists():
        return ()
    with log_file.open("rb") as stream:
        stream.seek(max(0, log_file.stat().st_size - _TAIL_BYTES))
        text = stream.read().decode(errors="replace")
    return tuple(line.strip() for line in text.splitlines() if line.strip())[-lines:]


def exit_words(returncode: int | None) -> str:
    """An exit status as a person reads it: `exit status 3`, `signal SIGKILL`."""
    if returncode is None:
        return "no status"
    if returncode >= 0:
        return f"exit status {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def is_running(pid: int) -> bool:
    """True for a live process; False for one that is gone or is a zombie waiting to be reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        # Vanished meanwhile on Linux; on other systems there is no such file and the signal's word stands.
        return not Path("/proc/self/stat").exists()
    # The state follows the command's closing parenthesis; the command itself may hold any character.
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _open_log(log_file: Path) -> BinaryIO:
    """The log to append to; one that has grown large becomes `<name>.1` first, replacing the one before."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > _LOG_BYTES:
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))
    return log_file.open("ab")


def _fork(child: Child, parent: int) -> subprocess.Popen[bytes]:
    death_signal = int(child.death_signal)

    def die_with_parent() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    output = _open_log(child.log_file) if child.log_file is not None else None
    try:
        process = subprocess.Popen(  # noqa: S603 - the programs are our own parts, never user input
            child.argv,
            env=environment(child.env),
            cwd=child.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output if output is not None else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=child.user,
            group=child.user,
            extra_groups=[] if child.user is not None else None,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one libc call resolved beforehand; takes no lock
        )
    except OSError as error:
        raise ChildFailedError(child.name, f"could not be started: {error}") from error
    finally:
        if output is not None:
            output.close()
    if child.gives_way:
        _give_way(process.pid)
    return process


def _give_way(pid: int) -> None:
    # A process that is gone already fails its readiness; a kernel that does not weigh sessions weighs processes.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) + _COURTESY)
        Path(f"/proc/{pid}/autogroup").write_text(str(_COURTESY), encoding="ascii")
