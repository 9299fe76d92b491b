"""Children forked from a process that has loaded what they share: the same as others, only sooner there."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.preloading import Sprout
from shared.embedded.processes import Child, is_running, preloaded, spawn, stop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked like this on Linux only")
ROOT = Path(__file__).parents[3]
MODULES = ("wave",)
TELLS = """
import json, os, sys
print(json.dumps({
    "name": __name__, "arguments": sys.argv[1:], "loaded": "wave" in sys.modules, "directory": os.getcwd(),
    "given": os.environ.get("GIVEN"), "kept": os.environ.get("KEPT"), "session": os.getsid(0) == os.getpid(),
    "input": sys.stdin.read(), "parent": os.getppid(),
}))
print("aside", file=sys.stderr)
sys.exit(3)
"""
SLEEPS = "import time\nprint('awake', flush=True)\ntime.sleep(60)"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KEPT", "no")
    with preloaded(MODULES):
        yield


def child(directory: Path, code: str, *arguments: str, preload: tuple[str, ...] = MODULES) -> Child:
    (directory / "told_module.py").write_text(code, encoding="utf-8")
    return Child(
        name="part",
        argv=(sys.executable, "-m", "told_module", *arguments),
        ready=lambda: True,
        env={"GIVEN": "烽火", "KEPT": "yes"},
        cwd=directory,
        log_file=directory / "part.log",
        preload=preload,
    )


def parent_of(process: int) -> int:
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def until_gone(process: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(process):
        assert time.monotonic() < deadline, f"{process} goes on"
        time.sleep(0.01)


@pytest.mark.parametrize("preload", [(), MODULES, ("no_such_module",)], ids=["alone", "forked", "seedling-fails"])
def test_a_child_sees_the_same_whoever_starts_it(tmp_path: Path, kept: None, preload: tuple[str, ...]) -> None:
    process = spawn(child(tmp_path, TELLS, "one", "two words", preload=preload))
    assert process.wait(20) == process.returncode == process.poll() == 3
    told, aside = (tmp_path / "part.log").read_text(encoding="utf-8").splitlines()
    assert aside == "aside"
    seen = json.loads(told)
    assert (seen.pop("parent") == os.getpid()) is (preload != MODULES)
    assert seen == {
        "name": "__main__",
        "arguments": ["one", "two words"],
        "loaded": preload == MODULES,
        "directory": str(tmp_path),
        "given": "烽火",
        "kept": "yes",
        "session": True,
        "input": "",
    }


def test_a_forked_child_is_asked_to_end_and_killed_as_any_other(tmp_path: Path, kept: None) -> None:
    one, other = (spawn(child(tmp_path, SLEEPS)) for _ in range(2))
    assert isinstance(one, Sprout)
    with pytest.raises(subprocess.TimeoutExpired):
        one.wait(0.05)
    stop(child(tmp_path, SLEEPS), one)
    assert one.returncode == -signal.SIGTERM
    assert other.poll() is None
    os.kill(other.pid, signal.SIGKILL)
    assert other.wait(10) == -signal.SIGKILL
    until_gone(other.pid)


def test_children_end_with_a_killed_seedling_and_the_next_one_finds_another(tmp_path: Path, kept: None) -> None:
    first = spawn(child(tmp_path, SLEEPS))
    seedling = parent_of(first.pid)
    os.kill(seedling, signal.SIGKILL)
    assert first.wait(10) == -signal.SIGKILL
    until_gone(first.pid)
    second = spawn(child(tmp_path, SLEEPS))
    assert isinstance(second, Sprout)
    assert parent_of(second.pid) not in {seedling, os.getpid()}
    stop(child(tmp_path, SLEEPS), second)


def test_the_seedling_is_let_go_with_the_block(tmp_path: Path) -> None:
    with preloaded(MODULES):
        process = spawn(child(tmp_path, SLEEPS))
        seedling = parent_of(process.pid)
        stop(child(tmp_path, SLEEPS), process)
        assert is_running(seedling)
    until_gone(seedling)


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "told_module.py").write_text(SLEEPS, encoding="utf-8")
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom shared.embedded.processes import Child, preloaded, spawn\n"
        f"with preloaded({MODULES!r}):\n"
        "    child = Child('part', (sys.executable, '-m', 'told_module'), ready=lambda: True, "
        f"cwd=Path({str(tmp_path)!r}), preload={MODULES!r})\n"
        "    print(spawn(child).pid, flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        seedling = parent_of(grandchild)
        assert is_running(grandchild)
        parent.kill()
    until_gone(grandchild)
    until_gone(seedling)
