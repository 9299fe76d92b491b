"""Child processes that never outlive their parent, started and stopped the same way for every part.

On Linux the kernel signals each child when the parent is gone, even after kill -9 (PR_SET_PDEATHSIG). That signal
belongs to the *thread* that forked, so all children are forked by one thread that lives as long as the process.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar

from shared.embedded import lifeline
from shared.embedded.errors import ChildFailedError, PortInUseError
from shared.embedded.preloading import Process, Seedling
from shared.embedded.readiness import LOOPBACK, Probe

NOBODY: Final = 65534
_POLL_SECONDS: Final = 0.01
_POLL_CEILING_SECONDS: Final = 0.1
_TAIL_BYTES: Final = 16_384
_LOG_BYTES: Final = 16_777_216
_COURTESY: Final = 10  # as for nice(1)
# Rust-backed parts turn one-line errors into stack traces when this is set.
_NEVER_INHERITED: Final = frozenset({"RUST_BACKTRACE", "RUST_LIB_BACKTRACE"})

P = ParamSpec("P")
R = TypeVar("R")


class _Nursery:
    """The thread that starts all children. A forked copy of this process has lost it and gets one of its own."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._process = 0
        self._seedlings: dict[tuple[str, ...], Seedling] = {}

    def start(self, child: "Child") -> Process:
        return self._submit(self._start, child)

    def preload(self, modules: tuple[str, ...]) -> None:
        self._submit(self._seedling, modules)

    def forget(self, modules: tuple[str, ...]) -> None:
        self._submit(self._forget, modules)

    def _submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._executor is None or self._process != os.getpid():
            self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nursery")
            self._process = os.getpid()
            self._seedlings = {}
        return self._executor.submit(function, *args, **kwargs).result()

    def _start(self, child: "Child") -> Process:
        with _output(child) as output:
            process = self._grow(child, output) or _fork(child, self._process, output)
        if child.gives_way:
            _give_way(process.pid)
        return process

    def _grow(self, child: "Child", output: int) -> Process | None:
        if not child.preload or not lifeline.HOLDS:
            return None
        return self._seedling(child.preload).grow(child, environment(child.env), output)

    def _seedling(self, modules: tuple[str, ...]) -> Seedling:
        known = self._seedlings.get(modules)
        if known is not None and not known.alive:
            known.end()
            known = None
        if known is None:
            known = self._seedlings[modules] = Seedling(
                modules, partial(lifeline.end_with_parent, self._process, int(signal.SIGKILL)), environment({})
            )
        return known

    def _forget(self, modules: tuple[str, ...]) -> None:
        seedling = self._seedlings.pop(modules, None)
        if seedling is not None:
            seedling.end()


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
    the kernel sends when the parent dies. One that `gives_way` works when the others leave it a processor. `preload`
    names what `python -m module` shares with other children and need not import again, see `preloaded`.
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
    preload: tuple[str, ...] = ()


@contextmanager
def preloaded(modules: tuple[str, ...]) -> Iterator[None]:
    """Load these modules at once, for children with the same `preload`, and keep them until the block ends.

    Children that still run when it ends are killed: end them before. Does nothing but on Linux.
    """
    if not lifeline.HOLDS:
        yield
        return
    _nursery.preload(modules)
    try:
        yield
    finally:
        _nursery.forget(modules)


def spawn(child: Child) -> Process:
    """Start the process in a session of its own, its output appended to its log (or dropped without one).

    Raises PortInUseError for a port that is taken, ChildFailedError when the program cannot be executed.
    """
    for port in child.ports:
        require_free_port(port)
    if child.before_start is not None:
        child.before_start()
    return _nursery.start(child)


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


def wait_ready(child: Child, process: Process) -> None:
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


def stop(child: Child, process: Process) -> None:
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
    if log_file.is_file() and log_file.stat().st_size > _LOG_BYTES:
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))
    return log_file.open("ab")


@contextmanager
def _output(child: Child) -> Iterator[int]:
    """Where the child writes: its log, or nowhere."""
    try:
        output = _open_log(child.log_file or Path(os.devnull))
    except OSError as error:
        raise ChildFailedError(child.name, f"could not be started: {error}") from error
    with output:
        yield output.fileno()


def _fork(child: Child, parent: int, output: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the programs are our own parts, never user input
            child.argv,
            env=environment(child.env),
            cwd=child.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=child.user,
            group=child.user,
            extra_groups=[] if child.user is not None else None,
            preexec_fn=partial(lifeline.end_with_parent, parent, int(child.death_signal)),  # noqa: PLW1509 - one libc call resolved beforehand; takes no lock
        )
    except OSError as error:
        raise ChildFailedError(child.name, f"could not be started: {error}") from error


def _give_way(pid: int) -> None:
    # A process that is gone already fails its readiness; a kernel that does not weigh sessions weighs processes.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) + _COURTESY)
        Path(f"/proc/{pid}/autogroup").write_text(str(_COURTESY), encoding="ascii")
