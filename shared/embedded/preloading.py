"""Children that share most of what they import: one process loads it once, and forking it starts each of them.

Most of what a service of ours does when it starts is importing, two seconds of a processor each on a small machine.
Only where the kernel can end a child with its parent (Linux); elsewhere every child imports for itself.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from shared.embedded.seedling import LONGEST_ORDER

_ANSWER_SECONDS: Final = 30.0
_MODULE: Final = "-m"


class Process(Protocol):
    """What is asked of a running child: the part of `subprocess.Popen` that its keepers use."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Startable(Protocol):
    """What of a child has to be known to fork it."""

    @property
    def name(self) -> str: ...
    @property
    def argv(self) -> tuple[str, ...]: ...
    @property
    def cwd(self) -> Path | None: ...
    @property
    def death_signal(self) -> signal.Signals: ...


class Sprout:
    """A child that a seedling forked. Its exit status comes through a pipe, for it is no child of this process."""

    def __init__(self, pid: int, report: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._report = report
        self._lock = threading.Lock()
        weakref.finalize(self, os.close, report)

    def poll(self) -> int | None:
        """The exit status once it ended, negative for a signal; None while it runs."""
        return self._within(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises subprocess.TimeoutExpired after so many seconds."""
        status = self._within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return status

    def _within(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            told = select.poll()
            told.register(self._report, select.POLLIN)
            if told.poll(None if seconds is None else seconds * 1000):
                self._read()
        return self.returncode

    def _read(self) -> None:
        with self._lock:
            if self.returncode is None:
                # Nothing is told of a child whose seedling was killed: it was killed with it.
                self.returncode = int(os.read(self._report, 16) or -signal.SIGKILL)


class Seedling:
    """The process with these modules loaded. Used by one thread, the one that starts all children."""

    def __init__(self, modules: tuple[str, ...], die_with_parent: Callable[[], None], env: Mapping[str, str]) -> None:
        """Begins to load them; see `alive` for whether it could."""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_ANSWER_SECONDS)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very program, never user input
                [sys.executable, _MODULE, "shared.embedded.seedling", *modules],
                env=dict(env),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - as for every child
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def grow(self, child: Startable, env: Mapping[str, str], log: int) -> Sprout | None:
        """Start `python -m module …` as a fork; None when that cannot be done, such as after an import failed."""
        _, dash, module, *arguments = child.argv
        if dash != _MODULE:
            raise ValueError(f"{child.name}: only `python -m module` can be forked, not {child.argv}")
        order = {
            "name": child.name,
            "module": module,
            "arguments": arguments,
            "environment": dict(env),
            "directory": str(child.cwd or Path.cwd()),
            "death_signal": int(child.death_signal),
        }
        message = json.dumps(order).encode()
        if len(message) > LONGEST_ORDER:
            return None
        report, theirs = os.pipe()
        try:
            socket.send_fds(self._socket, [message], [log, theirs])
            answer = self._socket.recv(32)
        except OSError:
            answer = b""
        finally:
            os.close(theirs)
        if not answer:
            os.close(report)
            self.end()
            return None
        return Sprout(int(answer), report)

    def end(self) -> None:
        """It ends when nobody can order anything any more; its children, if there are any, end with it."""
        self._socket.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
