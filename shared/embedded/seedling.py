"""A process that has loaded what several children share, and forks each of them: `python -m shared.embedded.seedling`.

Its arguments are modules to import. Orders come over the socket that is its standard input, one message each: what to
run as JSON, with the descriptors of the child's log and of the pipe that its exit status is written to. It ends when
the socket is closed. It has one thread, and nothing that it imports may start another.
"""

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from shared.embedded.lifeline import end_with_parent

LONGEST_ORDER: Final = 1 << 17
_PR_SET_NAME: Final = 15


@dataclass(frozen=True, slots=True)
class Order:
    """One child: `python -m module arguments` in this environment and directory, its output into `log`."""

    name: str
    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    death_signal: int
    log: int


def main(modules: list[str]) -> None:
    """Load the modules and fork what is ordered; in a forked child, run it."""
    gc.disable()
    for name in modules:
        import_module(name)
    gc.enable()
    gc.freeze()
    order = _serve(socket.socket(fileno=sys.stdin.fileno()))
    if order is not None:
        sys.argv = [order.module, *order.arguments]
        runpy.run_module(order.module, run_name="__main__", alter_sys=True)


def _serve(orders: socket.socket) -> Order | None:
    """The order of a child, in that child; None here, when no more orders can come."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reports: dict[int, int] = {}
    while True:
        readable, _, _ = select.select([orders.fileno(), woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _reap(reports)
        if orders.fileno() in readable:
            message, descriptors, _, _ = socket.recv_fds(orders, LONGEST_ORDER, 2)
            if not message:
                return None
            log, report = descriptors
            parent = os.getpid()
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for inherited in (woken, wake, report, *reports.values()):
                    os.close(inherited)
                return _begin(orders, parent, Order(**json.loads(message), log=log))
            os.close(log)
            reports[child] = report


def _reap(reports: dict[int, int]) -> None:
    """Write the exit status of every child that ended, as `subprocess` words it."""
    while reports:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        report = reports.pop(child)
        os.write(report, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(report)


def _begin(orders: socket.socket, parent: int, order: Order) -> Order:
    """A session of its own, the death with its parent, its own output and environment; then say that it is there."""
    os.setsid()
    libc: Any = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NAME, order.name.encode()[:15], 0, 0, 0)
    end_with_parent(parent, order.death_signal)
    os.chdir(order.directory)
    sys.path[0] = order.directory  # where `python -m` looks first
    os.environ.clear()
    os.environ.update(order.environment)
    os.dup2(order.log, sys.stdout.fileno())
    os.dup2(order.log, sys.stderr.fileno())
    os.close(order.log)
    orders.send(str(os.getpid()).encode())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, orders.detach())
    os.close(nothing)
    return order


if __name__ == "__main__":
    main(sys.argv[1:])
