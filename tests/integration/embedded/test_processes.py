import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from shared.embedded import processes
from shared.embedded.errors import ChildFailedError, PortInUseError
from shared.embedded.preloading import Process
from shared.embedded.processes import (
    Child,
    Port,
    environment,
    exit_words,
    free_port,
    is_running,
    require_free_port,
    spawn,
    stop,
    tail,
    wait_ready,
)


def sleeper(code: str = "", **options: object) -> Child:
    program = f"import sys, time\n{code}\ntime.sleep(60)"
    return Child("part", (sys.executable, "-S", "-c", program), **{"ready": lambda: True, **options})  # type: ignore[arg-type]  # options are as mixed as the arguments


def test_children_do_not_inherit_the_switch_that_makes_rust_verbose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    monkeypatch.setenv("KEPT", "yes")
    made = environment({"MORE": "1", "KEPT": "no"})
    assert "RUST_BACKTRACE" not in made
    assert (made["MORE"], made["KEPT"]) == ("1", "no")


def test_a_child_outlives_the_thread_that_asked_for_it() -> None:
    child = sleeper()
    started: list[Process] = []
    asking = threading.Thread(target=lambda: started.append(spawn(child)))
    asking.start()
    asking.join()
    # The kernel would have sent the death signal by now.
    time.sleep(0.1)
    alive = started[0].poll() is None
    stop(child, started[0])
    assert alive


@pytest.mark.skipif(sys.platform != "linux", reason="reads priorities from the kernel's tables")
@pytest.mark.parametrize(("gives_way", "nice"), [(True, 10), (False, 0)])
def test_who_gives_way_has_a_lower_priority_than_the_others(*, gives_way: bool, nice: int) -> None:
    child = sleeper(gives_way=gives_way)
    process = spawn(child)
    try:
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + nice)
        group = Path(f"/proc/{process.pid}/autogroup")
        if group.exists():
            assert group.read_text().split()[-1] == str(nice)
    finally:
        stop(child, process)


def test_a_zombie_is_not_running() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    deadline = time.monotonic() + 5
    while is_running(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, 0)  # still there for the kernel
    process.wait()
    assert not is_running(process.pid)
    assert is_running(os.getpid())


def test_a_free_port_may_be_used_and_a_taken_one_is_named() -> None:
    port = free_port()
    require_free_port(Port(port))
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(PortInUseError, match=f"Port {port} .* choose a free one"):
            require_free_port(Port(port))
        with pytest.raises(PortInUseError, match=f"Port {port} .* set INTAKE_PORT to a free one"):
            spawn(sleeper(ports=(Port(port, "INTAKE_PORT"),)))


def test_a_program_that_does_not_exist_is_told() -> None:
    with pytest.raises(ChildFailedError, match=r"part could not be started: .*no/such/program"):
        spawn(Child("part", ("no/such/program",), ready=lambda: True))


def test_the_last_words_of_a_child_are_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "new" / "folder" / "part.log"
    child = sleeper("print('one\\n\\n  two  ', flush=True); sys.exit('three')", log_file=log, ready=lambda: False)
    with pytest.raises(ChildFailedError) as raised:
        wait_ready(child, spawn(child))
    assert str(raised.value).endswith("exit status 1 before it was ready. Its last words: one | two | three")
    assert tail(log, lines=2) == ("two", "three")
    assert tail(None) == tail(tmp_path / "absent") == ()


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_LOG_BYTES", 10)
    log = tmp_path / "part.log"
    log.write_text("x" * 11)
    child = sleeper("print('fresh', flush=True)", log_file=log, ready=lambda: "fresh" in log.read_text())
    process = spawn(child)
    wait_ready(child, process)
    stop(child, process)
    assert log.read_text() == "fresh\n"
    assert (tmp_path / "part.log.1").read_text() == "x" * 11


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit status 0"), (3, "exit status 3"), (-9, "signal SIGKILL"), (-99, "signal 99"), (None, "no status")],
)
def test_an_exit_is_told_in_words(code: int | None, words: str) -> None:
    assert exit_words(code) == words


def test_stopping_what_is_gone_already_is_no_error() -> None:
    child = sleeper("sys.exit(0)")
    process = spawn(child)
    process.wait()
    stop(child, process)
    processes.signal_child(process.pid, signal.SIGTERM)
