import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.embedded import supervisor as module
from shared.embedded.errors import ChildFailedError, DiskFullError, PortInUseError
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import Child, Port, free_port, is_running
from shared.embedded.readiness import tcp_answers
from shared.embedded.supervisor import (
    ChildState,
    ChildStatus,
    RestartPolicy,
    StoppedError,
    Supervisor,
    require_free_disk,
)

QUICK = RestartPolicy(first_pause=0.01, longest_pause=0.05, window=30, give_up_after=4)
ROOT = Path(__file__).parents[3]


def sleeper(name: str, code: str = "", **options: object) -> Child:
    program = f"import time, sys, signal, os\n{code}\ntime.sleep(60)"
    return Child(name=name, argv=(sys.executable, "-S", "-c", program), **{"ready": lambda: True, **options})  # type: ignore[arg-type]  # options are as mixed as the arguments


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.01)


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = next(status.pid for status in supervisor.status() if status.name == name)
    assert pid is not None
    return pid


async def test_children_of_one_call_start_together_and_calls_stop_in_reverse_order(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    note = f"signal.signal(15, lambda *_: (open({str(diary)!r}, 'a').write(sys.argv[1] + ' '), os._exit(0)))"
    ready = f"open({str(tmp_path)!r} + '/' + sys.argv[1], 'w').close()"

    def child(name: str) -> Child:
        code = f"import time, sys, signal, os\n{note}\n{ready}\ntime.sleep(60)"
        argv = (sys.executable, "-S", "-c", code, name)
        return Child(name=name, argv=argv, ready=(tmp_path / name).exists)

    async with Supervisor() as supervisor:
        await supervisor.start(child("database"))
        await supervisor.start(child("intake"), child("notifier"))
        assert [status.state for status in supervisor.status()] == [ChildState.READY] * 3
        pids = [status.pid for status in supervisor.status()]
    assert diary.read_text().split()[-1] == "database"
    assert sorted(diary.read_text().split()) == ["database", "intake", "notifier"]
    assert not any(is_running(pid) for pid in pids if pid is not None)
    assert [status.state for status in supervisor.status()] == [ChildState.STOPPED] * 3


async def test_a_killed_child_comes_back_and_the_hook_hears_of_it_before_it_counts_as_ready() -> None:
    events: list[str] = []

    async def restarted(name: str) -> None:
        events.append(f"hook {name}")

    def seen(status: ChildStatus) -> None:
        events.append(status.state)

    async with Supervisor(on_state=seen, on_restart=restarted, policy=QUICK) as supervisor:
        await supervisor.start(sleeper("broker"))
        first = pid_of(supervisor, "broker")
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].state is ChildState.READY)
        assert pid_of(supervisor, "broker") != first
    assert events == ["starting", "ready", "restarting", "hook broker", "ready", "stopped"]


async def test_a_hook_that_raises_counts_as_another_death() -> None:
    calls: list[str] = []

    async def restarted(name: str) -> None:
        calls.append(name)
        if len(calls) == 1:
            raise ConnectionError("topics could not be made")

    async with Supervisor(on_restart=restarted, policy=QUICK) as supervisor:
        await supervisor.start(sleeper("broker"))
        os.kill(pid_of(supervisor, "broker"), signal.SIGKILL)
        await until(lambda: supervisor.status()[0].state is ChildState.READY and len(calls) == 2)
        assert supervisor.status()[0].restarts == 2


async def test_a_child_that_keeps_dying_is_given_up_in_one_sentence_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "escalator.log"
    child = Child(
        name="escalator",
        argv=(
            sys.executable,
            "-S",
            "-c",
            "import sys, time; print('schema is missing', flush=True); time.sleep(0.05); sys.exit(7)",
        ),
        ready=lambda: log.exists() and "missing" in log.read_text(),
        log_file=log,
    )
    async with Supervisor(policy=QUICK) as supervisor:
        await supervisor.start(child)
        with pytest.raises(ChildFailedError) as raised:
            await asyncio.wait_for(supervisor.run(), 10)
        assert supervisor.status()[0].state is ChildState.FAILED
    words = str(raised.value)
    assert words.startswith("escalator died 4 times within 30 s and is not started again")
    assert "exit status 7" in words
    assert words.endswith("schema is missing | schema is missing | schema is missing | schema is missing")


async def test_deaths_that_lie_apart_are_forgiven() -> None:
    patient = RestartPolicy(first_pause=0.01, longest_pause=0.01, window=0.05, give_up_after=2)
    async with Supervisor(policy=patient) as supervisor:
        await supervisor.start(sleeper("notifier"))
        for count in (1, 2, 3):
            os.kill(pid_of(supervisor, "notifier"), signal.SIGKILL)
            await until(
                lambda count=count: (
                    supervisor.status()[0].restarts == count  # type: ignore[misc]  # mypy infers no type for it
                    and supervisor.status()[0].state is ChildState.READY
                )
            )
            await asyncio.sleep(0.1)


async def test_pauses_between_restarts_double_up_to_the_longest() -> None:
    supervisor = Supervisor(policy=RestartPolicy(first_pause=0.2, longest_pause=1.0, give_up_after=9))
    kept = module._Kept(sleeper("x"), asyncio.get_running_loop().create_future())
    assert [supervisor._after_death(kept, "died") for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]


async def test_a_child_that_dies_before_it_is_ready_fails_the_start_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = sleeper("intake", "print('bad setting INTAKE_PORT'); sys.exit(3)", ready=lambda: False, log_file=log)
    async with Supervisor(policy=QUICK) as supervisor:
        with pytest.raises(
            ChildFailedError, match=r"intake ended with exit status 3 before .* bad setting INTAKE_PORT"
        ):
            await supervisor.start(sleeper("classifier"), child)
        other = pid_of(supervisor, "classifier")
    assert not is_running(other)


async def test_a_child_that_never_answers_is_ended_after_its_time() -> None:
    async with Supervisor() as supervisor:
        with pytest.raises(ChildFailedError, match=r"console was not ready within 0\.2 s"):
            await supervisor.start(sleeper("console", ready=lambda: False, ready_within=0.2))
        assert supervisor.status()[0].pid is None


async def test_a_child_that_ignores_the_stop_signal_is_killed_with_its_own_children(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = (
        "import subprocess; signal.signal(15, signal.SIG_IGN)\n"
        "p = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(told)!r}, 'w').write(str(p.pid))"
    )
    async with Supervisor() as supervisor:
        await supervisor.start(
            sleeper("stubborn", code, stop_within=0.3, ready=lambda: told.exists() and told.read_text() != "")
        )
        pids = [pid_of(supervisor, "stubborn"), int(told.read_text())]
        assert all(is_running(pid) for pid in pids)
    await until(lambda: not any(is_running(pid) for pid in pids))


async def test_a_planned_restart_is_no_death_and_runs_the_hook() -> None:
    heard: list[str] = []

    async def restarted(name: str) -> None:
        heard.append(name)

    once = RestartPolicy(give_up_after=1)
    async with Supervisor(on_restart=restarted, policy=once) as supervisor:
        await supervisor.start(sleeper("broker"))
        first = pid_of(supervisor, "broker")
        await supervisor.restart("broker")
        assert pid_of(supervisor, "broker") != first
        assert not is_running(first)
        assert heard == ["broker"]
        with pytest.raises(KeyError):
            await supervisor.restart("nobody")
        os.kill(pid_of(supervisor, "broker"), signal.SIGKILL)
        with pytest.raises(ChildFailedError, match="died 1 times"):
            await asyncio.wait_for(supervisor.run(), 10)
        with pytest.raises(ChildFailedError, match="was not started again"):
            await supervisor.restart("broker")


async def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Supervisor() as supervisor:
        with pytest.raises(PortInUseError, match=f"Port {port} on 127.0.0.1 is already in use.*set INTAKE_PORT"):
            await supervisor.start(sleeper("intake", ports=(Port(port, "INTAKE_PORT"),)))
    server.close()
    await server.wait_closed()


def test_too_little_disk_is_told_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    require_free_disk(tmp_path / "not" / "yet" / "there", "FENGHUO_DATA")
    with pytest.raises(DiskFullError, match=r"Only \d+ MB are free .* set FENGHUO_DATA"):
        require_free_disk(tmp_path, "FENGHUO_DATA", least=1 << 60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_run_and_every_child(number: signal.Signals) -> None:
    async with Supervisor() as supervisor:
        await supervisor.start(sleeper("intake"))
        pid = pid_of(supervisor, "intake")
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
        await asyncio.wait_for(supervisor.run(), 5)
    assert not is_running(pid)


async def test_a_signal_while_starting_ends_the_start_and_leaves_nobody(tmp_path: Path) -> None:
    slow = sleeper("postgres", before_start=lambda: time.sleep(0.3))
    async with Supervisor() as supervisor:
        asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError):
            await supervisor.start(slow, sleeper("mute", ready=lambda: False))
    assert [status.pid for status in supervisor.status()] == [None, None]
    assert {status.state for status in supervisor.status()} == {ChildState.STOPPED}


async def test_a_second_signal_does_not_wait_for_anybody() -> None:
    begun = time.monotonic()
    ready = free_port()
    code = f"signal.signal(15, signal.SIG_IGN); import socket; s = socket.create_server(('127.0.0.1', {ready}))"
    async with Supervisor() as supervisor:
        await supervisor.start(sleeper("stubborn", code, stop_within=30, ready=lambda: tcp_answers(ready)))
        for delay in (0.05, 0.2):
            asyncio.get_running_loop().call_later(delay, os.kill, os.getpid(), signal.SIGINT)
        await supervisor.run()
    assert time.monotonic() - begun < 5


async def test_a_second_signal_brings_nobody_back_whose_turn_to_stop_had_not_come(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    begun = f"open({str(lives)!r}, 'a').write('x')"
    ready = free_port()
    stubborn = f"signal.signal(15, signal.SIG_IGN); import socket; s = socket.create_server(('127.0.0.1', {ready}))"
    async with Supervisor(policy=QUICK) as supervisor:
        await supervisor.start(sleeper("postgres", begun, ready=lives.exists))
        await supervisor.start(sleeper("stubborn", stubborn, stop_within=30, ready=lambda: tcp_answers(ready)))
        for delay in (0.05, 0.2):
            asyncio.get_running_loop().call_later(delay, os.kill, os.getpid(), signal.SIGINT)
        await supervisor.run()
    assert lives.read_text() == "x"
    assert {status.state for status in supervisor.status()} == {ChildState.STOPPED}


async def test_a_faulty_listener_is_not_swallowed() -> None:
    def seen(status: ChildStatus) -> None:
        if status.state is ChildState.RESTARTING:
            raise ZeroDivisionError("listener")

    async with Supervisor(on_state=seen, policy=QUICK) as supervisor:
        await supervisor.start(sleeper("intake"))
        os.kill(pid_of(supervisor, "intake"), signal.SIGKILL)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(supervisor.run(), 5)


async def test_no_child_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    code = f"""
import asyncio, sys
from shared.embedded.processes import Child
from shared.embedded.supervisor import Supervisor

async def main():
    sleep = (sys.executable, "-S", "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)")
    async with Supervisor() as supervisor:
        await supervisor.start(Child("one", sleep, lambda: True), Child("two", sleep, lambda: True))
        # Threads that forked nothing come and go; the children must not mind.
        await asyncio.to_thread(print, end="")
        open({str(told)!r}, "w").write(" ".join(str(s.pid) for s in supervisor.status()) + "\\n")
        await supervisor.run()

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)  # noqa: ASYNC220 - returns at once
    await until(lambda: told.exists() and told.read_text().endswith("\n"))
    pids = [int(word) for word in told.read_text().split()]
    assert len(pids) == 2
    assert all(is_running(pid) for pid in pids)
    parent.kill()
    parent.wait()
    await until(lambda: not any(is_running(pid) for pid in pids))


async def test_a_killed_database_is_restarted_over_its_data(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, free_port())
    async with Supervisor(policy=QUICK) as supervisor:
        await supervisor.start(server.child())
        os.kill(pid_of(supervisor, "postgres"), signal.SIGKILL)
        await until(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].state is ChildState.READY)
        assert server.child().ready()
    assert not server.child().ready()
