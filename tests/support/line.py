"""The whole line as a person runs it: `fenghuo up` in a process of its own, on free ports, with its own data."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from shared.embedded.processes import free_port
from tests.support.broker import Broker

ROOT = Path(__file__).resolve().parents[2]
_PORTS = ("console", "intake", "classifier", "escalator", "notifier", "postgres", "broker", "sink_smtp", "sink_http")
SERVICES = ("intake", "classifier", "escalator", "notifier", "console")


class Line:
    """A running line and what a test may ask of it. Times are seconds."""

    def __init__(self, home: Path, env: Mapping[str, str]) -> None:
        self.home = home
        self._env = {**os.environ, **env, "FENGHUO_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        self._env.pop("RUST_BACKTRACE", None)
        self.ports = {name: free_port() for name in _PORTS}
        self._env |= {f"FENGHUO_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.output = home / "up.log"

    def start(self, *, within: float = 120.0) -> Self:
        """Start it and wait until every service is ready; fails with the output when it does not come up."""
        self.home.mkdir(parents=True, exist_ok=True)
        written = len(self.output.read_text(errors="replace")) if self.output.exists() else 0
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.command_line", "up"],
                env=self._env,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.eventually(
            lambda: "Ctrl-C" in self.output.read_text(errors="replace")[written:], within=within, what="the line up"
        )
        return self

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit code. Kills it after 60 s."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait(10)
        self._process = None
        return code

    @property
    def credentials(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.home / "credentials.json").read_text())
        return found

    def pid(self, name: str) -> int | None:
        """Process id of a child such as `classifier`, `broker` or `postgres`; None while it is down."""
        found: dict[str, Any] = json.loads((self.home / "processes.json").read_text())
        pid: int | None = found[name]["pid"]
        return pid

    def kill(self, name: str) -> None:
        """kill -9 of one child; the line starts it again."""
        before = self.pid(name)
        assert before is not None, f"{name} is not running"
        os.kill(before, signal.SIGKILL)
        self.eventually(lambda: self.pid(name) not in {None, before}, within=30, what=f"{name} started again")

    def client(self, service: str = "intake", *, key: str | None = None) -> httpx.Client:
        """HTTP client with the operator's key."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.ports[service]}",
            headers={"Authorization": f"Bearer {key or self.credentials['api_key']}"},
            timeout=20.0,
        )

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """POST to intake; fails unless it is accepted."""
        with self.client() as client:
            answer = client.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def messages(self, *, containing: str = "") -> list[dict[str, Any]]:
        """What the sinks received, oldest first."""
        found: list[dict[str, Any]] = []
        with httpx.Client(base_url=f"http://127.0.0.1:{self.ports['sink_http']}", timeout=20.0) as client:
            since = 0
            while page := client.get("/messages", params={"since": since, "limit": 1000}).json():
                found += page
                since = page[-1]["seq"]
        return [message for message in found if containing in f"{message['subject']} {message['text']}"]

    def cases(self, **query: Any) -> list[dict[str, Any]]:
        """Cases as the console's API lists them."""
        with self.client("console") as client:
            answer = client.get("/v1/cases", params=query)
        assert answer.is_success, answer.text
        body = answer.json()
        found: list[dict[str, Any]] = body["cases"] if isinstance(body, dict) else body
        return found

    def metric(self, service: str, name: str, **labels: str) -> float:
        """Sum of a metric's samples that carry these labels."""
        page = httpx.get(f"http://127.0.0.1:{self.ports[service]}/metrics", timeout=5.0).text
        total = 0.0
        for sample_labels, value in re.findall(rf"^{name}(\{{[^}}]*\}})? ([0-9.e+-]+)$", page, re.MULTILINE):
            if all(f'{label}="{wanted}"' in sample_labels for label, wanted in labels.items()):
                total += float(value)
        return total

    def eventually(self, condition: Callable[[], Any], *, within: float = 30.0, what: str = "the condition") -> Any:
        """The condition's first true answer; fails with its name and the line's output when there is none in time."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                pytest.fail(
                    f"the line ended while waiting for {what}:\n{self.output.read_text(errors='replace')[-3000:]}"
                )
            try:
                found = condition()
            except (OSError, httpx.HTTPError):
                found = None
            if found:
                return found
            time.sleep(0.05)
        pytest.fail(f"{what} did not come true within {within:g} s\n{self._recent_errors()}")

    def _recent_errors(self) -> str:
        lines: list[str] = []
        for log in sorted((self.home / "logs").glob("*.log")):
            wrong = [line for line in log.read_text(errors="replace").splitlines() if '"level": "error"' in line]
            lines += [f"{log.name}: {line[:600]}" for line in wrong[-3:]]
        return "\n".join(lines)


@contextmanager
def running_line(home: Path, broker: Broker, env: Mapping[str, str] | None = None) -> Iterator[Line]:
    """A line on this broker: its own embedded one, or the session's when that is a real Kafka."""
    extra = dict(env or {})
    if broker.idempotent:
        extra |= {"FENGHUO_KAFKA": broker.bootstrap, "FENGHUO_KAFKA_TOPIC_PREFIX": f"l{os.urandom(4).hex()}-"}
    line = Line(home, extra)
    try:
        yield line.start()
    finally:
        line.stop()
